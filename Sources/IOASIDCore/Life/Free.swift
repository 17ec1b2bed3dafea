// SPDX-License-Identifier: MIT
// How an id ends: freed, told of, its last reference dropped, its number back where it came from.

import CIOASIDCore
import CIOASIDRuntime
import IOASIDMemory
import IOASIDRuntime
import Synchronization

//  free, sweep, last put of an ACTIVE id         last put of a FREE_PENDING id
//          |                                              |
//        retire --- nobody else has it, or wants to know ----+
//          |                                              |  |
//       suspend: FREE_PENDING, FREE is told               |  |
//          |     (put off when too deep)                  |  |
//          +--- the allocator's own reference ---> drop   |  |
//                                                   |     |  |
//                                                   v     v  v
//                                                     reclaim
//                                  default allocator: the number is free
//                                  custom allocator:  its free() is called, then forgotten

extension Core {
    @inline(__always)
    package static func free(
        _ handle: SetHandle?, _ id: ID, _ out: CallOut
    ) throws(RequestError) {
        out.beginEnding()
        guard let one = IDTable.incarnation(of: id) else { throw .unknown(EINVAL) }
        try checkOwner(handle, one)
        // Freed already: the references left are other people's.
        guard !one.word.isPending else { return }
        retire(one, out)
    }

    /// The long way, which may call out: once, for all who take it.
    @inline(never)
    package static func freeLoudly(
        _ handle: SetHandle?, _ id: ID, _ out: CallOut
    ) throws(RequestError) {
        try free(handle, id, out.loud)
    }

    /// The free path of an ACTIVE id: FREE_PENDING, FREE to everybody, own reference dropped.
    @inline(__always)
    static func retire(_ one: Incarnation, _ out: CallOut) {
        cio_probe_free(one.id.rawValue, one.word.set.rawValue)
        if one.ref.links.pointee.spid != .none { SPIDIndex.remove(one) }
        let set = SetTable[one.word.set]
        let isHeard =
            !set.pointee.subscribers.isEmpty || (!out.isQuiet && Attention.isListening)
        if _fastPath(!isHeard), endIfLast(one, of: set, out) { return }
        suspend(one, isHeard, out.loud)
    }

    /// Nobody else has a reference and nobody wants to know: no need to be pending first.
    /// - Returns: whether that is so.
    @inline(__always)
    private static func endIfLast(_ one: Incarnation, of set: SetRef, _ out: CallOut) -> Bool {
        guard one.word.references == 1,
            one.ref.exchange(one.word, one.word.with(.pending).droppingReference)
        else { return false }
        set.pointee.active.remove(one.ref.links, areFlat: out.isQuiet)
        reclaim(one, of: set, isListed: false, out)
        return true
    }

    /// Others have references, or want to know: the id is pending until the last of them is done.
    @inline(never)
    private static func suspend(_ one: Incarnation, _ isHeard: Bool, _ out: CallOut) {
        one.ref.become(.pending)
        let set = SetTable[one.word.set]
        set.pointee.active.remove(one.ref.links)
        set.pointee.pending.append(one.id, one.ref.links)
        Population.pending.increment()
        if !isHeard {
            drop(one, out)
        } else if out.isTooDeep {
            Deferred.append(one)
        } else {
            tellFree(one, out)
        }
    }

    private static func tellFree(_ one: Incarnation, _ out: CallOut) {
        out.send(Event(IOASID_NOTIFY_FREE, one), to: [.all, .set])
        // A handler that puts more than it has may have taken this reference too.
        if one.isCurrent, !Deferred.contains(one), one.ref.word.references != 0 { drop(one, out) }
    }

    /// In the child of fork(), where who told of this end is not there.
    static func finishTelling(_ one: Incarnation, _ out: CallOut) {
        guard !Deferred.contains(one), let word = one.ref.dropReference(), word.references == 0
        else { return }
        if IDTable.allocator(of: one.id) == nil, !Attention.has(Attention.reclaims) {
            reclaim(one, of: SetTable[one.word.set], isListed: true, out)
        } else {
            Deferred.append(one)
        }
    }

