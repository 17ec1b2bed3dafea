// SPDX-License-Identifier: MIT
// A handle of a work queue, and the list of all.

@preconcurrency import CIOASIDKernel
import IOASIDMemory

/// To be looked at with the lock only.
package struct Queue: Equatable {
    let raw: UnsafeMutablePointer<workqueue_struct>

    package init(_ raw: UnsafeMutablePointer<workqueue_struct>) { self.raw = raw }

    package static var system: Queue { Queue(stable(&cio_system_wq)) }
    package static var ordered: Queue { Queue(stable(&cio_ordered_wq)) }
    package static var rcu: Queue { Queue(stable(&cio_rcu_wq)) }

    package var pointer: UnsafeMutablePointer<workqueue_struct> { raw }

    var isPermanent: Bool { self == .system || self == .ordered || self == .rcu }
    var firstPending: Work? { cio_work_first(&raw.pointee.pending).map { Work($0) } }

    /// Only its own items may queue on it.
    var isDraining: Bool {
        get { raw.pointee.draining }
        nonmutating set { raw.pointee.draining = newValue }
    }

    /// Threads are to end.
    var isStopping: Bool {
        get { raw.pointee.stopping }
        nonmutating set { raw.pointee.stopping = newValue }
    }

    // MARK: Threads

    var mostThreads: UInt32 { raw.pointee.max_active }
    var hasMoreWorkThanIdleThreads: Bool { raw.pointee.pending_count > raw.pointee.idle }

    var threads: UInt32 {
        get { raw.pointee.threads }
        nonmutating set { raw.pointee.threads = newValue }
    }

    /// The thread that ended last and is to be joined.
    var lastEnded: pthread_t? {
        get { raw.pointee.has_ended ? raw.pointee.last_ended : nil }
        nonmutating set {
            raw.pointee.has_ended = newValue != nil
            if let newValue { raw.pointee.last_ended = newValue }
        }
    }

    func wakeOneThread() { pthread_cond_signal(&raw.pointee.wake) }
    func wakeAllThreads() { pthread_cond_broadcast(&raw.pointee.wake) }

    /// By a thread of the queue. Gives the lock up meanwhile.
    func waitForWork(_ lock: inout WorkLock) {
        raw.pointee.idle &+= 1
        lock.wait(at: &raw.pointee.wake)
        raw.pointee.idle &-= 1
    }

    // MARK: Life

    /// - Returns: nil for want of memory.
    static func make(_ name: UnsafePointer<CChar>?, mostThreads: UInt32) -> Queue? {
        guard let raw = Memory.allocate(workqueue_struct.self) else { return nil }
        let queue = Queue(raw)
        raw.pointee.max_active = mostThreads
        cio_copy_name(&raw.pointee.name, name)
        queue.begin()
        queue.enlist()
        return queue
    }

    /// Nothing is pending on it, and it has no threads.
    private func begin() {
        cio_pending_init(&raw.pointee.pending)
        cio_cond_init(&raw.pointee.wake)
        raw.pointee.pending_count = 0
        raw.pointee.threads = 0
        raw.pointee.idle = 0
        raw.pointee.draining = false
        raw.pointee.stopping = false
        raw.pointee.has_ended = false
    }

    /// In the child of fork(), where there is one thread, perhaps a worker that forked. Whoever was
    /// destroying the queue is not here and will not finish: it is a queue like others.
    func beginAnew(_ survivor: Worker?) {
        begin()
        if survivor?.queue == self { raw.pointee.threads = 1 }
    }

    /// When it has no threads any more.
    func end() {
        unlist()
        pthread_cond_destroy(&raw.pointee.wake)
        Memory.free(raw)
    }

    // MARK: All of them

    private static var first: Queue? { cio_workqueues.map { Queue($0) } }
    private var next: Queue? { raw.pointee.next.map { Queue($0) } }

    static func forEach(_ body: (Queue) -> Void) {
        var next = first
        while let queue = next {
            next = queue.next
            body(queue)
        }
    }

    /// May be asked of any pointer.
    var isKnown: Bool {
        var next = Queue.first
        while let queue = next, queue != self { next = queue.next }
        return next != nil
    }

    private func enlist() {
        raw.pointee.next = cio_workqueues
        cio_workqueues = raw
    }

    private func unlist() {
        if Queue.first == self { cio_workqueues = raw.pointee.next }
        Queue.forEach { if $0.next == self { $0.raw.pointee.next = raw.pointee.next } }
    }
}
