// SPDX-License-Identifier: MIT
// Work queues: making and destroying them, queueing and cancelling items.

@preconcurrency import CIOASIDKernel
import IOASIDMemory

/// An item is pending while it has a ticket; once taken, the ticket is its worker's.
package enum WorkQueues {
    // MARK: Queues

    /// - Returns: nil for want of memory or, with WQ_MEM_RECLAIM, of a thread.
    package static func make(
        _ name: UnsafePointer<CChar>?, _ flags: UInt32, _ maxActive: Int32
    ) -> Queue? {
        guard flags & ~(WQ_UNBOUND | WQ_MEM_RECLAIM) == 0, maxActive >= 0 else { return nil }
        let mostThreads = UInt32(maxActive == 0 ? WQ_DFL_ACTIVE : min(maxActive, WQ_MAX_ACTIVE))
        // Memory too is made with the lock: a fork() finds a queue in the list, or none at all.
        return WorkLock.waiting { lock in
            guard let queue = Queue.make(name, mostThreads: mostThreads) else { return nil }
            if flags & WQ_MEM_RECLAIM == 0 || Workers.start(queue, &lock) { return queue }
            remove(queue, &lock)
            return nil
        }
    }

    package static func destroy(_ queue: Queue) {
        WorkLock.waiting { lock in
            guard queue.isKnown, !queue.isPermanent, !queue.isDraining, Worker.own?.queue != queue
            else {
                return lock.remark("destroy_workqueue of what is none, or by an item of the queue")
            }
            queue.isDraining = true
            drain(queue, &lock)
            remove(queue, &lock)
        }
    }

    private static func remove(_ queue: Queue, _ lock: inout WorkLock) {
        Workers.stop(queue, &lock)
        queue.end()
    }

    // MARK: Queueing

    /// - Returns: false if it is pending already or cannot be queued.
    package static func queue(_ queue: Queue, _ work: Work) -> Bool {
        WorkLock.with { lock in self.queue(queue, work, &lock) }
    }

    static func queue(_ queue: Queue, _ work: Work, _ lock: inout WorkLock) -> Bool {
        guard !work.isPending, !isBeingCancelled(work) else { return false }
        // Never in two threads at once: the one that runs it takes it again.
        let runner = Worker.running(work)
        let target = runner?.queue ?? queue
        guard work.function != nil, accepts(target) else {
            lock.remark("work refused: no function, or its queue is going")
            return false
        }
        work.append(to: target)
        if runner == nil { Workers.wake(target, &lock) }
        return true
    }

    private static func accepts(_ queue: Queue) -> Bool {
        !queue.isStopping && (!queue.isDraining || Worker.own?.queue == queue)
    }

    // MARK: Cancelling

    /// - Returns: whether it was pending.
    package static func cancel(_ work: Work) -> Bool {
        WorkLock.with { _ in takeOff(work) }
    }

    /// Waits until it is not running, too. Items that queue themselves are refused meanwhile, else
    /// this would not end.
    /// - Returns: whether it was pending.
    package static func cancelAndWait(_ work: Work) -> Bool {
        WorkLock.waiting { lock in
            let wasPending = takeOff(work)
            var me = cio_canceller(next: cio_cancellers, work: work.raw)
            withUnsafeMutablePointer(to: &me) { me in
                cio_cancellers = me
                while let runner = Worker.running(work), runner != Worker.own {
                    lock.waitForAnEnd()
                }
                unlist(me)
            }
            return wasPending
        }
    }

    private static func takeOff(_ work: Work) -> Bool {
        guard work.isPending else { return false }
        _ = work.unlink()
        pthread_cond_broadcast(&cio_work_done)
        return true
    }

    /// The mark is with the thread that waits, not with the item: so it ends with the thread, also
    /// in the child of a fork().
    private static func isBeingCancelled(_ work: Work) -> Bool {
        var next = cio_cancellers
        while let canceller = next, canceller.pointee.work != work.raw {
            next = canceller.pointee.next
        }
        return next != nil
    }

    private static func unlist(_ me: UnsafeMutablePointer<cio_canceller>) {
        if cio_cancellers == me {
            cio_cancellers = me.pointee.next
            return
        }
        var next = cio_cancellers
        while let canceller = next {
            if canceller.pointee.next == me { canceller.pointee.next = me.pointee.next }
            next = canceller.pointee.next
        }
    }
}
