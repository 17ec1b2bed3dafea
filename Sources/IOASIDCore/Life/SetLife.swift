// SPDX-License-Identifier: MIT
// How a set comes to life, what its owner may change, and how it ends.

import CIOASIDCore
import IOASIDMemory
import IOASIDRuntime
import Synchronization

/// Counters of sets, changed with the core lock held.
enum SetPopulation {
    static let live = Cell<UInt64>(0)
    /// Gone for their users: dying, or dead with ids left.
    static let gone = Cell<UInt64>(0)
}

extension Core {
    /// The set that a user means. A declared set is adopted when it is first seen.
    @inline(__always)
    static func liveSet(_ handle: SetHandle?) throws(RequestError) -> SetRef {
        if let set = SetTable.find(handle) { return set }
        return SetTable[try adoptSet(handle)]
    }

    @inline(never)
    private static func adoptSet(_ handle: SetHandle?) throws(RequestError) -> SetNumber {
        guard SetTable.prepare() else { throw .memory }
        guard let handle else { return SetTable.system }
        guard cio_is_declared_set(handle) else { throw .noSet(handle) }
        return try adopt(handle, as: CIO_SET_LIVE)
    }

    private static func adopt(
        _ handle: SetHandle, as state: cio_set_state
    ) throws(RequestError) -> SetNumber {
        let set = try SetTable.take()
        fill(
            set, as: state, declared: UInt(bitPattern: handle), 0, 0,
            IOASID_SET_TYPE_NULL.rawValue)
        DeclaredSets.insert(set)
        return set
    }

    /// The set of mainline's code: any address is one, for as long as it has ids.
    package static func allocate(
        lending handle: SetHandle?, _ range: IDRange, _ data: UnsafeMutableRawPointer?,
        _ out: CallOut
    ) throws(RequestError) -> ID {
        if let handle, SetTable.find(handle) == nil, !cio_is_declared_set(handle) {
            guard SetTable.prepare() else { throw .memory }
            // A set that is gone is no address of the caller's.
            guard !SetTable.isOfRecords(handle) else { throw .noSet(handle) }
            _ = try adopt(handle, as: CIO_SET_LENT)
        }
        do throws(RequestError) {
            return try allocate(handle, range, data, out)
        } catch {
            if let handle, let set = SetTable.find(handle), set.pointee.isLent,
                set.pointee.count == 0
            {
                releaseEmpty(set)
            }
            throw error
        }
    }

    /// A live set that somebody created: not the system set, and not a declared one.
    static func ownedSet(_ handle: SetHandle?) throws(RequestError) -> SetNumber {
        guard handle != nil, let set = SetTable.find(handle) else { throw .notOwned(handle) }
        let number = SetTable.number(of: set)
        guard SetTable.isOwned(number) else { throw .notOwned(handle) }
        return number
    }

    // MARK: The beginning

    package static func createSet(
        _ token: UnsafeMutableRawPointer?, _ quota: UInt32, _ type: CInt, _ out: CallOut
    ) throws(RequestError) -> SetHandle? {
        try out.beginCreating()
        let type = UInt32(bitPattern: type)
        let isMM = type == IOASID_SET_TYPE_MM.rawValue
        guard isMM || type == IOASID_SET_TYPE_NULL.rawValue else { throw .argument }
        guard !isMM || token != nil else {
            throw RequestError.argument.because("IOASID_SET_TYPE_MM needs a token")
        }
        guard SetTable.prepare() else { throw .memory }
        let address = UInt(bitPattern: token)
        guard token == nil || SetTokens.find(address, type) == nil else {
            throw .hasSet(token, type)
        }
        // The public field is an int.
        guard quota <= UInt32(CInt.max) else { throw .capacity(quota) }
        try Quota.take(quota)
        let set: SetNumber
        do throws(RequestError) {
            set = try SetTable.take()
        } catch {
            Quota.giveBack(quota)
            throw error
        }
        fill(set, address, quota, type)
        if token != nil {
            SetTokens.insert(set)
            if isMM {
                SetTable[set].pointee.isPinned = AddressSpaceHooks.pin(address)
                attachWaiting(set, address)
            }
        }
        SetPopulation.live.increment()
        let new = SetIncarnation(set)
        out.send(Event(IOASID_NOTIFY_SET_ALLOC, set), to: .all)
        // A handler that puts what is not its own may have ended it, and its number be another's.
        guard new.isLive else { throw RequestError.noSet.because("a handler ended the set") }
        return SetTable.handle(set)
    }

    private static func fill(
        _ set: SetNumber, as state: cio_set_state = CIO_SET_LIVE, declared: UInt = 0,
        _ token: UInt, _ quota: UInt32, _ type: UInt32
    ) {
        let record = SetTable[set]
        record.pointee.token.release(token)
        record.pointee.type = type
        record.pointee.setQuota(quota)
        record.pointee.setCount(0)
        record.pointee.isReleased = false
        record.pointee.isEndTold = false
        record.pointee.isPinned = false
        record.pointee.nextEnding = 0
        record.pointee.seen.token = UnsafeMutableRawPointer(bitPattern: token)
        record.pointee.seen.type = CInt(bitPattern: type)
        record.pointee.seen.id = CInt(bitPattern: set.rawValue)
        record.pointee.references.value = 1
        record.pointee.declared.release(declared)
        record.pointee.become(state)
    }

