// SPDX-License-Identifier: MIT
// The trace: a line for each event delivered and each change of a reference, while somebody reads it.

import CIOASIDCore
import IOASIDMemory
import IOASIDRuntime

/// trace.c has the file and writes the lines.
package enum Trace {
    /// A trace or a history.
    @inline(__always)
    static var isOn: Bool { cio_trace_is_on() }

    static func note() { Attention.set(Attention.trace, isOn) }

    /// - Returns: 0 or -errno.
    package static func start(_ out: UnsafeMutablePointer<FILE>) -> CInt {
        CoreLock.withLock {
            let status = cio_trace_start(out)
            note()
            return status
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
        if event.what == IOASID_NOTIFY_ALLOC {
            cio_history_alloc(event.id.rawValue, event.word.generation)
        } else if event.what == IOASID_NOTIFY_FREE {
            cio_history_free(event.id.rawValue, event.word.generation)
        }
        cio_trace_event(
            event.what, event.id.rawValue, event.spid.rawValue, event.set.rawValue,
            references(event.id), nil, 0)
    }

    /// A subscriber is about to be told.
    @inline(__always)
    static func event(_ event: Event, _ subscriber: SubscriberRef) {
        if isOn { told(event, subscriber) }
    }

    @inline(never)
    private static func told(_ event: Event, _ subscriber: SubscriberRef) {
        cio_trace_event(
            event.what, event.id.rawValue, event.spid.rawValue, event.set.rawValue,
            references(event.id), subscriber.pointee.block, subscriber.pointee.priority)
    }

    /// A reference was taken or dropped.
    @inline(never)
    static func reference(_ one: Incarnation, _ word: SlotWord, _ what: StaticString) {
        guard isOn else { return }
        if cio_history_is_on() {
            cio_history_reference(
                what.utf8Start[0] == UInt8(ascii: "g"), one.id.rawValue, word.generation)
        }
        cio_trace_reference(
            what.cString, one.id.rawValue, one.ref.links.pointee.spid.rawValue,
            word.set.rawValue, UInt32(truncatingIfNeeded: word.references))
    }

    @inline(never)
    static func reclaim(_ one: Incarnation) {
        guard isOn else { return }
        cio_history_reclaim(one.id.rawValue, one.word.generation)
        cio_trace_reference(
            ("reclaim" as StaticString).cString, one.id.rawValue, SPID.none.rawValue,
            one.word.set.rawValue, 0)
    }

    private static func references(_ id: ID) -> UInt32 {
        UInt32(truncatingIfNeeded: IDTable.incarnation(of: id)?.word.references ?? 0)
    }
}
