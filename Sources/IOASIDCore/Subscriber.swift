// SPDX-License-Identifier: MIT
// Who wants to know: a registration of a notifier block, and the sorted list it is on.

import CIOASID
import CIOASIDCore
import CIOASIDRuntime
import IOASIDMemory
import IOASIDRuntime
import Synchronization

package typealias Block = UnsafeMutablePointer<notifier_block>
package typealias SubscriberPointer = UnsafeMutablePointer<Subscriber>

/// One registration. The user's block is not linked into anything, so that it may be freed or
/// reused as soon as it is unregistered.
package struct Subscriber: ~Copyable {
    package var block: Block
    package var call: notifier_fn_t
    package var priority: CInt
    /// Order of registration.
    package var sequence: UInt64
    package var next: SubscriberPointer?
    /// The token of the set it waits for or was attached by; 0 for plain registrations.
    package var mm: UInt
    package var isPinned: Bool

    package static let lastSequence = Cell<UInt64>(0)
    package static let count = Cell<UInt64>(0)

    package static func make(_ block: Block?, mm: UInt = 0) throws(Refusal) -> SubscriberPointer {
        guard let block, let call = block.pointee.notifier_call else { throw .argument }
        guard let new = Memory.allocate(Subscriber.self) else { throw .memory }
        lastSequence.increment()
        count.increment()
        new.initialize(to: Subscriber(
            block: block, call: call, priority: block.pointee.priority,
            sequence: lastSequence.value, next: nil, mm: mm, isPinned: false))
        return new
    }

    package static func destroy(_ subscriber: SubscriberPointer) {
        if subscriber.pointee.isPinned { mmDrop(mmPointer(subscriber.pointee.mm)) }
        count.decrement()
        Memory.free(subscriber)
    }

    /// Is it told before the other one?
    package static func precedes(_ one: SubscriberPointer, _ other: SubscriberPointer) -> Bool {
        one.pointee.priority != other.pointee.priority
            ? one.pointee.priority > other.pointee.priority
            : one.pointee.sequence < other.pointee.sequence
    }
}

package func mmPointer(_ token: UInt) -> UnsafeMutableRawPointer {
    UnsafeMutableRawPointer(bitPattern: token).unsafelyUnwrapped
}

/// A list of subscribers in the order in which they are told. Works on the place where the first
/// one is kept: a field of a set's record, or one of those below.
package typealias SubscriberList = UnsafeMutablePointer<SubscriberPointer?>

package enum Subscribers {
    /// Subscribers to what is sent to all.
    nonisolated(unsafe) private static var global: SubscriberPointer?

    package static var toAll: SubscriberList { stable(&global) }

    @inline(__always)
    package static var hasGlobal: Bool { global != nil }

    package static func of(_ set: UInt32) -> SubscriberList {
        stable(&SetTable[set].pointee.subscribers)
    }

    package static func insert(_ new: SubscriberPointer, into list: SubscriberList) {
        var place = list
        while let other = place.pointee, Subscriber.precedes(other, new) {
            place = nextPlace(other)
        }
        new.pointee.next = place.pointee
        place.pointee = new
    }

    /// Takes a subscriber off its list; deliveries under way go on behind it.
    package static func remove(_ subscriber: SubscriberPointer, from list: SubscriberList) {
        var place = list
        while let other = place.pointee, other != subscriber { place = nextPlace(other) }
        guard place.pointee == subscriber else { return }
        Delivery.skip(subscriber)
        place.pointee = subscriber.pointee.next
        subscriber.pointee.next = nil
    }

    /// - Returns: the registration of a block; only one with this mm token, unless that is nil
    ///   (0 for a plain one).
    package static func find(
        _ block: Block?, _ mm: UInt? = nil, in list: SubscriberList
    ) -> SubscriberPointer? {
        var subscriber = list.pointee
        while let one = subscriber {
            if one.pointee.block == block, mm == nil || one.pointee.mm == mm { return one }
            subscriber = one.pointee.next
        }
        return nil
    }

    private static func nextPlace(_ subscriber: SubscriberPointer) -> SubscriberList {
        stable(&subscriber.pointee.next)
    }
}

/// Those who wait for the set of an mm, in lists by the mm's hash: the creation of a set looks at
/// one of them.
package enum WaitingSubscribers {
    private static var lists: Int { 256 }
    private static let start = Cell<UInt>(0)

    package static var isPrepared: Bool { start.value != 0 }

    /// - Returns: false for want of memory.
    package static func prepare() -> Bool {
        if isPrepared { return true }
        start.value = UInt(bitPattern: Memory.table(lists &* MemoryLayout<SubscriberList>.stride))
        return isPrepared
    }

    package static func list(_ mm: UInt) -> SubscriberList {
        let index = hashAddress(mm) % UInt32(lists)
        return SubscriberList(bitPattern: start.value).unsafelyUnwrapped + Int(index)
    }
}
