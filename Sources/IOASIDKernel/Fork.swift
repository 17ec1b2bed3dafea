// SPDX-License-Identifier: MIT
// What the child of fork() has to put right: it has one of the threads, and all of their traces.

@preconcurrency import CIOASIDKernel
import IOASIDRuntime

/// The child begins with empty queues; what was pending is for the parent to do. Items are not
/// touched, they may lie in memory that is the parent's only: the child knows them by their tickets.
@_cdecl("cio_work_after_fork_child") @implementation
public func cio_work_after_fork_child() {
    let survivor = Worker.forgetOthers()
    Tickets.disown()
    cio_cancellers = nil
    cio_cond_init(&cio_work_done)
    Queue.forEach { $0.beginAnew(survivor) }
    DeferredFree.afterForkInChild(survivor: survivor)
}

extension Queue {
    /// Whoever was destroying it is not here and will not finish: it is a queue like others.
    fileprivate func beginAnew(_ survivor: Worker?) {
        cio_pending_init(&raw.pointee.pending)
        cio_cond_init(&raw.pointee.wake)
        raw.pointee.pending_count = 0
        raw.pointee.threads = survivor?.queue == self ? 1 : 0
        raw.pointee.idle = 0
        raw.pointee.draining = false
        raw.pointee.stopping = false
        raw.pointee.has_ended = false
    }
}
