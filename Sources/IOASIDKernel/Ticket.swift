// SPDX-License-Identifier: MIT
// Tickets: the numbers of queueings.

import IOASIDMemory
import Synchronization

/// The number of a queueing. Who waits remembers a ticket, never an item: that may be freed by its
/// own function.
struct Ticket: Comparable {
    let number: UInt64

    /// Of an item that is not pending, of a thread that runs nothing.
    static var none: Ticket { Ticket(number: 0) }
    static var newest: Ticket { Ticket(number: .max) }

    static func < (one: Ticket, other: Ticket) -> Bool { one.number < other.number }
}

/// The tickets given out so far; guarded by the lock.
enum Tickets {
    private static let lastNumber = Cell<UInt64>(0)
    /// Those up to here were given out in a parent of this process.
    private static let inheritedNumber = Cell<UInt64>(0)

    static var last: Ticket { Ticket(number: lastNumber.value) }

    static func next() -> Ticket {
        lastNumber.increment()
        return last
    }

    /// Was it given out in this process, and not in a parent of it?
    static func isOfThisProcess(_ ticket: Ticket) -> Bool {
        ticket.number > inheritedNumber.value && ticket <= last
    }

    /// In the child of fork().
    static func disown() { inheritedNumber.value = lastNumber.value }
}
