// SPDX-License-Identifier: MIT
// Coming and going of subscribers.

import CIOASIDCore
import IOASIDMemory
import IOASIDRuntime
import Synchronization

extension Core {
    /// To one set, or to what is sent to all.
    package static func subscribe(_ handle: SetHandle?, _ block: Block?) throws(RequestError) {
        _ = try makeSubscriber(handle, block)
    }

    private static func makeSubscriber(
        _ handle: SetHandle?, _ block: Block?
    ) throws(RequestError) -> SubscriberRef {
        let list =
            handle == nil
            ? Subscribers.toAll : Subscribers.of(SetTable.number(of: try liveSet(handle)))
        return try makeSubscriber(block, of: list)
    }

    private static func makeSubscriber(
        _ block: Block?, of list: SubscriberList
    ) throws(RequestError) -> SubscriberRef {
        guard Subscribers.find(block, in: list) == nil else { throw .subscribed(block) }
        let new = try Subscriber.make(block)
        Subscribers.insert(new, into: list)
        return new
    }

    private static func end(
        _ subscriber: SubscriberRef?, by block: Block?, of list: SubscriberList
    ) throws(RequestError) {
        guard let subscriber else { throw .notSubscribed(block) }
        Subscribers.remove(subscriber, from: list)
        Subscriber.destroy(subscriber)
    }

    /// Subscribes, and tells what exists, in one go: the lock is held from first to last.
    package static func subscribeWithReplay(
        _ handle: SetHandle?, _ block: Block?, _ out: CallOut
    ) throws(RequestError) {
        try out.beginCreating()
        guard SetTable.prepare() else { throw .memory }
        var replay = try Replay(of: handle == nil ? nil : SetTable.number(of: try liveSet(handle)))
        let new = try makeSubscriber(handle, block)
        withUnsafeMutablePointer(to: &replay) { out.send($0, to: new) }
    }

    package static func unsubscribe(_ handle: SetHandle?, _ block: Block?) throws(RequestError) {
        var list = Subscribers.toAll
        if let handle {
            guard let set = SetTable.findListed(handle) else { throw .noSet(handle) }
            list = Subscribers.of(set)
        }
        try end(Subscribers.find(block, 0, in: list), by: block, of: list)
    }

    // MARK: RECLAIM

    package static func subscribeToReclaims(_ block: Block?) throws(RequestError) {
        _ = try makeSubscriber(block, of: Subscribers.toReclaim)
    }

    package static func unsubscribeFromReclaims(_ block: Block?) throws(RequestError) {
        let list = Subscribers.toReclaim
        try end(Subscribers.find(block, 0, in: list), by: block, of: list)
    }

    // MARK: The set of an mm, present or to come

    package static func subscribe(
        mm: UnsafeMutableRawPointer?, _ block: Block?
    ) throws(RequestError) {
        guard let mm else { throw .argument }
        guard WaitingSubscribers.prepare() else { throw .memory }
        let token = UInt(bitPattern: mm)
        let set = SetTokens.find(mm: token)
        let list = list(mm: token)
        guard DyingSets.subscriber(block, token) == nil else { throw .subscribed(block) }
        // Others of the waiting list wait for other mms; on the set's own, any way in counts.
        guard Subscribers.find(block, set == nil ? token : nil, in: list) == nil else {
            throw .subscribed(block)
        }
        if let set, SetTable[set].pointee.count != 0 {
            throw RequestError.busy.because(
                "the set has ids, whose events would be lost", set,
                available: SetTable[set].pointee.count)
        }
        Subscribers.insert(try Subscriber.make(block, mm: token), into: list)
    }

    package static func unsubscribe(
        mm: UnsafeMutableRawPointer?, _ block: Block?
    ) throws(RequestError) {
        guard let mm, WaitingSubscribers.isPrepared else { throw .notSubscribed(block) }
        let token = UInt(bitPattern: mm)
        var list = list(mm: token)
        var found = Subscribers.find(block, token, in: list)
        if found == nil, let (one, its) = DyingSets.subscriber(block, token) {
            (found, list) = (one, its)
        }
        try end(found, by: block, of: list)
    }

    /// Where who subscribes by this mm goes: to its set, or to wait for it.
    private static func list(mm token: UInt) -> SubscriberList {
        SetTokens.find(mm: token).map { Subscribers.of($0) } ?? WaitingSubscribers.list(token)
    }

    /// The set of this mm is there: those who waited for it are its subscribers now.
    static func attachWaiting(_ set: SetNumber, _ token: UInt) {
        guard WaitingSubscribers.isPrepared else { return }
        move(from: WaitingSubscribers.list(token), to: Subscribers.of(set), token)
    }

    /// The set is gone: those who came by its mm wait for the next one, or go to it if it is there
    /// already. The others are forgotten.
    static func detachSubscribers(_ set: SetNumber) {
        let list = Subscribers.of(set)
        let token = SetTable[set].pointee.token.value
        if WaitingSubscribers.isPrepared {
            move(from: list, to: self.list(mm: token), token)
        }
        if !list.pointee.isEmpty { Subscribers.dismissAll(from: list) }
    }

    private static func move(from: SubscriberList, to: SubscriberList, _ token: UInt) {
        guard token != 0 else { return }
        from.pointee.forEach {
            guard $0.pointee.mm == token else { return }
            Subscribers.remove($0, from: from)
            Subscribers.insert($0, into: to)
        }
    }
}
