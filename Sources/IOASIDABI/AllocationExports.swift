// SPDX-License-Identifier: MIT
// Exports: ids, from ioasid_alloc() to the last ioasid_put().

import CIOASID
import CIOASIDCore
import CIOASIDKernel
import CIOASIDRuntime
import IOASIDCore
import IOASIDKernel
import IOASIDMemory
import IOASIDRuntime
import Synchronization

@_cdecl("ioasid_alloc") @implementation
public func ioasid_alloc(
    _ set: UnsafeMutablePointer<ioasid_set>?, _ min: ioasid_t, _ max: ioasid_t,
    _ priv: UnsafeMutableRawPointer?
) -> ioasid_t {
    Returns.id { () throws(Refusal) in
        try CoreLock.withLock { () throws(Refusal) in try Core.allocate(set, min, max, priv) }
    }
}

@_cdecl("ioasid_free") @implementation
public func ioasid_free(_ set: UnsafeMutablePointer<ioasid_set>?, _ ioasid: ioasid_t) {
    IDTable.prefetch(ioasid)
    _ = Returns.status(ioasid) { () throws(Refusal) in
        try CoreLock.withLock { () throws(Refusal) in try Core.free(set, ioasid) }
    }
}

@_cdecl("ioasid_get") @implementation
public func ioasid_get(_ set: UnsafeMutablePointer<ioasid_set>?, _ ioasid: ioasid_t) -> CInt {
    Returns.status(ioasid) { () throws(Refusal) in try Core.get(set, ioasid) }
}

/// The lock is recursive, and this takes none: the plain form does.
@_cdecl("ioasid_get_locked") @implementation
public func ioasid_get_locked(
    _ set: UnsafeMutablePointer<ioasid_set>?, _ ioasid: ioasid_t
) -> CInt {
    ioasid_get(set, ioasid)
}

@_cdecl("ioasid_get_if_owned") @implementation
public func ioasid_get_if_owned(_ ioasid: ioasid_t) -> CInt {
    Returns.status(ioasid) { () throws(Refusal) in
        try CoreLock.withLock { () throws(Refusal) in try Core.getIfOwned(ioasid) }
    }
}

@_cdecl("ioasid_put") @implementation
public func ioasid_put(_ set: UnsafeMutablePointer<ioasid_set>?, _ ioasid: ioasid_t) -> Bool {
    Returns.truth(ioasid) { () throws(Refusal) in try Core.put(set, ioasid) }
}

@_cdecl("ioasid_put_locked") @implementation
public func ioasid_put_locked(
    _ set: UnsafeMutablePointer<ioasid_set>?, _ ioasid: ioasid_t
) -> Bool {
    ioasid_put(set, ioasid)
}
