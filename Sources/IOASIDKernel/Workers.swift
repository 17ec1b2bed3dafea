// SPDX-License-Identifier: MIT
// The threads of work queues: one starts when there is more to do than threads that wait for it.

@preconcurrency import CIOASIDKernel
import IOASIDMemory

enum Workers {
    // MARK: Starting

    /// To be called when something is pending.
    static func wake(_ queue: Queue, _ lock: inout WorkLock) {
        queue.wakeOneThread()
        if queue.hasMoreWorkThanIdleThreads { _ = start(queue, &lock) }
    }

    /// - Returns: false if there is no thread to be had.
    static func start(_ queue: Queue, _ lock: inout WorkLock) -> Bool {
        guard queue.threads < queue.mostThreads else { return true }
        // Counted here, so that it is waited for even before it runs.
        queue.threads &+= 1
        if cio_worker_start(queue.raw) == 0 { return true }
        queue.threads &-= 1
        if queue.threads == 0 { lock.remark("no thread for a work queue: its items wait") }
        return false
    }

    // MARK: Running

    fileprivate static func main(_ me: Worker) {
        let queue = me.queue
        let previous = WorkLock.with { lock -> pthread_t? in
            me.enlist()
            while !queue.isStopping {
                if let work = nextRunnable(queue) {
                    run(work, me, &lock)
                } else {
                    queue.waitForWork(&lock)
                }
            }
            return leave(queue, me)
        }
        if let previous { pthread_join(previous, nil) }
    }

    /// Threads of the queue, without those who wait for items and run one.
    static func ownThreads(of queue: Queue) -> UInt32 {
        var waiting: UInt32 = 0
        Worker.forEach { if $0.queue == queue, $0.raw.pointee.waits { waiting &+= 1 } }
        return queue.threads &- waiting
    }

    /// The caller, who waits, is the thread of the queue for one item. Not with the core lock or in a
    /// read-side section: the item may want what the caller has.
    /// - Returns: false if there was none to run.
    static func runOneHere(of queue: Queue, _ lock: inout WorkLock) -> Bool {
        guard queue.threads < queue.mostThreads, ioasid_may_wait(),
            let work = nextRunnable(queue)
        else { return false }
        var record = cio_worker(queue, waits: true)
        return withUnsafeMutablePointer(to: &record) {
            let me = Worker(raw: $0)
            queue.threads &+= 1
            me.enlist()
            run(work, me, &lock)
            me.unlist()
            queue.threads &-= 1
            return true
        }
    }

    /// The oldest item that is not running in another thread.
    private static func nextRunnable(_ queue: Queue) -> Work? {
        var next = queue.firstPending
        while let work = next, Worker.running(work) != nil { next = work.next }
        return next
    }

    private static func run(_ work: Work, _ me: Worker, _ lock: inout WorkLock) {
        guard let function = work.function else {
            _ = work.unlink()
            return
        }
        me.begin(work, function)
        lock.unlocked { function(work.raw) }
        me.end()
    }

    // MARK: Ending

    /// - Returns: the thread that left before, to be joined: whoever joins the last has joined all.
    private static func leave(_ queue: Queue, _ me: Worker) -> pthread_t? {
        me.unlist()
        let previous = queue.lastEnded
        queue.lastEnded = me.thread
        queue.threads &-= 1
        pthread_cond_broadcast(&cio_work_done)
        return previous
    }

    /// Waits for the end of all threads, none of which may be the caller.
    static func stop(_ queue: Queue, _ lock: inout WorkLock) {
        queue.isStopping = true
        queue.wakeAllThreads()
        while queue.threads > 0 { lock.waitForAnEnd() }
        guard let last = queue.lastEnded else { return }
        queue.lastEnded = nil
        lock.unlocked { pthread_join(last, nil) }
    }
}

extension cio_worker {
    /// The calling thread, for a queue.
    fileprivate init(_ queue: Queue, waits: Bool) {
        self.init(
            next: nil, wq: queue.raw, thread: pthread_self(), work: nil, func: nil, ticket: 0,
            waits: waits)
    }
}

@_cdecl("cio_worker_main") @implementation
public func cio_worker_main(_ wq: UnsafeMutablePointer<workqueue_struct>) {
    var me = cio_worker(Queue(wq), waits: false)
    withUnsafeMutablePointer(to: &me) { Workers.main(Worker(raw: $0)) }
}
