// SPDX-License-Identifier: MIT
// References and look-ups: no lock and no waiting, but for the last reference of an id.

import CIOASIDCore
import CIOASIDRuntime
import IOASIDMemory
import IOASIDRuntime
import Synchronization

extension Core {
    /// Lock-free. NULL checks nothing.
    @inline(__always)
    static func checkOwner(_ handle: SetHandle?, _ one: Incarnation) throws(RequestError) {
        guard let handle else { return }
        guard SetTable.isHandle(handle, of: one.word.set) else { throw .owner(of: one.word.set) }
    }

    // MARK: Looking up

    /// Lock-free. The private data, as it is with the id in this set at one moment. What nearly
    /// always happens is in line and without a call.
    @inline(__always)
    package static func find(
        _ handle: SetHandle?, _ id: ID
    ) throws(RequestError) -> UnsafeMutableRawPointer? {
        if let one = FlatIDs.incarnationInShort(of: id),
            handle.map({ SetTable.isHandle($0, of: one.word.set) }) ?? true,
            case .found(let data) = one.data
        {
            return data
        }
        return try findAgain(handle, id)
    }

    /// Everything else: no id, another's id, an id of a custom allocator, a word that changed.
    @inline(never)
    private static func findAgain(
        _ handle: SetHandle?, _ id: ID
    ) throws(RequestError) -> UnsafeMutableRawPointer? {
        while true {
            guard let one = IDTable.incarnation(of: id) else {
                throw RequestError.unknown(ENOENT).answered(id)
            }
            do throws(RequestError) {
                try checkOwner(handle, one)
            } catch {
                throw error.answered(id)
            }
            guard case .found(let data) = one.data else { continue }
            Trace.comeAfter(one.ref)
            return data
        }
    }

    /// Lock-free. Takes a reference if asked to. `isRef` is which function was called.
    package static func findBySPID(
        _ handle: SetHandle?, _ spid: SPID, get: Bool, isRef: Bool = false
    ) throws(RequestError) -> ID? {
        guard let set = SetTable.find(handle) else {
            // A declared set that was never used is not known, and has no ids. To make sure that it
            // is one would take the loader's lock.
            guard let handle, SetTable.isOfRecords(handle) else { return nil }
            throw .noSet(handle)
        }
        let number = SetTable.number(of: set)
        while let one = SPIDIndex.find(spid, in: number) {
            guard get else { return one.id }
            guard try addReference(one) else { continue }
            // It may have lost the SPID between the look and the reference: then look again. But
            // the last reference would have to be put with the lock; it had the SPID when it was
            // found, so that is the answer.
            if one.ref.links.pointee.spid == spid { return one.id }
            guard let word = one.ref.dropReference(keepsLast: true) else { return one.id }
            Trace.reference(one, word, "put")
        }
        RequestError.noSPID(spid, number).answer(
            caller: isRef ? "ioasid_find_by_spid_ref" : "ioasid_find_by_spid")
        return nil
    }

    /// Lock-free.
    package static func spid(of id: ID) -> SPID {
        while let one = IDTable.incarnation(of: id) {
            let spid = one.ref.links.pointee.spid
            if one.isCurrent { return spid }
        }
        RequestError.unknown(ENOENT).answer(id.rawValue, caller: "ioasid_find_spid")
        return .none
    }

    // MARK: Get and put

    /// Lock-free. Takes a reference, or says why not: unknown, pending, owner, in this order.
    @inline(__always)
    package static func get(_ handle: SetHandle?, _ id: ID) throws(RequestError) {
        while true {
            guard let one = IDTable.incarnation(of: id) else { throw .unknown(EINVAL) }
            guard one.word.isAlive else { throw .pending }
            try checkOwner(handle, one)
            if try addReference(one) { return }
        }
    }

