// SPDX-License-Identifier: MIT
// The core lock: recursive, because handlers and allocators may call back. The lock is on the C floor.

import CIOASID
import CIOASIDRuntime
import IOASIDMemory

package enum CoreLock {
    @inline(__always)
    package static func withLock<Result, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        cio_core_lock()
        defer {
            #if IOASID_CHECKS
            if !isNested { invariants?() }
            #endif
            cio_core_unlock()
        }
        return try body()
    }

    #if IOASID_CHECKS
    /// What must hold whenever nobody has the lock: set by who knows.
    nonisolated(unsafe) package static var invariants: (@convention(c) () -> Void)?
    #endif

    /// Does the caller run in a callback of the library? To be asked with the lock held.
    package static var isNested: Bool { cio_core_is_nested() }
}
