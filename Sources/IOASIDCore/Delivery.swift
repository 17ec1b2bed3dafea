// SPDX-License-Identifier: MIT
// Telling an event to its subscribers: both lists merged by priority, whatever handlers do meanwhile.

import CIOASID
import CIOASIDCore
import CIOASIDRuntime
import IOASIDMemory
import IOASIDRuntime
import Synchronization

/// What is told. The arguments are taken when it happens, and made anew for each handler.
package struct Event {
    package let what: ioasid_notify_val
    package let id: UInt32
    package let spid: UInt32
    package let set: UInt32
    package let data: UnsafeMutableRawPointer?

    /// A handler's NOTIFY_STOP ends the delivery of the others; these everybody must hear.
    package var isUnstoppable: Bool {
        what == IOASID_NOTIFY_FREE || what == IOASID_NOTIFY_UNBIND
            || what == IOASID_NOTIFY_SET_FREE
    }
}

package struct Audience: OptionSet {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }
    package static var all: Audience { Audience(rawValue: 1) }
    package static var set: Audience { Audience(rawValue: 2) }
}

/// A delivery under way, on the stack of the thread that does it; all of them have the core lock.
///
/// Deliveries nest when a handler causes an event. So that everybody hears events in the order in
/// which they happened, an operation that may cause one begins with `settle`: those who have not
/// yet heard of the event whose handler this is are told first. Only the innermost delivery can
/// have such a rest, because the others settled when it began.
package struct Delivery {
    /// What is told: one event, or what a late subscriber has missed.
    private let event: Event
    private let replay: UnsafeMutablePointer<Replay>?
    /// Who is next on each list. Kept current by `skip` when subscribers leave.
    private var global: SubscriberPointer?
    private var local: SubscriberPointer?
    /// Who came later than the event is not told.
    private let limit: UInt64
    /// What the handler that stopped it returned.
    private var result: CInt
    private let outer: UnsafeMutablePointer<Delivery>?
    private var isSettling = false

    nonisolated(unsafe) private static var innermost: UnsafeMutablePointer<Delivery>?
    private static let depth = Cell<UInt32>(0)
    package static let calls = Cell<UInt64>(0)

    private init(
        _ event: Event, _ replay: UnsafeMutablePointer<Replay>?, _ global: SubscriberPointer?,
        _ local: SubscriberPointer?
    ) {
        self.event = event
        self.replay = replay
        self.global = global
        self.local = local
        limit = Subscriber.lastSequence.value
        result = NOTIFY_DONE
        outer = Delivery.innermost
    }

    @inline(__always)
    package static func hasAudience(_ set: UInt32) -> Bool {
        Subscribers.hasGlobal || SetTable[set].pointee.subscribers != nil
    }

    /// - Returns: what the handler that stopped it returned, NOTIFY_DONE if none did.
    @discardableResult
    package static func send(_ event: Event, to audience: Audience) -> CInt {
        let global = audience.contains(.all) ? Subscribers.toAll.pointee : nil
        let local = audience.contains(.set) ? Subscribers.of(event.set).pointee : nil
        guard global != nil || local != nil else { return NOTIFY_DONE }
        return Delivery(event, nil, global, local).perform()
    }

    /// Tells one subscriber what it has missed, unless it leaves.
    package static func send(_ replay: UnsafeMutablePointer<Replay>, to subscriber: SubscriberPointer) {
        _ = Delivery(Replay.nothing, replay, nil, subscriber).perform()
    }

    /// Called in a handler: tells the others of its event before the handler causes another one.
    @inline(__always)
    package static func settle() {
        if let innermost { settle(innermost) }
    }

    @inline(never)
    private static func settle(_ current: UnsafeMutablePointer<Delivery>) {
        guard current.pointee.replay != nil else { return run(current) }
        // The handler that is told the rest of its replay here does not begin with it again: that
        // would nest once for each id.
        guard !current.pointee.isSettling else { return }
        current.pointee.isSettling = true
        run(current)
    }

    /// Handlers that cause an event of their own kind for ever would take the host's stack. What
    /// ends something is never refused.
    package static func checkDepth() throws(Refusal) {
        guard depth.value < 64 else { throw Refusal(IOASID_REFUSED_BUSY, EBUSY) }
    }

    /// A subscriber leaves its list: nobody may come to it any more.
    package static func skip(_ subscriber: SubscriberPointer) {
        var delivery = innermost
        while let one = delivery {
            let isReplay = one.pointee.replay != nil
            if one.pointee.global == subscriber { one.pointee.global = subscriber.pointee.next }
            if one.pointee.local == subscriber {
                one.pointee.local = isReplay ? nil : subscriber.pointee.next
            }
            delivery = one.pointee.outer
        }
    }

    // MARK: The walk

    private consuming func perform() -> CInt {
        withUnsafeMutablePointer(to: &self) { current in
            Delivery.innermost = current
            Delivery.depth.increment()
            Delivery.run(current)
            Delivery.depth.decrement()
            Delivery.innermost = current.pointee.outer
            return current.pointee.result
        }
    }

    /// Tells everybody who is left. A handler that settles comes back here: then the rest of the
    /// walk is its own, and the outer loop finds nobody.
    private static func run(_ current: UnsafeMutablePointer<Delivery>) {
        while let (subscriber, event) = next(current) {
            let result = tell(subscriber, event)
            guard result & NOTIFY_STOP_MASK != 0, current.pointee.replay == nil else { continue }
            if event.isUnstoppable {
                Log.warn("a handler cannot stop FREE, UNBIND or SET_FREE", event.id)
            } else {
                current.pointee.result = result
                current.pointee.global = nil
                current.pointee.local = nil
            }
        }
    }

    /// It may be gone when its handler returns.
    private static func tell(_ subscriber: SubscriberPointer, _ event: Event) -> CInt {
        var arguments = ioasid_nb_args(
            id: event.id, spid: event.spid, set: SetTable.handle(event.set), pdata: event.data)
        let block = subscriber.pointee.block
        calls.increment()
        Trace.event(event, subscriber)
        return subscriber.pointee.call(block, UInt(event.what.rawValue), &arguments)
    }

    private static func next(
        _ current: UnsafeMutablePointer<Delivery>
    ) -> (SubscriberPointer, Event)? {
        if let replay = current.pointee.replay {
            guard let subscriber = current.pointee.local, let event = replay.pointee.next() else {
                return nil
            }
            return (subscriber, event)
        }
        while let subscriber = advance(current) {
            let event = current.pointee.event
            if subscriber.pointee.sequence <= current.pointee.limit,
                !willHear(subscriber, of: event.id, from: current.pointee.outer)
            {
                return (subscriber, event)
            }
        }
        return nil
    }

    /// Has the subscriber a replay under way that has not come to this id?
    private static func willHear(
        _ subscriber: SubscriberPointer, of id: UInt32,
        from outer: UnsafeMutablePointer<Delivery>?
    ) -> Bool {
        var delivery = outer
        while let one = delivery {
            if let replay = one.pointee.replay, one.pointee.local == subscriber {
                return replay.pointee.isAhead(id)
            }
            delivery = one.pointee.outer
        }
        return false
    }

    private static func advance(_ current: UnsafeMutablePointer<Delivery>) -> SubscriberPointer? {
        let local = current.pointee.local
        if let global = current.pointee.global,
            local.map({ Subscriber.precedes(global, $0) }) ?? true
        {
            current.pointee.global = global.pointee.next
            return global
        }
        current.pointee.local = local?.pointee.next
        return local
    }
}
