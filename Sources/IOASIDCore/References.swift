// SPDX-License-Identifier: MIT
// References and look-ups: no lock, but for the last reference of an id.

import CIOASID
import CIOASIDCore
import CIOASIDRuntime
import IOASIDMemory
import IOASIDRuntime
import Synchronization

extension Core {
    /// Lock-free. NULL checks nothing.
    @inline(__always)
    package static func checkOwner(_ handle: SetHandle?, _ life: Life) throws(Refusal) {
        guard let handle else { return }
        guard SetTable.isHandle(handle, of: life.word.set) else { throw .owner }
    }

    /// Lock-free. Takes a reference, or says why not: unknown, pending, owner, in this order.
    @inline(__always)
    package static func get(_ handle: SetHandle?, _ id: UInt32) throws(Refusal) {
        while true {
            guard let life = IDTable.life(id) else { throw .unknown(EINVAL) }
            guard life.word.isActive else { throw .pending }
            try checkOwner(handle, life)
            if try addReference(id, life) { return }
        }
    }

    /// Lock-free.
    /// - Returns: false if the word has changed meanwhile: look again.
    @inline(__always)
    package static func addReference(_ id: UInt32, _ life: Life) throws(Refusal) -> Bool {
        guard life.word.references < SlotWord.referenceLimit else { throw .overflow }
        let new = life.word.addingReference
        guard life.entry.exchange(life.word, new) else { return false }
        cio_probe_get(id, UInt32(truncatingIfNeeded: new.references))
        if Trace.isOn { Trace.reference(id, life.entry, new, "get") }
        return true
    }

    /// Lock-free unless it is the last reference.
    /// - Returns: whether the id was reclaimed.
    @inline(__always)
    package static func put(_ handle: SetHandle?, _ id: UInt32) throws(Refusal) -> Bool {
        while true {
            guard let life = IDTable.life(id) else { throw .unknown(EINVAL) }
            try checkOwner(handle, life)
            guard life.word.references > 1 else { return try putLast(handle, id) }
            let new = life.word.droppingReference
            guard life.entry.exchange(life.word, new) else { continue }
            cio_probe_put(id, UInt32(truncatingIfNeeded: new.references))
            if Trace.isOn { Trace.reference(id, life.entry, new, "put") }
            return false
        }
    }

    /// Takes the lock, and looks again: it need not be the last one any more.
    @inline(never)
    private static func putLast(_ handle: SetHandle?, _ id: UInt32) throws(Refusal) -> Bool {
        try CoreLock.withLock { () throws(Refusal) -> Bool in
            Delivery.settle()
            guard let life = IDTable.life(id) else { throw .unknown(EINVAL) }
            try checkOwner(handle, life)
            cio_probe_put(id, 0)
            if life.word.isPending { return drop(id, life.entry) }
            while true {
                let word = life.entry.word
                if word.references == 1 { break }
                if life.entry.exchange(word, word.droppingReference) {
                    Trace.reference(id, life.entry, word.droppingReference, "put")
                    return false
                }
            }
            // The owner gave it up by a put, or somebody put once too often: the others must know.
            retire(id, life)
            return !life.entry.word.isSameLife(as: life.word)
        }
    }

    /// Lock-free. The private data, as it is with the id in this set at one moment.
    @inline(__always)
    package static func data(
        _ handle: SetHandle?, _ id: UInt32
    ) throws(Refusal) -> UnsafeMutableRawPointer? {
        while true {
            guard let life = IDTable.life(id) else { throw .unknown(ENOENT) }
            try checkOwner(handle, life)
            if case .found(let data) = life.data { return data }
        }
    }

    /// Lock-free.
    package static func findBySPID(
        _ handle: SetHandle?, _ spid: UInt32, get: Bool
    ) throws(Refusal) -> UInt32 {
        guard let set = SetTable.find(handle) else {
            // Not seen before: then it has no ids.
            guard let handle, !cio_is_declared_set(handle) else { return noID }
            throw .noSet
        }
        while true {
            guard let (id, life) = SPIDs.find(set, spid) else { return noID }
            guard get else { return id }
            guard try addReference(id, life) else { continue }
            // It may have lost the SPID between the look and the reference.
            if life.entry.links.pointee.spid.value == spid { return id }
            _ = try put(nil, id)
        }
    }

    /// With the lock held: the set's token is compared.
    package static func getIfOwned(_ id: UInt32) throws(Refusal) {
        guard let life = IDTable.life(id) else { throw .unknown(ENOENT) }
        let set = SetTable[life.word.set]
        guard set.pointee.type == IOASID_SET_TYPE_MM.rawValue else { throw .noSet }
        guard let mm = AddressSpaceHooks.current?(), set.pointee.token.value == UInt(bitPattern: mm) else {
            throw Refusal(IOASID_REFUSED_OWNER, EPERM)
        }
        // Its life cannot end while the lock is held.
        try get(nil, id)
    }

    // MARK: Private data

    /// Takes the lock itself, and waits for readers after it has left it.
    package static func attachData(_ id: UInt32, _ data: UnsafeMutableRawPointer?) throws(Refusal) {
        let hadReaders = try CoreLock.withLock { () throws(Refusal) -> Bool in
            guard let life = IDTable.life(id) else { throw .unknown(ENOENT) }
            let old = life.entry.data
            guard old != data else { return false }
            guard old == nil || !(CoreLock.isNested || ReadSide.isInSection) else {
                throw Refusal(IOASID_REFUSED_BUSY, EDEADLK)
            }
            life.entry.setData(data)
            return old != nil
        }
        if hadReaders { ReadSide.waitForReaders() }
    }
}
