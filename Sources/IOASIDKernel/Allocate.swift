// SPDX-License-Identifier: MIT
// The checked allocator, for the parts in C.

@preconcurrency import CIOASIDKernel
import IOASIDMemory

@_cdecl("cio_allocate") @implementation
public func cio_allocate(_ bytes: Int) -> UnsafeMutableRawPointer? {
    Memory.allocate(bytes)
}

@_cdecl("cio_free") @implementation
public func cio_free(_ block: UnsafeMutableRawPointer?) {
    Memory.free(block)
}
