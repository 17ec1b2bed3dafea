// SPDX-License-Identifier: MIT
// Who wants to know: registrations of notifier blocks, and the lists they are on.

import CIOASIDCore
import IOASIDMemory
import IOASIDRuntime
import Synchronization

package typealias Block = UnsafeMutablePointer<notifier_block>
/// A subscriber's function.
typealias Handler =
    @convention(c) (
        UnsafeMutablePointer<notifier_block>?, UInt, UnsafeMutableRawPointer?
    ) -> CInt

typealias SubscriberRef = Ref<Subscriber>
/// A list by its place: a field of a set's record, or one of those below.
typealias SubscriberList = Ref<List<Subscriber>>

/// One registration. The user's block is not linked into anything, so that it may be freed or
/// reused as soon as it is unregistered.
struct Subscriber: ~Copyable, Listed {
    var next: SubscriberRef?
    let block: Block
    let call: Handler
    let priority: CInt
    /// Order of registration.
    let sequence: UInt64
    /// The token of the set it waits for or was attached by; 0 for plain registrations.
    let mm: UInt
    let isPinned: Bool

    static let lastSequence = Cell<UInt64>(0)
    static let count = Cell<UInt64>(0)

    /// - Parameter mm: of whose set; pinned if it is one of ours.
    static func make(_ block: Block?, mm: UInt = 0) throws(RequestError) -> SubscriberRef {
        guard let block, let call = block.pointee.notifier_call else { throw .argument }
        let isPinned = AddressSpaceHooks.pin(mm)
        guard
            let new = Memory.make(
                Subscriber(
                    next: nil, block: block, call: call, priority: block.pointee.priority,
                    sequence: lastSequence.value &+ 1, mm: mm, isPinned: isPinned))
        else {
            if isPinned { AddressSpaceHooks.unpin(mm) }
            throw .memory
        }
        lastSequence.increment()
        count.increment()
        return new
    }

    static func destroy(_ subscriber: SubscriberRef) {
        if subscriber.pointee.isPinned { AddressSpaceHooks.unpin(subscriber.pointee.mm) }
        count.decrement()
        Memory.free(subscriber)
    }

    /// Its function's address, for people.
    var function: UnsafeRawPointer? {
        UnsafeRawPointer(bitPattern: unsafeBitCast(call, to: UInt.self))
    }

    /// Is it told before the other one?
    func precedes(_ other: SubscriberRef) -> Bool {
        priority != other.pointee.priority
            ? priority > other.pointee.priority : sequence < other.pointee.sequence
    }
}

enum Subscribers {
    nonisolated(unsafe) private static var global = List<Subscriber>()

    /// Subscribers to what is sent to all.
    static var toAll: SubscriberList { Ref(stable(&global)) }

    nonisolated(unsafe) private static var reclaims = List<Subscriber>()

    /// Subscribers to RECLAIM.
    static var toReclaim: SubscriberList { Ref(stable(&reclaims)) }

    static func of(_ set: SetNumber) -> SubscriberList {
        Ref(stable(&SetTable[set].pointer.pointee.subscribers))
    }

    /// Puts a subscriber where it is told in the order of priorities.
    static func insert(_ new: SubscriberRef, into list: SubscriberList) {
        list.pointee.insert(new) { new.pointee.precedes($0) }
        note()
    }

    /// Takes a subscriber off its list; deliveries under way go on behind it.
    static func remove(_ subscriber: SubscriberRef, from list: SubscriberList) {
        Delivery.skip(subscriber)
        list.pointee.remove(subscriber)
        note()
    }

    @inline(never)
    static func dismissAll(from list: SubscriberList) {
        while let subscriber = list.pointee.first {
            remove(subscriber, from: list)
            Subscriber.destroy(subscriber)
        }
    }

    /// Of every list there is.
    static func dismissAll() {
        dismissAll(from: toAll)
        dismissAll(from: toReclaim)
        SetTable.forEach { dismissAll(from: of($0)) }
        WaitingSubscribers.forEachList { dismissAll(from: $0) }
    }

    private static func note() {
        Attention.set(Attention.subscribers, !global.isEmpty)
        Attention.set(Attention.reclaims, !reclaims.isEmpty)
    }

    /// - Returns: the registration of a block; only one with this mm token, unless that is nil
    ///   (0 for a plain one).
    static func find(_ block: Block?, _ mm: UInt? = nil, in list: SubscriberList) -> SubscriberRef?
    {
        list.pointee.find { $0.pointee.block == block && (mm == nil || $0.pointee.mm == mm) }
    }
}

/// Those who wait for the set of an mm, in lists by the mm's hash: the creation of a set looks at
/// one of them.
enum WaitingSubscribers {
    private static var lists: Int { 256 }
    private static let start = Cell<UInt>(0)

    static var isPrepared: Bool { start.value != 0 }

    /// - Returns: false for want of memory.
    static func prepare() -> Bool {
        if isPrepared { return true }
        start.value = UInt(bitPattern: Memory.table(lists &* MemoryLayout<List<Subscriber>>.stride))
        return isPrepared
    }

    static func list(_ mm: UInt) -> SubscriberList {
        list(at: UInt(hashAddress(mm)) % UInt(bitPattern: lists))
    }

    static func forEachList(_ body: (SubscriberList) -> Void) {
        guard isPrepared else { return }
        for index in 0..<UInt(bitPattern: lists) { body(list(at: index)) }
    }

    private static func list(at index: UInt) -> SubscriberList {
        Ref(at: start.value &+ index &* UInt(MemoryLayout<List<Subscriber>>.stride))
    }
}
