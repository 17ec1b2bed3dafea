// SPDX-License-Identifier: MIT
// The trace: a line for each event delivered and each change of a reference, while somebody reads it.

@preconcurrency import CIOASIDCore
import IOASIDMemory
import IOASIDRuntime

/// trace.c has the file and writes the lines.
package enum Trace {
    @inline(__always)
    static var isOn: Bool { cio_trace_is_on() }

    /// - Returns: 0 or -errno.
    package static func start(_ out: UnsafeMutablePointer<FILE>) -> CInt {
        CoreLock.withLock {
            let status = cio_trace_start(out)
            Attention.set(Attention.trace, isOn)
            return status
        }
    }

    package static func stop() {
        CoreLock.withLock {
            cio_trace_stop()
            Attention.set(Attention.trace, isOn)
        }
    }

    /// To be called where what the lock guards is consistent: the stream may call the library.
    @inline(__always)
    static func flush() {
        if isOn { cio_trace_flush() }
    }

    /// Something happened, whether anybody is told of it or not.
    static func change(_ event: Event) {
        guard isOn else { return }
        cio_trace_event(
            event.what, event.id.rawValue, event.spid.rawValue, event.set.rawValue,
            references(event.id), nil, 0)
    }

    /// A subscriber is about to be told.
    static func event(_ event: Event, _ subscriber: SubscriberRef) {
        guard isOn else { return }
        cio_trace_event(
            event.what, event.id.rawValue, event.spid.rawValue, event.set.rawValue,
            references(event.id), subscriber.pointee.block, subscriber.pointee.priority)
    }

    /// A reference was taken or dropped.
    static func reference(_ one: Incarnation, _ word: SlotWord, _ what: StaticString) {
        guard isOn else { return }
        cio_trace_reference(
            what.cString, one.id.rawValue, one.ref.links.pointee.spid.rawValue,
            word.set.rawValue, UInt32(truncatingIfNeeded: word.references))
    }

    static func reclaim(_ one: Incarnation) {
        guard isOn else { return }
        cio_trace_reference(
            ("reclaim" as StaticString).cString, one.id.rawValue, SPID.none.rawValue,
            one.word.set.rawValue, 0)
    }

    private static func references(_ id: ID) -> UInt32 {
        UInt32(truncatingIfNeeded: IDTable.incarnation(of: id)?.word.references ?? 0)
    }
}
