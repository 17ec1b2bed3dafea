// SPDX-License-Identifier: MIT
// The lock of the hardware. Drivers add theirs, which come before it.

@preconcurrency import CIOASIDVTDHardware

package enum Lock {
    /// For everything that the hardware reads or writes. Never held while a callback runs.
    @inline(__always)
    package static func hardware<Result>(_ body: () -> Result) -> Result {
        pthread_mutex_lock(&civtd_hardware_mutex)
        defer { pthread_mutex_unlock(&civtd_hardware_mutex) }
        return body()
    }
}
