// SPDX-License-Identifier: MIT
// A delivery under way: what is told to whom next. It never calls anybody; CallOut+Events.swift does.

import CIOASIDCore
import IOASIDMemory
import IOASIDRuntime
import Synchronization

/// Lies on the stack of the thread that does it; all of them have the core lock.
///
/// Deliveries nest when a handler causes an event. So that everybody is told of events in the order
/// in which they happened, an operation that may cause one flushes first: those who have not yet
/// been told of the event whose handler this is are told before it. So only the innermost delivery
/// can have anybody left, because the others were flushed when it began:
///
///     event 1:  A  B  C        A is told of 1; A frees an id
///               |              flush: B and C are told of 1 ...
///     event 2:  +-> A  B  C    ... and then all of 2
struct Delivery {
    /// What is told; of a replay, what it came to last.
    private(set) var event: Event
    /// What a late subscriber has missed, an event at a time; nil if one event is all.
    private let replay: UnsafeMutablePointer<Replay>?
    /// Who is next on each chain; kept current by `skip` when subscribers leave. A replay goes to
    /// `local` alone, who stays.
    private var global: SubscriberRef?
    private var local: SubscriberRef?
    /// Who came later than the event is not told.
    private let limit: UInt64
    let outer: UnsafeMutablePointer<Delivery>?
    /// What the handler that stopped it returned.
    var result = NOTIFY_DONE
    /// A replay's rest is being told.
    private var isFlushing = false

    /// How often a handler was called.
    static let calls = Cell<UInt64>(0)

    nonisolated(unsafe) static var innermost: UnsafeMutablePointer<Delivery>?

    /// To the chains of all and of a set that begin with these; either may be empty.
    @inline(__always)
    init(
        _ event: Event, _ global: SubscriberRef?, _ local: SubscriberRef?,
        _ replay: UnsafeMutablePointer<Replay>?
    ) {
        self.event = event
        self.replay = replay
        self.global = global
        self.local = local
        limit = Subscriber.lastSequence.value
        outer = Delivery.innermost
    }

    /// - Returns: who is to be told of `event` next; nil when all are told.
    @inline(__always)
    mutating func next() -> SubscriberRef? {
        if _slowPath(replay != nil) { return nextOfReplay() }
        while let subscriber = advance() {
            guard subscriber.pointee.sequence <= limit else { continue }
            if _fastPath(outer == nil) || !isToldByReplay(subscriber) { return subscriber }
        }
        return nil
    }

    @inline(never)
    private mutating func nextOfReplay() -> SubscriberRef? {
        guard let local, let next = replay?.pointee.next() else { return nil }
        event = next
        return local
    }

    /// A handler wants no others told.
    /// - Returns: whether that is so.
    mutating func stop() -> Bool {
        guard replay == nil, !event.isUnstoppable else { return false }
        global = nil
        local = nil
        return true
    }

    /// Can the rest be told by a flush? The handler that is told the rest of its replay that way
    /// does not begin with it again: that would nest once for each id.
    mutating func beginFlush() -> Bool {
        guard replay != nil else { return true }
        defer { isFlushing = true }
        return !isFlushing
    }

    /// A subscriber leaves its list: nobody may come to it any more.
    static func skip(_ subscriber: SubscriberRef) {
        var delivery = innermost
        while let one = delivery {
            one.pointee.skip(subscriber)
            delivery = one.pointee.outer
        }
    }

    private mutating func skip(_ subscriber: SubscriberRef) {
        if global == subscriber { global = subscriber.pointee.next }
        guard local == subscriber else { return }
        local = replay == nil ? subscriber.pointee.next : nil
    }

    /// In the child of fork(), where who does this is not there: nobody else is told.
    /// - Returns: the id whose own reference was to be dropped afterwards.
    func abandon() -> Incarnation? {
        if let replay {
            replay.deinitialize(count: 1)
            return nil
        }
        guard event.what == IOASID_NOTIFY_FREE, let one = IDTable.incarnation(of: event.id),
            one.word.isSameLife(as: event.word)
        else { return nil }
        return one
    }

    /// Both chains merged by priority.
    @inline(__always)
    private mutating func advance() -> SubscriberRef? {
        if let first = global, local.map({ first.pointee.precedes($0) }) ?? true {
            global = first.pointee.next
            return first
        }
        let first = local
        local = first?.pointee.next
        return first
    }

    /// Has the subscriber a replay under way that will tell of it?
    @inline(never)
    private func isToldByReplay(_ subscriber: SubscriberRef) -> Bool {
        var delivery = outer
        while let one = delivery {
            if let replay = one.pointee.replay, one.pointee.local == subscriber {
                return replay.pointee.willTell(event)
            }
            delivery = one.pointee.outer
        }
        return false
    }
}
