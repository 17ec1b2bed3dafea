// SPDX-License-Identifier: MIT
// What is told to subscribers, and to whom.

import CIOASIDCore
import IOASIDMemory

/// One event. Its arguments are taken when it happens, and made anew for each handler.
struct Event {
    let id: ID
    let what: ioasid_notify_val
    /// Of the life it tells of; of a set, it has the set alone.
    let word: SlotWord
    let data: UnsafeMutableRawPointer?
    /// Not beside the id: both at once would be read in one piece while they are still being written in
    /// two, which the processor waits for.
    let spid: SPID

    /// Of an id.
    init(_ what: ioasid_notify_val, _ one: Incarnation) {
        self.what = what
        id = one.id
        spid = one.ref.links.pointee.spid
        word = one.word
        data = one.ref.data
    }

    /// Of a set.
    init(_ what: ioasid_notify_val, _ set: SetNumber) {
        self.what = what
        id = .invalid
        spid = .none
        word = SlotWord(set: set)
        data = nil
    }

    var set: SetNumber { word.set }

    /// A handler's NOTIFY_STOP ends the delivery of the others; these everybody must hear.
    var isUnstoppable: Bool {
        what == IOASID_NOTIFY_FREE || what == IOASID_NOTIFY_UNBIND
            || what == IOASID_NOTIFY_SET_FREE || what == IOASID_NOTIFY_RECLAIM
    }
}

/// Which chains of subscribers an event goes to.
package struct Audience: OptionSet {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static var all: Audience { Audience(rawValue: 1) }
    package static var set: Audience { Audience(rawValue: 2) }
}
