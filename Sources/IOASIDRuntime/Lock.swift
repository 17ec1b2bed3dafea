// SPDX-License-Identifier: MIT
// The core lock: recursive, because handlers and allocators may call back. lock.h has it.

import CIOASIDRuntime

package enum CoreLock {
    #if IOASID_CHECKS
    /// What must hold whenever nobody has the lock: set by who knows.
    nonisolated(unsafe) package static var invariants: (@convention(c) () -> Void)?
    #endif

    @inline(__always)
    package static func lock() { cio_core_lock() }

    /// Takes the lock if the caller has not got it.
    @inline(__always)
    package static func lockIfFree() -> Bool { cio_core_lock_outermost() }

    /// For who took it by `lockIfFree`.
    @inline(__always)
    package static func unlockOutermost() {
        #if IOASID_CHECKS
        invariants?()
        #endif
        cio_core_unlock_outermost()
    }

    @inline(__always)
    package static func unlock() {
        #if IOASID_CHECKS
        if !isNested { invariants?() }
        #endif
        cio_core_unlock()
    }

    @inline(__always)
    package static func withLock<Result: ~Copyable, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        lock()
        defer { unlock() }
        return try body()
    }

    /// Does the caller run in a callback of the library? To be asked with the lock held.
    package static var isNested: Bool { cio_core_is_nested() }

    /// Has the caller the lock, in a callback of the library? To be asked by anybody.
    package static var isMine: Bool { cio_core_is_mine() }

    /// Does the caller run in users' code that the library has called, with the lock or without? To be
    /// asked by anybody.
    package static var isInCallback: Bool { cio_is_in_callback() }

    /// Users' code runs now, with the lock held, and what it guards is consistent.
    /// - Returns: what is to be given to `enter`.
    @inline(__always)
    package static func leave() -> CUnsignedInt { cio_core_leave() }

    /// Users' code has returned.
    @inline(__always)
    package static func enter(_ before: CUnsignedInt) { cio_core_enter(before) }
}
