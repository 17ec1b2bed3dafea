// SPDX-License-Identifier: MIT
// How a set comes to life, what its owner may change, and how it ends.

import CIOASID
import CIOASIDCore
import CIOASIDRuntime
import IOASIDMemory
import IOASIDRuntime
import Synchronization

/// Counters of sets, changed with the core lock held.
package enum SetPopulation {
    package static let live = Cell<UInt64>(0)
    /// Gone for their users: dying, or dead with ids left.
    package static let gone = Cell<UInt64>(0)
}

extension Core {
    /// The set that a user means. A declared set is adopted when it is first seen.
    @inline(__always)
    package static func liveSet(_ handle: SetHandle?) throws(Refusal) -> UInt32 {
        if let set = SetTable.find(handle) { return set }
        return try adoptSet(handle)
    }

    @inline(never)
    private static func adoptSet(_ handle: SetHandle?) throws(Refusal) -> UInt32 {
        guard SetTable.prepare() else { throw .memory }
        guard let handle else { return SetTable.system }
        guard cio_is_declared_set(handle) else { throw .noSet }
        let set = try SetTable.occupy()
        fill(set, declared: UInt(bitPattern: handle), 0, 0, IOASID_SET_TYPE_NULL.rawValue)
        SetTable.declared.insert(set)
        return set
    }

    package static func createSet(
        _ token: UnsafeMutableRawPointer?, _ quota: UInt32, _ type: CInt
    ) throws(Refusal) -> UInt32 {
        Delivery.settle()
        try Delivery.checkDepth()
        let type = UInt32(bitPattern: type)
        let isMM = type == IOASID_SET_TYPE_MM.rawValue
        guard isMM || type == IOASID_SET_TYPE_NULL.rawValue else { throw .argument }
        guard !isMM || token != nil else { throw .argument }
        guard SetTable.prepare() else { throw .memory }
        let address = UInt(bitPattern: token)
        guard token == nil || SetTokens.find(address, type) == nil else {
            throw .exists
        }
        // The public field is an int.
        guard quota <= UInt32(CInt.max) else { throw Refusal(IOASID_REFUSED_CAPACITY, ENOSPC) }
        try Capacity.take(quota)
        let set: UInt32
        do throws(Refusal) {
            set = try SetTable.occupy()
        } catch {
            Capacity.giveBack(quota)
            throw error
        }
        fill(set, address, quota, type)
        if let token {
            if isMM { SetTable[set].pointee.isPinned = mmGrabIfKnown(token) }
            SetTable.tokens.insert(set)
            if isMM { attachWaiting(set, address) }
        }
        SetPopulation.live.increment()
        announce(set, IOASID_NOTIFY_SET_ALLOC)
        // A handler that puts what is not its own may have ended it.
        guard SetTable[set].pointee.state.value == SetState.live else { throw .noSet }
        return set
    }

    private static func fill(
        _ set: UInt32, declared: UInt = 0, _ token: UInt, _ quota: UInt32, _ type: UInt32
    ) {
        let record = SetTable[set]
        record.pointee.declared.value = declared
        record.pointee.token.value = token
        record.pointee.type = type
        record.pointee.setQuota(quota)
        record.pointee.setCount(0)
        record.pointee.isReleased = false
        record.pointee.isPinned = false
        record.pointee.seen.token = UnsafeMutableRawPointer(bitPattern: token)
        record.pointee.seen.type = CInt(bitPattern: type)
        record.pointee.seen.id = CInt(bitPattern: set)
        record.pointee.references.value = 1
        record.pointee.state.release(SetState.live)
    }

    private static func announce(_ set: UInt32, _ what: ioasid_notify_val) {
        let event = event(what, set)
        Trace.change(event)
        Delivery.send(event, to: .all)
    }

    package static func event(_ what: ioasid_notify_val, _ set: UInt32) -> Event {
        Event(what: what, id: noID, spid: noID, set: set, data: nil)
    }

    package static func adjustSet(_ handle: SetHandle?, _ quota: CInt) throws(Refusal) {
        let set = try ownedSet(handle)
        let record = SetTable[set]
        guard quota > 0, let quota = UInt32(exactly: quota), quota >= record.pointee.count else {
            throw .argument
        }
        let charge = record.pointee.charge
        if quota > charge {
            try Capacity.take(quota &- charge)
        } else {
            Capacity.giveBack(charge &- quota)
        }
        record.pointee.setQuota(quota)
    }

    /// A live set that somebody created: not the system set, and not a declared one.
    package static func ownedSet(_ handle: SetHandle?) throws(Refusal) -> UInt32 {
        guard let handle, let set = SetTable.find(handle), isOwned(set) else { throw .noSet }
        return set
    }

    package static func isOwned(_ set: UInt32) -> Bool {
        set != SetTable.system && SetTable[set].pointee.declared.value == 0
            && SetTable[set].pointee.state.value == SetState.live
    }

    // MARK: References

    package static func getSet(_ handle: SetHandle?) throws(Refusal) {
        let record = SetTable[try ownedSet(handle)]
        guard record.pointee.references.value < UInt32(CInt.max) else { throw .overflow }
        record.pointee.references.increment()
    }

    package static func putSet(_ handle: SetHandle?) throws(Refusal) {
        Delivery.settle()
        putSet(number: try ownedSet(handle))
    }

    private static func putSet(number set: UInt32) {
        SetTable[set].pointee.references.decrement()
        if SetTable[set].pointee.references.value == 0 { end(set) }
    }

    package static func releaseSet(_ handle: SetHandle?) throws(Refusal) {
        Delivery.settle()
        let set = try ownedSet(handle)
        guard !SetTable[set].pointee.isReleased else { throw .noSet }
        guard SetTable[set].pointee.count == 0 else { throw Refusal(IOASID_REFUSED_BUSY, EBUSY) }
        SetTable[set].pointee.isReleased = true
        putSet(number: set)
    }

    // MARK: The end

    package static func freeAll(_ set: UInt32) {
        Delivery.settle()
        // An id that was retired is off the list, whatever handlers do. One that allocates anew
        // must not keep this going for ever: no more ids are freed than there were.
        var left = SetTable[set].pointee.count
        while left != 0, let life = IDTable.life(SetTable[set].pointee.active.first) {
            retire(SetTable[set].pointee.active.first, life)
            left &-= 1
        }
    }

    private static func end(_ set: UInt32) {
        let record = SetTable[set]
        record.pointee.state.release(SetState.dying)
        if record.pointee.token.value != 0 { SetTable.tokens.remove(set) }
        SetPopulation.live.decrement()
        SetPopulation.gone.increment()
        SetTable.dying.push(set)
        freeAll(set)
        SetTable.dying.pop()
        // The next set of the mm may be there already, or come with SET_FREE.
        detachSubscribers(set)
        announce(set, IOASID_NOTIFY_SET_FREE)
        if record.pointee.isPinned { mmDrop(mmPointer(record.pointee.token.value)) }
        record.pointee.state.release(SetState.dead)
        if record.pointee.count == 0 { bury(set) }
    }

    /// The last id of a dead set is reclaimed: its reservation returns, its number may be reused.
    package static func bury(_ set: UInt32) {
        Capacity.giveBack(SetTable[set].pointee.quota)
        SetPopulation.gone.decrement()
        SetTable.vacate(set)
    }
}
