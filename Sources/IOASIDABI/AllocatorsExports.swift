// SPDX-License-Identifier: MIT
// Exports: custom allocators.

import CIOASID
import CIOASIDCore
import CIOASIDRuntime
import IOASIDCore
import IOASIDMemory
import IOASIDRuntime
import Synchronization

@_cdecl("ioasid_register_allocator") @implementation
public func ioasid_register_allocator(_ ops: UnsafeMutablePointer<ioasid_allocator_ops>?) -> CInt {
    Returns.status { () throws(RequestError) in
        try CoreLock.withLock { () throws(RequestError) in try Allocators.register(ops) }
    }
}

@_cdecl("ioasid_unregister_allocator") @implementation
public func ioasid_unregister_allocator(_ ops: UnsafeMutablePointer<ioasid_allocator_ops>?) {
    _ = Returns.status { () throws(RequestError) in
        let leavesIDs = try CoreLock.withLock { () throws(RequestError) in
            try Allocators.unregister(ops)
        }
        if leavesIDs { Log.warn("allocator unregistered with ids in use; they stay until freed") }
    }
}
