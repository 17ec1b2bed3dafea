// SPDX-License-Identifier: MIT
// The core in the child of fork().

@preconcurrency import CIOASIDCore
import IOASIDMemory
import IOASIDRuntime

extension Core {
    /// Another thread was in a callback, and is not here: its delivery goes no further.
    static func forgetCallbacks() {
        Delivery.innermost = nil
        CallOut.forgetCallbacks()
    }
}
