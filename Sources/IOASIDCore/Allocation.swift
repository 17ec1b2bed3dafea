// SPDX-License-Identifier: MIT
// How an id comes to life, and how it ends.

import CIOASID
import CIOASIDCore
import CIOASIDRuntime
import IOASIDMemory
import IOASIDRuntime
import Synchronization

/// Counters of ids, changed with the core lock held.
package enum Population {
    package static var live: UInt64 { allocs.value &- reclaims.value }
    package static let pending = Cell<UInt64>(0)
    package static let allocs = Cell<UInt64>(0)
    package static let reclaims = Cell<UInt64>(0)
}

extension Core {
    package static func allocate(
        _ handle: SetHandle?, _ low: UInt32, _ high: UInt32, _ data: UnsafeMutableRawPointer?
    ) throws(Refusal) -> UInt32 {
        Delivery.settle()
        try Delivery.checkDepth()
        let set = try liveSet(handle)
        guard low <= high else { throw .range }
        try takeRoom(set)
        let id: UInt32
        let entry: Entry
        do throws(Refusal) {
            (id, entry) = try place(low, high, set)
        } catch {
            giveRoomBack(set)
            throw error
        }
        let record = SetTable[set]
        record.pointee.active.append(id, entry.links)
        let word = SlotWord(set: set, generation: IDTable.nextGeneration())
        entry.publish(word, data: data)
        Population.allocs.increment()
        cio_probe_alloc(id, set)
        guard Delivery.hasAudience(set) || Trace.isOn else { return id }
        return try announce(id, Life(entry: entry, word: word))
    }

    /// Has the active allocator pick an id and makes its entry, not yet visible to look-ups.
    @inline(__always)
    private static func place(
        _ low: UInt32, _ high: UInt32, _ set: UInt32
    ) throws(Refusal) -> (UInt32, Entry) {
        try Capacity.prepare()
        if let group = Allocators.active { return try Allocators.place(low, high, group, set) }
        guard let id = IDTable.lowestFree(from: low, through: high) else { throw .range }
        guard let entry = IDTable.occupy(id) else { throw .memory }
        return (id, entry)
    }

    /// Sends ALLOC.
    /// - Returns: the id, unless a handler freed it at once: then it is not the caller's.
    private static func announce(_ id: UInt32, _ life: Life) throws(Refusal) -> UInt32 {
        let event = event(IOASID_NOTIFY_ALLOC, id, life)
        Trace.change(event)
        Delivery.send(event, to: .set)
        let now = life.entry.word
        guard now.isSameLife(as: life.word), now.isActive else { throw .unknown(ENOENT) }
        return id
    }

    /// Counts an id in, within the quota, or the capacity for sets that have none.
    @inline(__always)
    private static func takeRoom(_ set: UInt32) throws(Refusal) {
        let record = SetTable[set]
        if record.pointee.quota == 0 {
            try Capacity.take(1)
        } else if record.pointee.count >= record.pointee.quota {
            throw Refusal(IOASID_REFUSED_QUOTA, ENOSPC)
        }
        record.pointee.setCount(record.pointee.count &+ 1)
    }

    @inline(__always)
    private static func giveRoomBack(_ set: UInt32) {
        let record = SetTable[set]
        record.pointee.setCount(record.pointee.count &- 1)
        if record.pointee.quota == 0 { Capacity.giveBack(1) }
        if record.pointee.count == 0, record.pointee.state.value == SetState.dead { bury(set) }
    }

    // MARK: The end

    package static func free(_ handle: SetHandle?, _ id: UInt32) throws(Refusal) {
        Delivery.settle()
        guard let life = IDTable.life(id) else { throw .unknown(EINVAL) }
        try checkOwner(handle, life)
        // Freed already: the references left are other people's.
        guard !life.word.isPending else { return }
        retire(id, life)
    }

    /// The free path of an ACTIVE id: FREE_PENDING, FREE to everybody, own reference dropped.
    @inline(__always)
    package static func retire(_ id: UInt32, _ life: Life) {
        cio_probe_free(id, life.word.set)
        SPIDs.remove(id, life.entry)
        let isHeard = Delivery.hasAudience(life.word.set) || Trace.isOn
        if isHeard || !endIfLast(id, life.entry) { suspend(id, life, isHeard) }
    }

    /// Others have references, or want to know: the id is pending until the last of them is done.
    @inline(never)
    private static func suspend(_ id: UInt32, _ life: Life, _ isHeard: Bool) {
        let entry = life.entry
        let set = life.word.set
        entry.move(to: .pending)
        SetTable[set].pointee.active.remove(entry.links)
        SetTable[set].pointee.pending.append(id, entry.links)
        Population.pending.increment()
        if isHeard {
            let event = event(IOASID_NOTIFY_FREE, id, life)
            Trace.change(event)
            Delivery.send(event, to: [.all, .set])
        }
        // A handler that puts more than it has may have taken this reference too.
        guard entry.word.isSameLife(as: life.word) else { return }
        drop(id, entry)
    }

    /// Nobody else has a reference and nobody wants to know: no need to be pending first.
    @inline(__always)
    private static func endIfLast(_ id: UInt32, _ entry: Entry) -> Bool {
        let word = entry.word
        guard word.references == 1, entry.exchange(word, word.with(.pending).droppingReference)
        else { return false }
        SetTable[word.set].pointee.active.remove(entry.links)
        reclaim(id, entry, word.set)
        return true
    }

    /// Drops a reference of a FREE_PENDING id.
    /// - Returns: true if it was the last.
    @inline(never)
    @discardableResult
    package static func drop(_ id: UInt32, _ entry: Entry) -> Bool {
        while true {
            let word = entry.word
            guard entry.exchange(word, word.droppingReference) else { continue }
            Trace.reference(id, entry, word.droppingReference, "put")
            guard word.references == 1 else { return false }
            SetTable[word.set].pointee.pending.remove(entry.links)
            Population.pending.decrement()
            reclaim(id, entry, word.set)
            return true
        }
    }

    /// The last reference is gone: the number returns to whom it came from.
    @inline(__always)
    private static func reclaim(_ id: UInt32, _ entry: Entry, _ set: UInt32) {
        cio_probe_reclaim(id, set)
        Trace.reclaim(id, set)
        Population.reclaims.increment()
        guard CustomIDs.isEmpty || CustomIDs.life(id) == nil else {
            return reclaimCustom(id, entry, set)
        }
        entry.clear()
        IDTable.vacate(id)
        giveRoomBack(set)
    }

    /// Calls out at the end.
    @inline(never)
    private static func reclaimCustom(_ id: UInt32, _ entry: Entry, _ set: UInt32) {
        entry.clear()
        let group = CustomIDs.vacate(id)
        giveRoomBack(set)
        if let group { Allocators.takeBack(id, group) }
    }
}
