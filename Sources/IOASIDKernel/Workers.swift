// SPDX-License-Identifier: MIT
// The threads of work queues: one starts when there is more to do than threads that wait for it.

import CIOASID
import CIOASIDKernel
import CIOASIDRuntime
import IOASIDCore
import IOASIDMemory
import IOASIDRuntime

/// Everything here runs with the lock of `WorkQueues`, but for the items.
package enum Workers {
    // MARK: Who runs what

    package static func any(_ test: (Worker) -> Bool) -> Bool {
        first(test) != nil
    }

    private static func first(_ test: (Worker) -> Bool) -> Worker? {
        var next = cio_workers
        while let worker = next {
            if test(worker) { return worker }
            next = worker.pointee.next
        }
        return nil
    }

    /// The worker that runs an item. The function counts as well: memory of an item that freed
    /// itself may be another one by now.
    package static func running(_ work: Work) -> Worker? {
        first { $0.pointee.work == work && isSame($0.pointee.func, work.pointee.func) }
    }

    private static func isSame(_ one: work_func_t?, _ other: work_func_t?) -> Bool {
        unsafeBitCast(one, to: UInt.self) == unsafeBitCast(other, to: UInt.self)
    }

    /// The calling thread, if it is a worker.
    package static var own: Worker? {
        let thread = pthread_self()
        return first { pthread_equal($0.pointee.thread, thread) != 0 }
    }

    // MARK: Starting

    /// To be called when something is pending.
    package static func wake(_ wq: Queue) {
        pthread_cond_signal(&wq.pointee.wake)
        if wq.pointee.pending_count > wq.pointee.idle { _ = start(wq) }
    }

    /// - Returns: false if there is no thread to be had.
    package static func start(_ wq: Queue) -> Bool {
        guard wq.pointee.threads < wq.pointee.max_active else { return true }
        // Counted here, so that it is waited for even before it runs.
        wq.pointee.threads &+= 1
        if cio_worker_start(wq) == 0 { return true }
        wq.pointee.threads &-= 1
        if wq.pointee.threads == 0 { Log.warn("no thread for a work queue: its items wait") }
        return false
    }

    // MARK: Running

    package static func main(_ wq: Queue, _ me: Worker) {
        pthread_mutex_lock(&cio_work_mutex)
        me.pointee.next = cio_workers
        cio_workers = me
        while !wq.pointee.stopping {
            if let work = nextRunnable(wq) {
                run(work, me)
            } else {
                wq.pointee.idle &+= 1
                pthread_cond_wait(&wq.pointee.wake, &cio_work_mutex)
                wq.pointee.idle &-= 1
            }
        }
        leave(wq, me)
    }

    /// The oldest item that is not running in another thread.
    private static func nextRunnable(_ wq: Queue) -> Work? {
        var next = cio_work_first(&wq.pointee.pending)
        while let work = next, running(work) != nil {
            next = cio_work_next(&wq.pointee.pending, work)
        }
        return next
    }

    /// The item is not touched once its function has begun: that may free it.
    private static func run(_ work: Work, _ me: Worker) {
        guard let function = work.pointee.func else { return _ = WorkQueues.unlink(work) }
        me.pointee.work = work
        me.pointee.func = function
        me.pointee.ticket = WorkQueues.unlink(work)
        pthread_mutex_unlock(&cio_work_mutex)
        function(work)
        pthread_mutex_lock(&cio_work_mutex)
        me.pointee.work = nil
        me.pointee.ticket = 0
        pthread_cond_broadcast(&cio_work_done)
    }

    /// Threads end in a chain, each joining the one before it: whoever joins the last has all.
    private static func leave(_ wq: Queue, _ me: Worker) {
        unlink(me)
        let hasPrevious = wq.pointee.has_ended
        let previous = wq.pointee.last_ended
        wq.pointee.has_ended = true
        wq.pointee.last_ended = me.pointee.thread
        wq.pointee.threads &-= 1
        pthread_cond_broadcast(&cio_work_done)
        pthread_mutex_unlock(&cio_work_mutex)
        if hasPrevious { pthread_join(previous, nil) }
    }

    private static func unlink(_ me: Worker) {
        if cio_workers == me {
            cio_workers = me.pointee.next
        } else if let before = first({ $0.pointee.next == me }) {
            before.pointee.next = me.pointee.next
        }
    }

    // MARK: Ending

    /// Waits for the end of all threads but the calling one, with the lock; gives it up to join.
    package static func stop(_ wq: Queue) {
        let remaining: UInt32 = own?.pointee.wq == wq ? 1 : 0
        wq.pointee.stopping = true
        pthread_cond_broadcast(&wq.pointee.wake)
        while wq.pointee.threads > remaining { pthread_cond_wait(&cio_work_done, &cio_work_mutex) }
        guard wq.pointee.has_ended else { return }
        wq.pointee.has_ended = false
        let last = wq.pointee.last_ended
        pthread_mutex_unlock(&cio_work_mutex)
        pthread_join(last, nil)
        pthread_mutex_lock(&cio_work_mutex)
    }

    /// In the child of fork() there is one thread, perhaps a worker that forked.
    package static func forgetOthers() {
        let survivor = own
        cio_workers = survivor
        survivor?.pointee.next = nil
        var next = cio_workqueues
        while let wq = next {
            wq.pointee.threads = survivor?.pointee.wq == wq ? 1 : 0
            wq.pointee.idle = 0
            wq.pointee.has_ended = false
            pthread_cond_init(&wq.pointee.wake, nil)
            WorkQueues.dropPending(wq)
            next = wq.pointee.next
        }
    }
}

@_cdecl("cio_worker_main") @implementation
public func cio_worker_main(_ wq: UnsafeMutablePointer<workqueue_struct>) {
    var me = cio_worker(
        next: nil, wq: wq, thread: pthread_self(), work: nil, func: nil, ticket: 0)
    withUnsafeMutablePointer(to: &me) { Workers.main(wq, $0) }
}
