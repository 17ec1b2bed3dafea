// SPDX-License-Identifier: MIT
// Exports: custom allocators.

import CIOASID
import CIOASIDCore
import CIOASIDKernel
import CIOASIDRuntime
import IOASIDCore
import IOASIDKernel
import IOASIDMemory
import IOASIDRuntime
import Synchronization

@_cdecl("ioasid_register_allocator") @implementation
public func ioasid_register_allocator(_ ops: UnsafeMutablePointer<ioasid_allocator_ops>?) -> CInt {
    Returns.status { () throws(Refusal) in
        try CoreLock.withLock { () throws(Refusal) in try Allocators.register(ops) }
    }
}

@_cdecl("ioasid_unregister_allocator") @implementation
public func ioasid_unregister_allocator(_ ops: UnsafeMutablePointer<ioasid_allocator_ops>?) {
    _ = Returns.status { () throws(Refusal) in
        try CoreLock.withLock { () throws(Refusal) in try Allocators.unregister(ops) }
    }
}
