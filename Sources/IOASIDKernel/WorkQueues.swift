// SPDX-License-Identifier: MIT
// Work queues: queueing, flushing and cancelling items.

import CIOASID
import CIOASIDKernel
import CIOASIDRuntime
import IOASIDCore
import IOASIDMemory
import IOASIDRuntime
import Synchronization

package typealias Work = UnsafeMutablePointer<work_struct>
package typealias Queue = UnsafeMutablePointer<workqueue_struct>
package typealias Worker = UnsafeMutablePointer<cio_worker>

/// Every queueing gets a ticket. Whoever waits remembers a ticket, never an item: that may be freed
/// by its own function. An item is pending while it has a ticket; once taken, the ticket is its
/// worker's. All of this is guarded by the one lock of `cio_work_mutex`, which is never held while
/// an item runs; nothing else is locked inside it but the log.
package enum WorkQueues {
    private static let lastTicket = Cell<UInt64>(0)
    /// The library is going: nothing starts any more.
    nonisolated(unsafe) package static var isClosed = false

    @inline(__always)
    package static func withLock<Result>(_ body: () -> Result) -> Result {
        pthread_mutex_lock(&cio_work_mutex)
        defer { pthread_mutex_unlock(&cio_work_mutex) }
        return body()
    }

    // MARK: Queueing

    /// - Returns: false if it is pending already or cannot be queued.
    package static func queue(_ wq: Queue, _ work: Work) -> Bool {
        withLock {
            guard work.pointee.ticket == 0, work.pointee.cancels == 0 else { return false }
            // Never in two threads at once: the one that runs it takes it again.
            let runner = Workers.running(work)
            let target = runner?.pointee.wq ?? wq
            guard work.pointee.func != nil, accepts(target) else {
                Log.warn("work refused: no function, or its queue is going")
                return false
            }
            lastTicket.increment()
            work.pointee.ticket = lastTicket.value
            work.pointee.wq = target
            list_add_tail(&work.pointee.entry, &target.pointee.pending)
            target.pointee.pending_count &+= 1
            if runner == nil { Workers.wake(target) }
            return true
        }
    }

    private static func accepts(_ wq: Queue) -> Bool {
        guard !isClosed, !wq.pointee.stopping else { return false }
        return !wq.pointee.draining || Workers.own?.pointee.wq == wq
    }

    /// Takes an item off the list of its queue.
    /// - Returns: its ticket
    package static func unlink(_ work: Work) -> UInt64 {
        let ticket = work.pointee.ticket
        guard let wq = work.pointee.wq else { return ticket }
        list_del_init(&work.pointee.entry)
        work.pointee.ticket = 0
        wq.pointee.pending_count &-= 1
        return ticket
    }

    package static func dropPending(_ wq: Queue) {
        while let work = cio_work_first(&wq.pointee.pending) { _ = unlink(work) }
        pthread_cond_broadcast(&cio_work_done)
    }

    // MARK: Waiting

    /// Waits for everything queued so far, not for what is queued meanwhile.
    package static func flush(_ wq: Queue) {
        withLock {
            guard Workers.own?.pointee.wq != wq else {
                return Log.warn("flush_workqueue by an item of the queue: not waiting")
            }
            let last = lastTicket.value
            while isOutstanding(wq, upTo: last) { waitForItems(of: wq) }
        }
    }

    /// Waits until a queue is empty, what its items queue included.
    package static func drain(_ wq: Queue) {
        while isOutstanding(wq, upTo: .max) { waitForItems(of: wq) }
    }

    private static func isOutstanding(_ wq: Queue, upTo last: UInt64) -> Bool {
        if let first = cio_work_first(&wq.pointee.pending), first.pointee.ticket <= last {
            return true
        }
        return Workers.any { $0.pointee.wq == wq && $0.pointee.ticket &- 1 < last }
    }

    /// - Returns: whether there was something to wait for.
    package static func flush(_ work: Work) -> Bool {
        withLock {
            let runner = Workers.running(work)
            let isPending = work.pointee.ticket != 0
            let queued = isPending ? work.pointee.wq : runner?.pointee.wq
            guard let wq = queued else { return false }
            let own = Workers.own
            if own != nil && (own == runner || own?.pointee.wq == wq && wq.pointee.max_active == 1) {
                Log.warn("flush_work by an item that is in its way: not waiting")
                return false
            }
            let ticket = isPending ? work.pointee.ticket : runner?.pointee.ticket ?? 0
            while isOutstanding(wq, ticket) { waitForItems(of: wq) }
            return true
        }
    }

    /// - Complexity: O(pending items)
    private static func isOutstanding(_ wq: Queue, _ ticket: UInt64) -> Bool {
        if Workers.any({ $0.pointee.ticket == ticket }) { return true }
        var next = cio_work_first(&wq.pointee.pending)
        while let work = next, work.pointee.ticket <= ticket {
            if work.pointee.ticket == ticket { return true }
            next = cio_work_next(&wq.pointee.pending, work)
        }
        return false
    }

    /// Items without a thread to run them would be waited for in vain: tries again for a thread.
    private static func waitForItems(of wq: Queue) {
        if wq.pointee.threads == 0 { Workers.wake(wq) }
        if wq.pointee.threads == 0 {
            cio_work_wait_ms(10)
        } else {
            pthread_cond_wait(&cio_work_done, &cio_work_mutex)
        }
    }

    // MARK: Cancelling

    /// - Returns: whether it was pending.
    package static func cancel(_ work: Work, sync: Bool) -> Bool {
        withLock {
            let wasPending = work.pointee.ticket != 0
            if wasPending {
                _ = unlink(work)
                pthread_cond_broadcast(&cio_work_done)
            }
            if sync { waitUntilIdle(work) }
            return wasPending
        }
    }

    /// Items that queue themselves are refused meanwhile, else this would not end.
    private static func waitUntilIdle(_ work: Work) {
        work.pointee.cancels &+= 1
        while let runner = Workers.running(work), runner != Workers.own {
            pthread_cond_wait(&cio_work_done, &cio_work_mutex)
        }
        work.pointee.cancels &-= 1
    }
}
