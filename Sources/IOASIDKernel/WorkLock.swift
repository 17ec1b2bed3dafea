// SPDX-License-Identifier: MIT
// The one lock of the work queues, as a value: who has it in hand has it locked.

@preconcurrency import CIOASIDKernel

/// Guards queues, threads, items and deferred frees. It is never held while an item runs, and
/// nothing of the library is locked inside it. So no line is logged with it either: a sink may
/// queue work. What is to be said is put down, and said when the lock is given back.
package struct WorkLock: ~Copyable {
    private var line: StaticString?

    private init() {
        line = nil
        pthread_mutex_lock(&cio_work_mutex)
    }

    deinit {
        pthread_mutex_unlock(&cio_work_mutex)
        if let line { warn(line) }
    }

    /// For what does not wait.
    @inline(__always)
    package static func with<Result>(_ body: (inout WorkLock) -> Result) -> Result {
        var lock = WorkLock()
        return body(&lock)
    }

    /// For what waits. A thread that was cancelled while it waits would leave the lock locked and
    /// its marks on items, so cancellation is held off until all is given back.
    package static func waiting<Result>(_ body: (inout WorkLock) -> Result) -> Result {
        let before = cio_hold_cancellation()
        defer { cio_restore_cancellation(before) }
        return with(body)
    }

    /// To be said when the lock is given back.
    package mutating func remark(_ line: StaticString) {
        self.line = line
    }

    // MARK: Giving it up for a while: everything must be looked up again afterwards

    /// Waits until something has ended: an item, a thread, a deferred free. May return without.
    package mutating func waitForAnEnd() {
        // While the line is said, what is waited for may end.
        if !sayNow() { pthread_cond_wait(&cio_work_done, &cio_work_mutex) }
    }

    package mutating func waitForAnEnd(noLongerThan time: Nanoseconds) {
        _ = sayNow()
        cio_work_wait_ns(&cio_work_done, time)
    }

    /// For threads of a queue, which have nothing to say.
    mutating func wait(at condition: UnsafeMutablePointer<pthread_cond_t>) {
        pthread_cond_wait(condition, &cio_work_mutex)
    }

    /// Says what is to be said, for the wait may be long.
    /// - Returns: whether that gave the lock up
    private mutating func sayNow() -> Bool {
        guard let line else { return false }
        self.line = nil
        unlocked { warn(line) }
        return true
    }

    package mutating func unlocked(_ body: () -> Void) {
        pthread_mutex_unlock(&cio_work_mutex)
        body()
        pthread_mutex_lock(&cio_work_mutex)
    }
}

package typealias Nanoseconds = UInt64

extension Nanoseconds {
    package static func milliseconds(_ count: UInt64) -> Nanoseconds { count &* 1_000_000 }
}
