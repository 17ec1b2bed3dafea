// SPDX-License-Identifier: MIT
// Work queues: making and destroying them, fork(), and the end of the library.

import CIOASID
import CIOASIDKernel
import CIOASIDRuntime
import IOASIDCore
import IOASIDMemory
import IOASIDRuntime

extension WorkQueues {
    /// - Returns: nil for want of memory or, with WQ_MEM_RECLAIM, of a thread.
    package static func make(_ name: UnsafePointer<CChar>?, _ flags: UInt32, _ maxActive: Int32) -> Queue? {
        guard flags & ~(WQ_UNBOUND | WQ_MEM_RECLAIM) == 0, maxActive >= 0 else { return nil }
        guard let wq = Memory.allocate(workqueue_struct.self) else { return nil }
        cio_work_init(&wq.pointee.pending)
        pthread_cond_init(&wq.pointee.wake, nil)
        wq.pointee.max_active = UInt32(maxActive == 0 ? WQ_DFL_ACTIVE : min(maxActive, WQ_MAX_ACTIVE))
        cio_copy_name(&wq.pointee.name, name)
        let isReady = withLock {
            wq.pointee.next = cio_workqueues
            cio_workqueues = wq
            return flags & WQ_MEM_RECLAIM == 0 || Workers.start(wq)
        }
        if !isReady { destroy(wq) }
        return isReady ? wq : nil
    }

    package static func destroy(_ wq: Queue) {
        let isDone = withLock {
            guard isKnown(wq), Workers.own?.pointee.wq != wq else { return false }
            wq.pointee.draining = true
            drain(wq)
            Workers.stop(wq)
            unlist(wq)
            return true
        }
        guard isDone else {
            return Log.warn("destroy_workqueue of what is none, or by an item of the queue")
        }
        pthread_cond_destroy(&wq.pointee.wake)
        Memory.free(wq)
    }

    private static func isKnown(_ wq: Queue) -> Bool {
        var next = cio_workqueues
        while let one = next, one != wq { next = one.pointee.next }
        return next != nil && wq != stable(&cio_system_wq) && wq != stable(&cio_ordered_wq)
            && !wq.pointee.draining
    }

    private static func unlist(_ wq: Queue) {
        if cio_workqueues == wq {
            cio_workqueues = wq.pointee.next
            return
        }
        var next = cio_workqueues
        while let one = next {
            if one.pointee.next == wq { one.pointee.next = wq.pointee.next }
            next = one.pointee.next
        }
    }

    /// Items that run are awaited, the others dropped: their code may be going, too.
    package static func end() {
        withLock {
            isClosed = true
            var next = cio_workqueues
            while let wq = next {
                dropPending(wq)
                Workers.stop(wq)
                next = wq.pointee.next
            }
        }
        DeferredFree.end()
    }
}

@_cdecl("cio_work_before_fork") @implementation
public func cio_work_before_fork() {
    pthread_mutex_lock(&cio_work_mutex)
}

/// The child begins with empty queues; what was pending is for the parent to do.
@_cdecl("cio_work_after_fork") @implementation
public func cio_work_after_fork(_ in_child: Bool) {
    if in_child {
        pthread_cond_init(&cio_work_done, nil)
        Workers.forgetOthers()
    }
    pthread_mutex_unlock(&cio_work_mutex)
}

@_cdecl("cio_work_end") @implementation
public func cio_work_end() {
    WorkQueues.end()
}
