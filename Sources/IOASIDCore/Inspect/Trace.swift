// SPDX-License-Identifier: MIT
// The trace: a line for each event delivered and each change of a reference, while somebody reads it.

import CIOASIDCore
import IOASIDMemory
import IOASIDRuntime

/// trace.c has the file and writes the lines.
package enum Trace {
    /// A trace, a history, or ThreadSanitizer, which is told who comes after whom (order.h).
    @inline(__always)
    static var isOn: Bool { cio_trace_is_on() }

    /// A trace or a history.
    private static var isKept: Bool { cio_trace_is_kept() }

    static var isOrderWatched: Bool { cio_order_is_watched() }

    /// Once, before anything else.
    static func begin() {
        guard isOrderWatched else { return }
        cio_watch(UInt8(CIO_WATCH_ORDER), true)
        note()
    }

    /// What the caller did until now comes before what others do with this id.
    @inline(never)
    static func comeBefore(_ ref: IDRef) { cio_come_before(ref.slot.pointer) }

    /// What others did until they made the id, or put it, comes before what the caller does now.
    @inline(never)
    static func comeAfter(_ ref: IDRef) { cio_come_after(ref.slot.pointer) }

    static func note() { Attention.set(Attention.trace, isOn) }

    package static func start(_ out: UnsafeMutablePointer<FILE>?) throws(RequestError) {
        guard let out else { throw .argument }
        try CoreLock.withLock { () throws(RequestError) in
            guard cio_trace_start(out) == 0 else {
                throw RequestError.busy.because("a trace is being written")
            }
            note()
        }
    }

    package static func stop() {
        CoreLock.withLock {
            cio_trace_stop()
            note()
        }
    }

    /// To be called where what the lock guards is consistent: the stream may call the library.
    @inline(__always)
    static func flush() {
        if isOn { cio_trace_flush() }
    }

    /// Something happened, whether anybody is told of it or not.
    @inline(__always)
    static func change(_ event: Event) {
        if isOn { changed(event) }
    }

    @inline(never)
    private static func changed(_ event: Event) {
        guard isKept else { return }
        if event.what == IOASID_NOTIFY_ALLOC {
            cio_history_alloc(event.id.rawValue, event.word.generation)
        } else if event.what == IOASID_NOTIFY_FREE {
            cio_history_free(event.id.rawValue, event.word.generation)
        }
        write(event, nil)
    }

    /// A subscriber is about to be told.
    @inline(__always)
    static func event(_ event: Event, _ subscriber: SubscriberRef) {
        if isOn { told(event, subscriber) }
    }

    @inline(never)
    private static func told(_ event: Event, _ subscriber: SubscriberRef) {
        guard isKept else { return }
        write(event, subscriber)
    }

    private static func write(_ event: Event, _ subscriber: SubscriberRef?) {
        var entry = cio_trace_entry(
            what: cio_event_name(event.what), id: event.id.rawValue, spid: event.spid.rawValue,
            set: event.set.rawValue, references: references(event.id), priority: 0,
            subscriber: nil, function: nil)
        if let subscriber {
            entry.priority = subscriber.pointee.priority
            entry.subscriber = UnsafeRawPointer(subscriber.pointee.block)
            entry.function = subscriber.pointee.function
        }
        cio_trace(&entry)
    }

    /// A reference was taken or dropped.
    @inline(never)
    static func reference(_ one: Incarnation, _ word: SlotWord, _ what: StaticString) {
        guard isOn else { return }
        comeAfter(one.ref)
        guard isKept else { return }
        write(
            what, one, one.ref.links.pointee.spid, UInt32(truncatingIfNeeded: word.references))
        // After the line, which has the tag.
        if cio_history_is_on() {
            cio_history_reference(
                what.utf8Start[0] == UInt8(ascii: "g"), one.id.rawValue, word.generation)
        }
    }

    private static func write(
        _ what: StaticString, _ one: Incarnation, _ spid: SPID, _ references: UInt32
    ) {
        var entry = cio_trace_entry(
            what: what.cString, id: one.id.rawValue, spid: spid.rawValue,
            set: one.word.set.rawValue, references: references, priority: 0, subscriber: nil,
            function: nil)
        cio_trace(&entry)
    }

    @inline(never)
    static func reclaim(_ one: Incarnation) {
        guard isOn else { return }
        comeAfter(one.ref)
        guard isKept else { return }
        cio_history_reclaim(one.id.rawValue, one.word.generation)
        write("reclaim", one, .none, 0)
    }

    private static func references(_ id: ID) -> UInt32 {
        UInt32(truncatingIfNeeded: IDTable.incarnation(of: id)?.word.references ?? 0)
    }
}

@_cdecl("cio_set_name") @implementation
public func cio_set_name(_ set: UInt32) -> UnsafePointer<CChar>? {
    UnsafePointer(SetNames.name(SetNumber(rawValue: set)))
}
