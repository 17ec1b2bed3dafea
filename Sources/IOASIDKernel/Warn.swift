// SPDX-License-Identifier: MIT
// What the helpers have to say.

@preconcurrency import CIOASIDKernel

/// A line on the library's log, limited in rate by message.
@inline(never)
package func warn(_ message: StaticString) {
    // The compiler ends a literal with a zero byte.
    cio_warn(UnsafeRawPointer(message.utf8Start).assumingMemoryBound(to: CChar.self))
}
