// SPDX-License-Identifier: MIT
// Read-side sections and grace periods, the same that <linux/rcupdate.h> gives to users.

@preconcurrency import CIOASID
@preconcurrency import CIOASIDRuntime
import IOASIDMemory

package enum ReadSide {
    @inline(__always)
    package static func section<Result, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        cio_read_lock()
        defer { cio_read_unlock() }
        return try body()
    }

    /// For callers that are not one piece of code, such as users of <linux/rcupdate.h>.
    @inline(__always)
    package static func enter() { cio_read_lock() }

    @inline(__always)
    package static func leave() { cio_read_unlock() }

    /// Is the calling thread inside a section, its own or one of the library's?
    package static var isInSection: Bool { cio_read_ongoing() }

    /// Waits until every section that has begun is over. Never with the core lock held.
    package static func waitForReaders() { cio_synchronize() }
}
