// SPDX-License-Identifier: MIT
// What the core knows of address spaces: pointers that can be pinned, by whoever makes them.

@preconcurrency import CIOASIDCore
import IOASIDRuntime

/// Whoever has address spaces says how, by `ioasid_install_hooks()`. Without hooks a token is a
/// number to compare.
package enum AddressSpaceHooks {
    private static var functions: ioasid_hooks? { cio_hooks?.pointee }

    package static func install(_ hooks: UnsafePointer<ioasid_hooks>) throws(RequestError) {
        guard cio_hooks_are_complete(hooks) else { throw .argument }
        guard cio_hooks == nil else { throw RequestError.busy.because("there are hooks") }
        cio_hooks = hooks
    }

    /// - Returns: whether there is one to unpin later.
    static func pin(_ token: UInt) -> Bool {
        guard let functions, let mm = OpaquePointer(bitPattern: token) else { return false }
        return functions.pin(mm)
    }

    static func unpin(_ token: UInt) {
        guard let functions, let mm = OpaquePointer(bitPattern: token) else { return }
        functions.unpin(mm)
    }

    /// The token of the calling thread's address space; 0 if it has none.
    static var current: UInt { UInt(bitPattern: functions?.current_mm()) }
}
