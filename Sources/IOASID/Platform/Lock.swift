// SPDX-License-Identifier: MIT
// The core lock: recursive, because handlers and allocators may call back. The lock is on the C floor.

import CIOASID

enum CoreLock {
    @inline(__always)
    static func withLock<Result, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        cio_core_lock()
        defer {
            #if IOASID_CHECKS
            if !isNested { Core.checkInvariants() }
            #endif
            cio_core_unlock()
        }
        return try body()
    }

    /// Does the caller run in a callback of the library? To be asked with the lock held.
    static var isNested: Bool { cio_core_is_nested() }
}
