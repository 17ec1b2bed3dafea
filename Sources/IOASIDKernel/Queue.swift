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
    var runsOneAtATime: Bool { raw.pointee.max_active == 1 }
    var firstPending: Work? { cio_work_first(&raw.pointee.pending).map { Work($0) } }

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

    func enlist() {
        raw.pointee.next = cio_workqueues
        cio_workqueues = raw
    }

    func unlist() {
        if Queue.first == self { cio_workqueues = raw.pointee.next }
        Queue.forEach { if $0.next == self { $0.raw.pointee.next = raw.pointee.next } }
    }
}
