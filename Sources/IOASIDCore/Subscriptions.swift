// SPDX-License-Identifier: MIT
// Coming and going of subscribers.

import CIOASID
import CIOASIDCore
import CIOASIDRuntime
import IOASIDMemory
import IOASIDRuntime
import Synchronization

extension Core {
    /// A set's own list, or that of all.
    private static func list(_ handle: SetHandle?) throws(Refusal) -> SubscriberList {
        handle == nil ? Subscribers.toAll : Subscribers.of(try liveSet(handle))
    }

    @discardableResult
    package static func subscribe(
        _ handle: SetHandle?, _ block: Block?
    ) throws(Refusal) -> SubscriberPointer {
        let list = try list(handle)
        guard Subscribers.find(block, in: list) == nil else { throw .exists }
        let new = try Subscriber.make(block)
        Subscribers.insert(new, into: list)
        return new
    }

    package static func unsubscribe(_ handle: SetHandle?, _ block: Block?) throws(Refusal) {
        var list = Subscribers.toAll
        if handle != nil {
            guard let set = SetTable.findListed(handle) else { throw .noSet }
            list = Subscribers.of(set)
        }
        guard let old = Subscribers.find(block, 0, in: list) else { throw .unknown(ENOENT) }
        Subscribers.remove(old, from: list)
        Subscriber.destroy(old)
    }

    // MARK: The set of an mm, present or to come

    package static func subscribe(mm: UnsafeMutableRawPointer?, _ block: Block?) throws(Refusal) {
        guard let mm else { throw .argument }
        guard WaitingSubscribers.prepare() else { throw .memory }
        let token = UInt(bitPattern: mm)
        let set = SetTokens.find(token, IOASID_SET_TYPE_MM.rawValue)
        let list = list(mm: token)
        guard SetTable.dying.subscriber(block, token) == nil else { throw .exists }
        // Others of the waiting list wait for other mms; on the set's own, any way in counts.
        guard Subscribers.find(block, set == nil ? token : nil, in: list) == nil else {
            throw .exists
        }
        if let set, SetTable[set].pointee.count != 0 { throw Refusal(IOASID_REFUSED_BUSY, EBUSY) }
        let new = try Subscriber.make(block, mm: token)
        new.pointee.isPinned = mmGrabIfKnown(mm)
        Subscribers.insert(new, into: list)
    }

    package static func unsubscribe(mm: UnsafeMutableRawPointer?, _ block: Block?) throws(Refusal) {
        guard let mm, WaitingSubscribers.isPrepared else { throw .unknown(ENOENT) }
        let token = UInt(bitPattern: mm)
        var list = list(mm: token)
        var found = Subscribers.find(block, token, in: list)
        if found == nil, let (one, its) = SetTable.dying.subscriber(block, token) {
            (found, list) = (one, its)
        }
        guard let old = found else { throw .unknown(ENOENT) }
        Subscribers.remove(old, from: list)
        Subscriber.destroy(old)
    }

    /// Where who subscribes by this mm goes: to its set, or to wait for it.
    private static func list(mm token: UInt) -> SubscriberList {
        let set = SetTokens.find(token, IOASID_SET_TYPE_MM.rawValue)
        return set.map { Subscribers.of($0) } ?? WaitingSubscribers.list(token)
    }

    /// The set of this mm is there: those who waited for it are its subscribers now.
    package static func attachWaiting(_ set: UInt32, _ token: UInt) {
        guard WaitingSubscribers.isPrepared else { return }
        move(from: WaitingSubscribers.list(token), to: Subscribers.of(set), token)
    }

    /// The set is gone: those who came by its mm wait for the next one, or go to it if it is there
    /// already. The others are forgotten.
    package static func detachSubscribers(_ set: UInt32) {
        let list = Subscribers.of(set)
        let token = SetTable[set].pointee.token.value
        if WaitingSubscribers.isPrepared {
            move(from: list, to: self.list(mm: token), token)
        }
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
}
