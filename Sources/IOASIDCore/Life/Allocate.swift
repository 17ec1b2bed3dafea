// SPDX-License-Identifier: MIT
// How an id comes to life.

import CIOASIDCore
import CIOASIDRuntime
import IOASIDMemory
import IOASIDRuntime
import Synchronization

extension Core {
    @inline(__always)
    package static func allocate(
        _ handle: SetHandle?, _ range: IDRange, _ data: UnsafeMutableRawPointer?, _ out: CallOut
    ) throws(RequestError) -> ID {
        try out.beginCreating()
        let set = try liveSet(handle)
        guard !range.isEmpty else { throw .range(range, set) }
        try Quota.charge(set)
        let id: ID
        let ref: IDRef
        do throws(RequestError) {
            (id, ref) = try pick(range, set, out)
        } catch {
            uncharge(set)
            throw error
        }
        set.pointee.active.append(id, ref.links, areFlat: out.isQuiet)
        let number = SetTable.number(of: set)
        let word = SlotWord(set: number, generation: IDTable.nextGeneration())
        if !out.isQuiet { Trace.comeBefore(ref) }
        ref.publish(word, data: data)
        cio_probe_alloc(id.rawValue, number.rawValue)
        if _fastPath(set.pointee.subscribers.isEmpty && (out.isQuiet || !Attention.isListening)) {
            return id
        }
        return try announce(Incarnation(id: id, ref: ref, word: word), out.loud)
    }

    /// Sends ALLOC.
    /// - Returns: the id, unless a handler freed it at once: then it is not the caller's.
    @inline(never)
    private static func announce(_ one: Incarnation, _ out: CallOut) throws(RequestError) -> ID {
        out.send(Event(IOASID_NOTIFY_ALLOC, one), to: .set)
        let now = one.ref.word
        guard now.isSameLife(as: one.word), now.isAlive else { throw .freedByHandler(one) }
        return one.id
    }

    /// - Returns: an id that the active allocator picks and its place, not yet visible to look-ups.
    @inline(__always)
    private static func pick(
        _ range: IDRange, _ set: SetRef, _ out: CallOut
    ) throws(RequestError) -> (ID, IDRef) {
        if !out.isQuiet, let group = Allocators.active {
            return try pick(range, group, set, out)
        }
        if let taken = try IDTable.take(range) { return taken }
        return try pickFirst(range, set)
    }

    /// There was none: perhaps because there is no table yet.
    @inline(never)
    private static func pickFirst(
        _ range: IDRange, _ set: SetRef
    ) throws(RequestError) -> (ID, IDRef) {
        guard IDTable.capacity == 0 else { throw .range(range, set) }
        try Quota.prepare()
        guard let taken = try IDTable.take(range) else { throw .range(range, set) }
        return taken
    }

    // MARK: Custom allocators

    /// Asks a custom allocator. What cannot be used is handed back.
    @inline(never)
    private static func pick(
        _ range: IDRange, _ group: Ref<AllocatorGroup>, _ set: SetRef, _ out: CallOut
    ) throws(RequestError) -> (ID, IDRef) {
        try Quota.prepare()
        guard CustomIDs.prepare(), let allocator = group.pointee.allocators.first else {
            throw .memory
        }
        // It may unregister itself meanwhile.
        Allocators.retain(group)
        let owner = SetIncarnation(SetTable.number(of: set))
        let request = AllocatorCall(set, group)
        let id = out.allocate(range, request, allocator.pointee.ops)
        do throws(RequestError) {
            return (id, try accept(id, range, group, owner))
        } catch {
            // A live id of its own, handed out again, must stay what it is.
            if id != .invalid, IDTable.allocator(of: id) != group { out.free(id, request) }
            Allocators.release(group)
            throw error
        }
    }

    private static func accept(
        _ id: ID, _ range: IDRange, _ group: Ref<AllocatorGroup>, _ owner: SetIncarnation
    ) throws(RequestError) -> IDRef {
        guard id != .invalid, range.contains(id), IDTable.incarnation(of: id) == nil,
            !FlatIDs.isTaken(id.rawValue)
        else {
            throw .allocator(id, range, owner.set)
        }
        guard owner.isLive else {
            throw RequestError.noSet.because("the custom allocator ended the set", owner.set)
        }
        guard let ref = IDTable.adopt(id, for: group) else { throw .memory }
        return ref
    }
}
