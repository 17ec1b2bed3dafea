// SPDX-License-Identifier: MIT
// pthread_cancel() held off while users' code runs: what the library has open must be closed again.

import CIOASIDRuntime

package enum Cancellation {
    /// Not around each lock: that is no place where a thread is cancelled.
    @inline(__always)
    package static func held<Result>(_ body: () -> Result) -> Result {
        let before = cio_hold_cancellation()
        defer { cio_restore_cancellation(before) }
        return body()
    }

    /// The same around visitors and write functions, which are called without the core lock.
    @inline(__always)
    package static func heldInCallbacks<Result>(_ body: () -> Result) -> Result {
        held {
            let before = cio_callbacks_begin()
            defer { cio_callbacks_end(before) }
            return body()
        }
    }
}