    package static func adjustSet(_ handle: SetHandle?, _ quota: CInt) throws(RequestError) {
        let set = try ownedSet(handle)
        guard quota > 0 else {
            throw RequestError.argument.because("a quota must be positive", set)
        }
        try Quota.adjust(SetTable[set], UInt32(quota))
    }

    // MARK: References

    package static func getSet(_ handle: SetHandle?) throws(RequestError) {
        let record = SetTable[try ownedSet(handle)]
        guard record.pointee.references.value < UInt32(CInt.max) else { throw .overflow }
        record.pointee.references.increment()
    }

    package static func putSet(_ handle: SetHandle?, _ out: CallOut) throws(RequestError) {
        out.beginEnding()
        dropReference(of: try ownedSet(handle), out)
    }

    /// ioasid_set_free(): the creator's reference, if no id is ACTIVE. Ids that are FREE_PENDING
    /// live on with their holders.
    package static func releaseSet(_ handle: SetHandle?, _ out: CallOut) throws(RequestError) {
        out.beginEnding()
        let set = try ownedSet(handle)
        guard !SetTable[set].pointee.isReleased else {
            throw RequestError.noSet.because("the creator's reference is gone already", set)
        }
        guard SetTable[set].pointee.active.first == .invalid else {
            throw RequestError.busy.because(
                "the set has ids", set, available: SetTable[set].pointee.count)
        }
        SetTable[set].pointee.isReleased = true
        dropReference(of: set, out)
    }

    private static func dropReference(of set: SetNumber, _ out: CallOut) {
        SetTable[set].pointee.references.decrement()
        if SetTable[set].pointee.references.value == 0 { end(set, out) }
    }

    // MARK: The end

    package static func freeAll(_ handle: SetHandle?, _ out: CallOut) throws(RequestError) {
        out.beginEnding()
        freeAll(SetIncarnation(SetTable.number(of: try liveSet(handle))), out)
    }

    /// An id that was retired is off the list, whatever handlers do. One that allocates anew must
    /// not keep this going for ever: no more ids are freed than there were.
    private static func freeAll(_ set: SetIncarnation, _ out: CallOut) {
        var left = set.record.pointee.count
        while left != 0, set.isCurrent {
            guard let one = IDTable.incarnation(of: set.record.pointee.active.first) else { return }
            retire(one, out)
            Trace.flush()
            left &-= 1
        }
    }

    private static func end(_ set: SetNumber, _ out: CallOut) {
        let record = SetTable[set]
        record.pointee.become(CIO_SET_DYING)
        if record.pointee.token.value != 0 { SetTokens.remove(set) }
        SetPopulation.live.decrement()
        SetPopulation.gone.increment()
        if out.isTooDeep { Deferred.append(set) } else { finishEnding(set, out) }
    }

    /// Frees what the set has, then its subscribers leave, then SET_FREE is told.
    static func finishEnding(_ set: SetNumber, _ out: CallOut) {
        let record = SetTable[set]
        DyingSets.push(set)
        freeAll(SetIncarnation(set), out)
        // The next set of the mm may be there already, or come with SET_FREE.
        detachSubscribers(set)
        if !record.pointee.isEndTold {
            record.pointee.isEndTold = true
            out.send(Event(IOASID_NOTIFY_SET_FREE, set), to: .all)
        }
        if record.pointee.isPinned {
            record.pointee.isPinned = false
            AddressSpaceHooks.unpin(record.pointee.token.value)
        }
        _ = DyingSets.pop()
        record.pointee.become(CIO_SET_DEAD)
        if record.pointee.count == 0 { release(set) }
    }

    /// Nothing is left of a set that is dying, dead or lent: only the latter two go.
    @inline(never)
    static func releaseEmpty(_ record: SetRef) {
        let set = SetTable.number(of: record)
        if record.pointee.state == CIO_SET_DEAD { release(set) }
        guard record.pointee.isLent else { return }
        DeclaredSets.remove(set)
        detachSubscribers(set)
        SetTable.release(set)
    }

    /// The last id of a dead set is reclaimed: its reservation returns, its number may be reused.
    private static func release(_ set: SetNumber) {
        Quota.giveBack(SetTable[set].pointee.quota)
        SetPopulation.gone.decrement()
        SetTable.release(set)
        if Attention.has(Attention.waiters) { Waiters.wake() }
    }
}

/// Sets whose end is under way, the latest first: a handler may end another set meanwhile.
enum DyingSets {
    /// As a link: the number plus one.
    private static let first = Cell<UInt32>(0)

    static func push(_ set: SetNumber) {
        SetTable[set].pointee.nextEnding = first.value
        first.value = set.rawValue &+ 1
    }

    static func pop() -> SetNumber? {
        let link = first.value
        guard link != 0 else { return nil }
        let set = SetNumber(rawValue: link &- 1)
        first.value = SetTable[set].pointee.nextEnding
        return set
    }

    /// - Returns: the subscription of a block by this mm to a set that is dying, and its list.
    static func subscriber(_ block: Block?, _ mm: UInt) -> (SubscriberRef, SubscriberList)? {
        var found: (SubscriberRef, SubscriberList)?
        func look(at set: SetNumber) {
            let list = Subscribers.of(set)
            if found == nil, let one = Subscribers.find(block, mm, in: list) { found = (one, list) }
        }
        var link = first.value
        while link != 0 {
            let set = SetNumber(rawValue: link &- 1)
            look(at: set)
            link = SetTable[set].pointee.nextEnding
        }
        Deferred.forEachSet { look(at: $0) }
        return found
    }
}
