// SPDX-License-Identifier: MIT
// Telling an event to its subscribers: both lists merged by priority, whatever handlers do meanwhile.

import CIOASID
import Synchronization

/// What is told. The arguments are taken when it happens, and made anew for each handler.
struct Event {
    let what: ioasid_notify_val
    let id: UInt32
    let spid: UInt32
    let set: UInt32
    let data: UnsafeMutableRawPointer?

    /// A handler's NOTIFY_STOP ends the delivery of the others; these everybody must hear.
    var isUnstoppable: Bool {
        what == IOASID_NOTIFY_FREE || what == IOASID_NOTIFY_UNBIND
            || what == IOASID_NOTIFY_SET_FREE
    }
}

struct Audience: OptionSet {
    let rawValue: UInt32
    static var all: Audience { Audience(rawValue: 1) }
    static var set: Audience { Audience(rawValue: 2) }
}

/// A delivery under way, on the stack of the thread that does it. Deliveries nest when a handler
/// causes an event; all of them have the core lock.
struct Delivery {
    /// Who is next on each list. Kept current by `skip` when subscribers leave.
    private var global: SubscriberPointer?
    private var local: SubscriberPointer?
    /// Who came later than the event is not told.
    private let limit: UInt64
    private var outer: UnsafeMutablePointer<Delivery>?

    nonisolated(unsafe) private static var innermost: UnsafeMutablePointer<Delivery>?
    private static let depth = Cell<UInt32>(0)
    static let calls = Cell<UInt64>(0)

    /// Handlers that allocate from within ALLOC for ever would take the host's stack.
    static var isTooDeep: Bool { depth.value >= 64 }

    @inline(__always)
    static func hasAudience(_ set: UInt32) -> Bool {
        Subscribers.hasGlobal || SetTable[set].pointee.subscribers != nil
    }

    /// - Returns: what the last handler returned, NOTIFY_DONE if there was none.
    @discardableResult
    static func send(_ event: Event, to audience: Audience) -> CInt {
        let global = audience.contains(.all) ? Subscribers.toAll.pointee : nil
        let local = audience.contains(.set) ? Subscribers.of(event.set).pointee : nil
        guard global != nil || local != nil else { return NOTIFY_DONE }
        var delivery = Delivery(
            global: global, local: local, limit: Subscriber.lastSequence.value, outer: innermost)
        return withUnsafeMutablePointer(to: &delivery) { current in
            innermost = current
            depth.increment()
            defer {
                depth.decrement()
                innermost = current.pointee.outer
            }
            return run(current, event)
        }
    }

    private static func run(_ current: UnsafeMutablePointer<Delivery>, _ event: Event) -> CInt {
        var result = NOTIFY_DONE
        while let subscriber = next(current) {
            result = tell(subscriber, event)
            guard result & NOTIFY_STOP_MASK != 0 else { continue }
            guard event.isUnstoppable else { break }
            Log.warn("a handler cannot stop FREE, UNBIND or SET_FREE", event.id)
        }
        return result
    }

    /// Tells one subscriber. It may be gone when its handler returns.
    static func tell(_ subscriber: SubscriberPointer, _ event: Event) -> CInt {
        var arguments = ioasid_nb_args(
            id: event.id, spid: event.spid, set: SetTable.handle(event.set), pdata: event.data)
        let block = subscriber.pointee.block
        calls.increment()
        Trace.event(event, subscriber)
        return subscriber.pointee.call(block, UInt(event.what.rawValue), &arguments)
    }

    private static func next(_ current: UnsafeMutablePointer<Delivery>) -> SubscriberPointer? {
        while true {
            let global = current.pointee.global
            let local = current.pointee.local
            let first: SubscriberPointer
            if let global, local.map({ Subscriber.precedes(global, $0) }) ?? true {
                current.pointee.global = global.pointee.next
                first = global
            } else if let local {
                current.pointee.local = local.pointee.next
                first = local
            } else {
                return nil
            }
            if first.pointee.sequence <= current.pointee.limit { return first }
        }
    }

    /// A subscriber leaves its list: nobody may come to it any more.
    static func skip(_ subscriber: SubscriberPointer) {
        var delivery = innermost
        while let one = delivery {
            if one.pointee.global == subscriber { one.pointee.global = subscriber.pointee.next }
            if one.pointee.local == subscriber { one.pointee.local = subscriber.pointee.next }
            delivery = one.pointee.outer
        }
    }
}
