// SPDX-License-Identifier: MIT
// The trace: a line for each event delivered and each change of a reference, while somebody reads it.

import CIOASID
import CIOASIDCore
import CIOASIDRuntime
import IOASIDMemory
import IOASIDRuntime
import Synchronization

/// The file and its lock are on the C floor (trace.c), which also writes the lines.
package enum Trace {
    @inline(__always)
    package static var isOn: Bool { cio_trace_is_on() }

    /// Something happened, whether anybody hears of it or not.
    package static func change(_ event: Event) {
        guard isOn else { return }
        cio_trace_event(event.what, event.id, event.spid, event.set, references(event.id), nil, 0)
    }

    /// A subscriber is about to be told.
    package static func event(_ event: Event, _ subscriber: SubscriberPointer) {
        guard isOn else { return }
        cio_trace_event(
            event.what, event.id, event.spid, event.set, references(event.id),
            subscriber.pointee.block, subscriber.pointee.priority)
    }

    /// A reference was taken or dropped.
    package static func reference(_ id: UInt32, _ entry: Entry, _ word: SlotWord, _ what: StaticString) {
        guard isOn else { return }
        cio_trace_reference(
            what.cString, id, entry.links.pointee.spid.value, word.set,
            UInt32(truncatingIfNeeded: word.references))
    }

    package static func reclaim(_ id: UInt32, _ set: UInt32) {
        guard isOn else { return }
        cio_trace_reference(("reclaim" as StaticString).cString, id, noID, set, 0)
    }

    private static func references(_ id: UInt32) -> UInt32 {
        UInt32(truncatingIfNeeded: IDTable.life(id)?.word.references ?? 0)
    }
}
