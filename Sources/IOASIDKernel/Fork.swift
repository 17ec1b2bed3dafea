// SPDX-License-Identifier: MIT
// What the child of fork() has to put right: it has one of the threads, and all of their traces.

@preconcurrency import CIOASIDKernel

/// The child begins with empty queues; what was pending is for the parent to do. Items are not
/// touched, as they may lie in memory that is the parent's only: the child knows them by tickets.
@_cdecl("cio_work_after_fork_child") @implementation
public func cio_work_after_fork_child() {
    let survivor = Worker.forgetOthers()
    Tickets.disown()
    cio_cancellers = nil
    cio_cond_init(&cio_work_done)
    Queue.forEach { $0.beginAnew(survivor) }
    DeferredFree.afterForkInChild(survivor: survivor)
}
