// SPDX-License-Identifier: MIT
// What the core knows of address spaces: pointers that can be pinned, by whoever makes them.

/// Filled in before anything else runs, by the layer that has address spaces. Without it a token is
/// a number to compare.
package enum AddressSpaceHooks {
    /// Is this a live address space of ours? Then it has one more reference.
    nonisolated(unsafe) package static var pin: (@convention(c) (UnsafeMutableRawPointer) -> Bool)?
    nonisolated(unsafe) package static var unpin: (@convention(c) (UnsafeMutableRawPointer) -> Void)?
    /// The address space that the calling thread stands for.
    nonisolated(unsafe) package static var current: (@convention(c) () -> UnsafeRawPointer?)?
}

func mmGrabIfKnown(_ pointer: UnsafeMutableRawPointer) -> Bool {
    AddressSpaceHooks.pin?(pointer) ?? false
}

func mmDrop(_ pointer: UnsafeMutableRawPointer) {
    AddressSpaceHooks.unpin?(pointer)
}
