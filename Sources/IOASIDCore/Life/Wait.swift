// SPDX-License-Identifier: MIT
// Requests that wait until what they end is gone: bound to a life, not to a number.

import CIOASIDCore
import CIOASIDRuntime
import IOASIDMemory
import IOASIDRuntime
import Synchronization

/// Threads that wait. They sleep at a word that counts what went, so nothing is missed between a look
/// and the sleep; no lock is held meanwhile, and whoever lets something go knows of them by
/// `Attention.waiters`.
enum Waiters {
    /// Guarded by the core lock.
    private static let count = Cell<UInt32>(0)
    nonisolated(unsafe) private static var gone: UInt32 = 0

    /// With the lock.
    static func wake() { cio_count_up(stable(&gone)) }

    /// In the child of fork(): whoever waited is not here.
    static func forget() {
        count.value = 0
        note()
    }

    private static func note() { Attention.set(Attention.waiters, count.value != 0) }

    /// Ends something by `begin`, with the lock, and waits until `isGone`, which is asked with it.
    static func wait(
        _ timeout: Timeout, _ begin: (CallOut) throws(RequestError) -> Void,
        until isGone: () -> Bool
    ) throws(RequestError) {
        guard !CoreLock.isMine, !ReadSide.isInSection else {
            throw .deadlock
        }
        try CallOut.withLock { out throws(RequestError) in
            try begin(out)
            count.increment()
            note()
        }
        let isTimely = Cancellation.held { sleep(timeout, isGone) }
        CoreLock.withLock {
            count.decrement()
            note()
        }
        guard isTimely else {
            throw RequestError(IOASID_REFUSED_BUSY, ETIMEDOUT).because("others hold it still")
        }
    }

    private static func sleep(_ timeout: Timeout, _ isGone: () -> Bool) -> Bool {
        while true {
            let seen = cio_count_now(stable(&gone))
            if CoreLock.withLock(isGone) { return true }
            guard cio_count_wait(stable(&gone), seen, timeout.deadline) else {
                return CoreLock.withLock(isGone)
            }
        }
    }
}

/// When to give up, by the monotonic clock in nanoseconds; never, if it is the end of time.
package struct Timeout {
    let deadline: UInt64

    /// - Parameter milliseconds: negative for ever.
    package init(milliseconds: CInt) {
        deadline =
            milliseconds < 0
            ? .max : cio_now_ns() &+ UInt64(UInt32(bitPattern: milliseconds)) &* 1_000_000
    }
}

extension Core {
    package static func freeAndWait(
        _ handle: SetHandle?, _ id: ID, _ timeout: Timeout
    ) throws(RequestError) {
        var one: Incarnation?
        try Waiters.wait(
            timeout,
            { out throws(RequestError) in
                one = IDTable.incarnation(of: id)
                try freeLoudly(handle, id, out)
            }, until: { one?.isCurrent != true })
    }

    package static func putSetAndWait(
        _ handle: SetHandle?, _ timeout: Timeout
    ) throws(RequestError) {
        var one: SetIncarnation?
        try Waiters.wait(
            timeout,
            { out throws(RequestError) in
                one = SetIncarnation(try ownedSet(handle))
                try putSet(handle, out)
            }, until: { one?.isThere != true })
    }
}
