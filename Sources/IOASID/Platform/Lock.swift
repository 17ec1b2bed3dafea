// SPDX-License-Identifier: MIT
// The core lock: one recursive pthread mutex, because handlers and allocators may call back.

import CIOASID
import Synchronization

enum CoreLock {
    /// How often the thread that has the lock has taken it. Guarded by the lock.
    private static let depth = Cell<UInt32>(0)

    @inline(__always)
    static func withLock<Result>(_ body: () -> Result) -> Result {
        cio_core_lock()
        depth.increment()
        defer {
            depth.decrement()
            cio_core_unlock()
        }
        return body()
    }

    @inline(__always)
    static func withLock<Result, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        cio_core_lock()
        depth.increment()
        defer {
            depth.decrement()
            cio_core_unlock()
        }
        return try body()
    }

    /// Does the caller run in a callback of the library? To be asked with the lock held.
    static var isNested: Bool { depth.value > 1 }
}
