// SPDX-License-Identifier: MIT
// What the core knows of address spaces: pointers that can be pinned, by whoever makes them.

import IOASIDMemory

/// The layer that has address spaces says how, before anything else runs. Without it a token is a
/// number to compare.
package enum AddressSpaceHooks {
    package struct Functions {
        /// Is this a live address space? Then it has one more reference.
        let pin: @convention(c) (UnsafeMutableRawPointer) -> Bool
        let unpin: @convention(c) (UnsafeMutableRawPointer) -> Void
        /// The one that the calling thread stands for.
        let current: @convention(c) () -> UnsafeRawPointer?

        package init(
            pin: @convention(c) (UnsafeMutableRawPointer) -> Bool,
            unpin: @convention(c) (UnsafeMutableRawPointer) -> Void,
            current: @convention(c) () -> UnsafeRawPointer?
        ) {
            self.pin = pin
            self.unpin = unpin
            self.current = current
        }
    }

    nonisolated(unsafe) package static var functions: Functions?

    /// - Returns: whether there is one to unpin later.
    static func pin(_ token: UInt) -> Bool {
        guard let functions, let mm = UnsafeMutableRawPointer(bitPattern: token) else {
            return false
        }
        return functions.pin(mm)
    }

    static func unpin(_ token: UInt) {
        guard let functions, let mm = UnsafeMutableRawPointer(bitPattern: token) else { return }
        functions.unpin(mm)
    }

    /// The token of the calling thread's address space; 0 if it has none.
    static var current: UInt { UInt(bitPattern: functions?.current()) }
}