    /// An end that was put off.
    static func finishFreeing(_ one: Incarnation, _ out: CallOut) {
        if one.word.references != 0 {
            tellFree(one, out)
        } else {
            reclaim(one, of: SetTable[one.word.set], isListed: true, out)
        }
    }

    /// Drops a reference of a FREE_PENDING id.
    /// - Returns: true if it was the last.
    @inline(never)
    @discardableResult
    static func drop(_ one: Incarnation, _ out: CallOut) -> Bool {
        // While nobody was told of its end, the allocator's own reference is not there to be taken.
        guard let word = one.ref.dropReference(keepsLast: Deferred.contains(one)) else {
            return false
        }
        Trace.reference(one, word, "put")
        guard word.references == 0 else { return false }
        reclaim(one, of: SetTable[one.word.set], isListed: true, out)
        return true
    }

    /// The last reference is gone: the number returns to whom it came from. `isListed` says whether
    /// it is on its set's list of pending ids.
    @inline(__always)
    private static func reclaim(
        _ one: Incarnation, of set: SetRef, isListed: Bool, _ out: CallOut
    ) {
        if !out.isQuiet {
            if let group = IDTable.allocator(of: one.id) {
                return giveBack(one, group, isListed: isListed, out)
            }
            if Attention.has(Attention.reclaims | Attention.waiters) {
                return reclaimAndTell(one, of: set, isListed: isListed, out)
            }
        }
        if isListed { unlist(one) }
        end(one, out)
        IDTable.release(one.id)
        uncharge(set)
    }

    @inline(never)
    private static func reclaimAndTell(
        _ one: Incarnation, of set: SetRef, isListed: Bool, _ out: CallOut
    ) {
        // Too deep to call anybody: it stays, FREE_PENDING and without references, until the
        // outermost call is about to return.
        guard !out.isTooDeep else {
            if !isListed { list(one) }
            return Deferred.append(one)
        }
        let event = Event(IOASID_NOTIFY_RECLAIM, one)
        if isListed { unlist(one) }
        end(one, out)
        IDTable.release(one.id)
        uncharge(set)
        tellReclaim(event, out)
    }

    private static func list(_ one: Incarnation) {
        SetTable[one.word.set].pointee.pending.append(one.id, one.ref.links)
        Population.pending.increment()
    }

    /// The number is back: who waits for it goes on, who asked to be told is told.
    @inline(never)
    private static func tellReclaim(_ event: Event, _ out: CallOut) {
        if Attention.has(Attention.waiters) { Waiters.wake() }
        if Attention.has(Attention.reclaims) { out.send(reclaim: event) }
    }

    private static func unlist(_ one: Incarnation) {
        SetTable[one.word.set].pointee.pending.remove(one.ref.links)
        Population.pending.decrement()
    }

    @inline(__always)
    private static func end(_ one: Incarnation, _ out: CallOut) {
        cio_probe_reclaim(one.id.rawValue, one.word.set.rawValue)
        if !out.isQuiet { Trace.reclaim(one) }
        one.ref.clear()
        Population.reclaims.increment()
    }

    /// To a custom allocator. While its `free` runs the id is still there, FREE_PENDING and without
    /// references: it can be found, and nobody can get it.
    @inline(never)
    private static func giveBack(
        _ one: Incarnation, _ group: Ref<AllocatorGroup>, isListed: Bool, _ out: CallOut
    ) {
        if !isListed { list(one) }
        guard !out.isTooDeep else { return Deferred.append(one) }
        out.free(one.id, AllocatorCall(SetTable[one.word.set], group, returned: one))
        let event = Event(IOASID_NOTIFY_RECLAIM, one)
        forget(one, group, out)
        tellReclaim(event, out)
    }

    /// Its allocator has it back.
    static func forget(_ one: Incarnation, _ group: Ref<AllocatorGroup>, _ out: CallOut) {
        let set = SetTable[one.word.set]
        unlist(one)
        end(one, out)
        IDTable.forget(one.id)
        Allocators.release(group)
        uncharge(set)
    }

    /// Counts an id out of its set. The last one of a set that is dead or lent takes the record with it.
    @inline(__always)
    static func uncharge(_ set: SetRef) {
        Quota.uncharge(set)
        if set.pointee.count == 0, set.pointee.state != CIO_SET_LIVE { releaseEmpty(set) }
    }
}
