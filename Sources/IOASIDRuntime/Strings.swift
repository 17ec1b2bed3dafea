// SPDX-License-Identifier: MIT
// Constant strings, as C takes them.

extension StaticString {
    /// The compiler ends a literal with a zero byte.
    package var cString: UnsafePointer<CChar> {
        UnsafeRawPointer(utf8Start).assumingMemoryBound(to: CChar.self)
    }
}
