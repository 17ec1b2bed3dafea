// SPDX-License-Identifier: MIT
// The core: every request, by subject, in extensions of this name.

import CIOASIDCore
import IOASIDRuntime

/// Functions that change anything run with the core lock held, unless they say otherwise. State is
/// in the tables (IDs, Sets, Events), which never call out. What may call out (Life) takes a
/// `CallOut`.
package enum Core {}

/// Once, before anything else.
@_cdecl("cio_core_begin") @implementation
public func cio_core_begin() {
    #if IOASID_CHECKS
    CoreLock.invariants = { Core.checkInvariants() }
    #endif
    Trace.begin()
    History.startIfAsked()
}

/// In the child of fork(), which has one thread. Another one may have been in a callback.
@_cdecl("cio_core_after_fork") @implementation
public func cio_core_after_fork(_ was_in_callback: Bool) {
    Waiters.forget()
    if was_in_callback { Core.forgetCallbacks() }
}
