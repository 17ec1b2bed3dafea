// SPDX-License-Identifier: MIT
// Coming and going of subscribers.

import CIOASID
import Synchronization

extension Core {
    /// A set's own list, or that of all.
    private static func list(_ handle: SetHandle?) throws(Refusal) -> SubscriberList {
        handle == nil ? Subscribers.toAll : Subscribers.of(try liveSet(handle))
    }

    @discardableResult
    static func subscribe(
        _ handle: SetHandle?, _ block: Block?
    ) throws(Refusal) -> SubscriberPointer {
        let list = try list(handle)
        guard Subscribers.find(block, 0, in: list) == nil else { throw .exists }
        let new = try Subscriber.make(block)
        Subscribers.insert(new, into: list)
        return new
    }

    static func unsubscribe(_ handle: SetHandle?, _ block: Block?) throws(Refusal) {
        let list = try list(handle)
        guard let old = Subscribers.find(block, 0, in: list) else { throw .unknown(ENOENT) }
        Subscribers.remove(old, from: list)
        Subscriber.destroy(old)
    }

    // MARK: The set of an mm, present or to come

    static func subscribe(
        mm: UnsafeMutableRawPointer?, _ block: Block?
    ) throws(Refusal) {
        guard let mm else { throw .argument }
        let token = UInt(bitPattern: mm)
        let set = SetTokens.find(token, IOASID_SET_TYPE_MM.rawValue)
        let list = set.map { Subscribers.of($0) } ?? Subscribers.thatWait
        guard Subscribers.find(block, token, in: list) == nil else { throw .exists }
        if let set, SetTable[set].pointee.count != 0 { throw Refusal(IOASID_REFUSED_BUSY, EBUSY) }
        let new = try Subscriber.make(block, mm: token)
        new.pointee.isPinned = mmGrabIfKnown(mm)
        Subscribers.insert(new, into: list)
    }

    static func unsubscribe(
        mm: UnsafeMutableRawPointer?, _ block: Block?
    ) throws(Refusal) {
        let token = UInt(bitPattern: mm)
        let set = SetTokens.find(token, IOASID_SET_TYPE_MM.rawValue)
        let list = set.map { Subscribers.of($0) } ?? Subscribers.thatWait
        guard token != 0, let old = Subscribers.find(block, token, in: list) else {
            throw .unknown(ENOENT)
        }
        Subscribers.remove(old, from: list)
        Subscriber.destroy(old)
    }

    /// The set of this mm is there: those who waited for it are its subscribers now.
    static func attachWaiting(_ set: UInt32, _ token: UInt) {
        move(from: Subscribers.thatWait, to: Subscribers.of(set), token)
    }

    /// The set is gone: those who came by its mm wait again, the others are forgotten.
    static func detachSubscribers(_ set: UInt32) {
        let list = Subscribers.of(set)
        move(from: list, to: Subscribers.thatWait, SetTable[set].pointee.token.value)
        while let subscriber = list.pointee {
            Subscribers.remove(subscriber, from: list)
            Subscriber.destroy(subscriber)
        }
    }

    private static func move(from: SubscriberList, to: SubscriberList, _ token: UInt) {
        var subscriber = from.pointee
        while let one = subscriber {
            subscriber = one.pointee.next
            guard one.pointee.mm == token, token != 0 else { continue }
            Subscribers.remove(one, from: from)
            Subscribers.insert(one, into: to)
        }
    }

    // MARK: Replay

    /// Subscribes, and tells what exists, in one go: the lock is held from first to last.
    static func subscribeWithReplay(_ handle: SetHandle?, _ block: Block?) throws(Refusal) {
        let new = try subscribe(handle, block)
        let sequence = new.pointee.sequence
        do throws(Refusal) {
            if handle != nil {
                try replay(try liveSet(handle), handle, block, sequence)
            } else {
                var set = SetTable.next(from: SetTable.system)
                while let one = set {
                    try replay(one, handle, block, sequence)
                    set = SetTable.next(from: one &+ 1)
                }
            }
        } catch {
            if registration(handle, block, sequence) != nil { try unsubscribe(handle, block) }
            throw error
        }
    }

    /// Tells one subscriber of the ACTIVE ids of a set. Stops if it leaves.
    private static func replay(
        _ set: UInt32, _ handle: SetHandle?, _ block: Block?, _ sequence: UInt64
    ) throws(Refusal) {
        let ids = try Snapshot(of: set, withPending: false)
        defer { ids.discard() }
        // False if the subscriber has left.
        func tell(_ what: ioasid_notify_val, _ id: UInt32) -> Bool {
            guard let subscriber = registration(handle, block, sequence) else { return false }
            guard let life = IDTable.life(id), life.word.set == set, life.word.isActive,
                what == IOASID_NOTIFY_ALLOC || life.word.isBound
            else { return true }
            _ = Delivery.tell(subscriber, event(what, id, life))
            return true
        }
        for index in 0..<ids.count {
            guard tell(IOASID_NOTIFY_ALLOC, ids[index]), tell(IOASID_NOTIFY_BIND, ids[index])
            else { return }
        }
    }

    /// The same registration, not a later one of the same block.
    private static func registration(
        _ handle: SetHandle?, _ block: Block?, _ sequence: UInt64
    ) -> SubscriberPointer? {
        guard let list = try? list(handle), let one = Subscribers.find(block, 0, in: list),
            one.pointee.sequence == sequence
        else { return nil }
        return one
    }
}
