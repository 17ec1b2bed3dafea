// SPDX-License-Identifier: MIT
// kfree_rcu() and call_rcu(): what is freed, and what is called, after a grace period.

@preconcurrency import CIOASIDKernel
import IOASIDMemory
import Synchronization

/// Two kinds of the same: calls are due at once; blocks are gathered, as the kernel gathers them.
/// One item of a queue of their own deals with both, so that nobody who flushes another queue waits
/// for a grace period.
package enum DeferredFree {
    private typealias Kind = UnsafeMutablePointer<cio_deferred>

    private static var blocks: Kind { stable(&cio_blocks) }
    private static var calls: Kind { stable(&cio_calls) }

    /// So long a block stays at least, whatever the readers do: some kernel code looks at what it
    /// has just given to kfree_rcu(), and the kernel has let it, with batches of HZ/50 and more.
    private static var rest: Nanoseconds { .milliseconds(20) }

    /// The item is queued, or runs and will look again; guarded by the lock.
    nonisolated(unsafe) private static var isScheduled = false
    /// Somebody waits until as many blocks are freed; guarded by the lock.
    private static let wanted = Cell<UInt64>(0)

    // MARK: Adding

    package static func free(
        _ block: UnsafeMutableRawPointer, _ head: UnsafeMutablePointer<rcu_head>
    ) {
        WorkLock.with { lock in add(head, UInt(bitPattern: block), to: blocks, &lock) }
    }

    package static func call(
        _ head: UnsafeMutablePointer<rcu_head>, _ function: @escaping rcu_callback_t
    ) {
        WorkLock.with { lock in
            add(head, unsafeBitCast(function, to: UInt.self), to: calls, &lock)
            pthread_cond_signal(&cio_rcu_wake)
        }
    }

    private static func add(
        _ head: UnsafeMutablePointer<rcu_head>, _ what: UInt, to kind: Kind, _ lock: inout WorkLock
    ) {
        cio_rcu_append(&kind.pointee.fresh, head, what)
        kind.pointee.added &+= 1
        schedule(&lock)
    }

    private static func schedule(_ lock: inout WorkLock) {
        if isScheduled { return retry(&lock) }
        isScheduled = WorkQueues.queue(.rcu, Work(stable(&cio_rcu_work)), &lock)
    }

    /// It is queued, but perhaps there was no thread to be had.
    private static func retry(_ lock: inout WorkLock) {
        if Queue.rcu.threads == 0 { Workers.wake(.rcu, &lock) }
    }

    // MARK: Waiting

    /// Waits for all that was added before; blocks do not rest any longer then.
    package static func barrier() {
        WorkLock.waiting { lock in
            guard Worker.own?.queue != .rcu, !ioasid_rcu_read_lock_held() else {
                return lock.remark("rcu_barrier by a function of call_rcu or a reader: not waiting")
            }
            let lastBlock = blocks.pointee.added
            let lastCall = calls.pointee.added
            wanted.value = max(wanted.value, lastBlock)
            pthread_cond_signal(&cio_rcu_wake)
            while blocks.pointee.done < lastBlock || calls.pointee.done < lastCall {
                // In the child of a fork() there may be something to do and no thread yet.
                schedule(&lock)
                WorkQueues.waitForItems(of: .rcu, &lock)
            }
        }
    }

    // MARK: Doing

    fileprivate static func run() {
        while let areBlocksDue = WorkLock.with({ lock in closeBatches(&lock) }) {
            ioasid_rcu_synchronize()
            callAll()
            if areBlocksDue { freeAll() }
        }
    }

    /// Waits until a batch is due: from now on nothing is added to it.
    /// - Returns: whether that goes for blocks as well as for calls; nil if nothing is left.
    private static func closeBatches(_ lock: inout WorkLock) -> Bool? {
        while true {
            // A batch that is there already is one that a parent of this process did not finish.
            cio_rcu_move(&calls.pointee.fresh, &calls.pointee.batch)
            let isHurried = wanted.value > blocks.pointee.done
            if blocks.pointee.batch.first == nil || isHurried { closeBlocks() }

            let now = cio_now_ns()
            let hasBlocks = blocks.pointee.batch.first != nil
            let areBlocksDue = hasBlocks && (isHurried || now >= blocks.pointee.due_ns)
            if areBlocksDue || calls.pointee.batch.first != nil { return areBlocksDue }
            guard hasBlocks else {
                isScheduled = false
                return nil
            }
            cio_work_wait_ns(&cio_rcu_wake, blocks.pointee.due_ns &- now)
        }
    }

    private static func closeBlocks() {
        cio_rcu_move(&blocks.pointee.fresh, &blocks.pointee.batch)
        blocks.pointee.due_ns = cio_now_ns() &+ rest
    }

    /// With the lock, so that a child of fork() finds each block either here or freed.
    private static func freeAll() {
        while WorkLock.with({ _ in freeOne() }) {}
    }

    /// - Returns: false if there was none
    private static func freeOne() -> Bool {
        guard let node = cio_rcu_pop(&blocks.pointee.batch) else {
            pthread_cond_broadcast(&cio_work_done)
            return false
        }
        cio_rcu_free(node)
        blocks.pointee.done &+= 1
        return true
    }

    private static func callAll() {
        while let node = WorkLock.with({ _ in take() }) {
            cio_rcu_call(node)
            WorkLock.with { _ in end() }
        }
    }

    /// A function is being called, by the worker of the queue; guarded by the lock.
    nonisolated(unsafe) private static var isCalling = false

    private static func take() -> UnsafeMutablePointer<cio_rcu_node>? {
        let node = cio_rcu_pop(&calls.pointee.batch)
        isCalling = node != nil
        return node
    }

    private static func end() {
        isCalling = false
        calls.pointee.done &+= 1
        pthread_cond_broadcast(&cio_work_done)
    }

    // MARK: Fork

    /// The child has its own copy of all that waits, and deals with it, too: it would leak. It
    /// begins with the next use, or when somebody waits. A function that was being called is for
    /// the parent alone, unless the child was born in it.
    static func afterForkInChild(survivor: Worker?) {
        cio_cond_init(&cio_rcu_wake)
        guard survivor?.queue != .rcu else { return }
        isScheduled = false
        if isCalling { end() }
    }
}

@_cdecl("cio_rcu_work_run") @implementation
public func cio_rcu_work_run(_ work: UnsafeMutablePointer<work_struct>) {
    DeferredFree.run()
}
