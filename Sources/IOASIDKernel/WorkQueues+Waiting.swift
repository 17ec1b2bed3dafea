// SPDX-License-Identifier: MIT
// Work queues: waiting for items.

@preconcurrency import CIOASIDKernel

extension WorkQueues {
    /// Waits for everything queued so far, not for what is queued meanwhile.
    package static func flush(_ queue: Queue) {
        WorkLock.waiting { lock in
            guard Worker.own?.queue != queue else {
                return lock.remark("flush_workqueue by an item of the queue: not waiting")
            }
            let last = Tickets.last
            while isOutstanding(queue, upTo: last) { waitForItems(of: queue, &lock) }
        }
    }

    /// Waits until a queue is empty, what its items queue included.
    static func drain(_ queue: Queue, _ lock: inout WorkLock) {
        while isOutstanding(queue, upTo: .newest) { waitForItems(of: queue, &lock) }
    }

    private static func isOutstanding(_ queue: Queue, upTo last: Ticket) -> Bool {
        if let first = queue.firstPending, first.ticket <= last { return true }
        return Worker.first { $0.queue == queue && $0.ticket != .none && $0.ticket <= last } != nil
    }

    /// - Returns: whether there was something to wait for.
    package static func flush(_ work: Work) -> Bool {
        WorkLock.waiting { lock in
            let runner = Worker.running(work)
            guard let queue = work.queue ?? runner?.queue else { return false }
            let own = Worker.own
            if own != nil && (own == runner || own?.queue == queue && queue.mostThreads == 1) {
                lock.remark("flush_work by an item that is in its way: not waiting")
                return false
            }
            let ticket = work.isPending ? work.ticket : runner?.ticket ?? .none
            while isOutstanding(queue, ticket) { waitForItems(of: queue, &lock) }
            return true
        }
    }

    /// - Complexity: O(pending items)
    private static func isOutstanding(_ queue: Queue, _ ticket: Ticket) -> Bool {
        if Worker.first(where: { $0.ticket == ticket }) != nil { return true }
        var next = queue.firstPending
        while let work = next, work.ticket <= ticket {
            if work.ticket == ticket { return true }
            next = work.next
        }
        return false
    }

    /// Items without a thread to run them would be waited for in vain: if there is still none to be
    /// had, who waits runs one.
    static func waitForItems(of queue: Queue, _ lock: inout WorkLock) {
        if Workers.ownThreads(of: queue) == 0 { Workers.wake(queue, &lock) }
        if Workers.ownThreads(of: queue) != 0 {
            lock.waitForAnEnd()
        } else if !Workers.runOneHere(of: queue, &lock) {
            lock.waitForAnEnd(noLongerThan: .milliseconds(10))
        }
    }
}