    /// Lock-free.
    /// - Returns: false if the word has changed meanwhile: look again.
    @inline(__always)
    private static func addReference(_ one: Incarnation) throws(RequestError) -> Bool {
        guard one.word.references < SlotWord.referenceLimit else { throw .tooManyReferences(one) }
        let new = one.word.addingReference
        guard one.ref.exchange(one.word, new) else { return false }
        cio_probe_get(one.id.rawValue, UInt32(truncatingIfNeeded: new.references))
        if Trace.isOn { Trace.reference(one, new, "get") }
        return true
    }

    /// Lock-free unless it is the last reference.
    /// - Returns: whether the id was reclaimed.
    @inline(__always)
    package static func put(_ handle: SetHandle?, _ id: ID) throws(RequestError) -> Bool {
        guard !Trace.isOn else { return try putWatched(handle, id) }
        return try put(handle, id, isWatched: false)
    }

    @inline(never)
    private static func putWatched(_ handle: SetHandle?, _ id: ID) throws(RequestError) -> Bool {
        try put(handle, id, isWatched: true)
    }

    @inline(__always)
    private static func put(
        _ handle: SetHandle?, _ id: ID, isWatched: Bool
    ) throws(RequestError) -> Bool {
        while true {
            guard let one = IDTable.incarnation(of: id) else { throw .unknown(EINVAL) }
            try checkOwner(handle, one)
            guard one.word.references > 1 else { return try putLast(handle, id) }
            let new = one.word.droppingReference
            // Before: when it is dropped, another one may be the last.
            if isWatched { Trace.comeBefore(one.ref) }
            guard one.ref.exchange(one.word, new) else { continue }
            cio_probe_put(id.rawValue, UInt32(truncatingIfNeeded: new.references))
            if isWatched { Trace.reference(one, new, "put") }
            return false
        }
    }

    /// Takes the lock, and looks again: it need not be the last one any more.
    @inline(never)
    private static func putLast(_ handle: SetHandle?, _ id: ID) throws(RequestError) -> Bool {
        try CallOut.withLock { out throws(RequestError) -> Bool in
            out.beginEnding()
            guard let one = IDTable.incarnation(of: id), one.word.references != 0 else {
                throw .unknown(EINVAL)
            }
            try checkOwner(handle, one)
            cio_probe_put(id.rawValue, 0)
            if one.word.isPending { return drop(one, out) }
            if let word = one.ref.dropReference(keepsLast: true) {
                Trace.reference(one, word, "put")
                return false
            }
            // The owner gave it up by a put, or somebody put once too often: the others must know.
            retire(one, out)
            return !one.isCurrent
        }
    }

    /// With the lock held: the set's token is compared.
    package static func getIfOwned(_ id: ID) throws(RequestError) {
        guard let one = IDTable.incarnation(of: id) else { throw .unknown(ENOENT) }
        let set = SetTable[one.word.set]
        guard set.pointee.type == IOASID_SET_TYPE_MM.rawValue else { throw .noMMSet(one) }
        let mm = AddressSpaceHooks.current
        guard mm != 0, set.pointee.token.value == mm else {
            throw RequestError(IOASID_REFUSED_OWNER, EPERM).because(
                "the token of the set is not current->mm", one.word.set)
        }
        // Its life cannot end while the lock is held.
        try get(nil, id)
    }

    // MARK: Private data

    /// Takes the lock itself, and waits for readers after it has left it.
    package static func attachData(
        _ id: ID, _ data: UnsafeMutableRawPointer?, replaces: Bool = true
    ) throws(RequestError) {
        let hadReaders = try CoreLock.withLock { () throws(RequestError) -> Bool in
            guard let one = IDTable.incarnation(of: id) else { throw .unknown(ENOENT) }
            let old = one.ref.data
            guard replaces || old == nil else {
                throw RequestError.exists(EBUSY).because("the id has data", one.word.set)
            }
            guard old != data else { return false }
            guard old == nil || !(CoreLock.isNested || ReadSide.isInSection) else {
                throw .deadlock
            }
            Trace.comeBefore(one.ref)
            one.ref.setData(data)
            return old != nil
        }
        if hadReaders { ReadSide.waitForReaders() }
    }
}
