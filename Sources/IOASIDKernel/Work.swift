// SPDX-License-Identifier: MIT
// A handle of an item, which is memory of a user.

@preconcurrency import CIOASIDKernel

/// To be looked at with the lock only, and not once its function has begun: that may free it.
package struct Work: Equatable {
    let raw: UnsafeMutablePointer<work_struct>

    package init(_ raw: UnsafeMutablePointer<work_struct>) { self.raw = raw }

    var function: work_func_t? { raw.pointee.func }

    /// `none` unless it is pending. What a parent of this process had queued is not: it is the
    /// parent's to do, and its links lead into lists that are no more.
    var ticket: Ticket {
        let ticket = Ticket(number: raw.pointee.ticket)
        return Tickets.isOfThisProcess(ticket) ? ticket : .none
    }

    var isPending: Bool { ticket != .none }

    /// The queue that it is pending on.
    var queue: Queue? {
        isPending ? raw.pointee.wq.map { Queue($0) } : nil
    }

    /// The next one that is pending on the same queue.
    var next: Work? {
        guard let queue else { return nil }
        return cio_work_next(&queue.raw.pointee.pending, raw).map { Work($0) }
    }

    func append(to queue: Queue) {
        raw.pointee.ticket = Tickets.next().number
        raw.pointee.wq = queue.raw
        list_add_tail(&raw.pointee.entry, &queue.raw.pointee.pending)
        queue.raw.pointee.pending_count &+= 1
    }

    /// Takes it off the list of its queue.
    /// - Returns: the ticket it had
    func unlink() -> Ticket {
        guard let queue else { return .none }
        let ticket = ticket
        list_del_init(&raw.pointee.entry)
        raw.pointee.ticket = Ticket.none.number
        queue.raw.pointee.pending_count &-= 1
        return ticket
    }
}
