// SPDX-License-Identifier: MIT
// The driver's two locks. Order: driver, then libioasid's core lock, then table, then hardware.

@preconcurrency import CIOASIDVTDDriver
@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory
import IOASIDVTDHardware

extension Lock {
    /// For bindings and attachments. Handlers of the events that a binding causes run inside.
    /// - Returns: what `body` returned; -EDEADLK if this thread is inside already.
    @inline(__always)
    package static func driver(_ body: () -> CInt) -> CInt {
        guard pthread_mutex_lock(&civtd_driver_mutex) == 0 else { return -EDEADLK }
        let result = body()
        let retired = Retired.take()
        pthread_mutex_unlock(&civtd_driver_mutex)
        retired.settle()
        return result
    }

    /// For the table of bindings. Taken with the core lock held, so nothing is called from inside.
    @inline(__always)
    package static func table<Result>(_ body: () -> Result) -> Result {
        pthread_mutex_lock(&civtd_table_mutex)
        defer { pthread_mutex_unlock(&civtd_table_mutex) }
        return body()
    }
}
