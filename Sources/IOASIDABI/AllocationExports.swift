// SPDX-License-Identifier: MIT
// Exports: ids, from ioasid_alloc() to the last ioasid_put().

import CIOASID
import CIOASIDCore
import CIOASIDRuntime
import IOASIDCore
import IOASIDMemory
import IOASIDRuntime
import Synchronization

@_cdecl("ioasid_alloc") @implementation
public func ioasid_alloc(
    _ set: UnsafeMutablePointer<ioasid_set>?, _ min: ioasid_t, _ max: ioasid_t,
    _ priv: UnsafeMutableRawPointer?
) -> ioasid_t {
    Returns.id { () throws(RequestError) in
        let range = IDRange(min, through: max)
        return try CallOut.withLock(
            quietly: { out throws(RequestError) in try Core.allocate(set, range, priv, out) },
            orElse: { out throws(RequestError) in try Core.allocate(set, range, priv, out) })
    }
}

@_cdecl("ioasid_alloc_by_address") @implementation
public func ioasid_alloc_by_address(
    _ set: UnsafeMutablePointer<ioasid_set>?, _ min: ioasid_t, _ max: ioasid_t,
    _ priv: UnsafeMutableRawPointer?
) -> ioasid_t {
    Returns.id { () throws(RequestError) in
        try CallOut.withLock { out throws(RequestError) in
            try Core.allocate(lending: set, IDRange(min, through: max), priv, out)
        }
    }
}

@_cdecl("ioasid_free") @implementation
public func ioasid_free(_ set: UnsafeMutablePointer<ioasid_set>?, _ ioasid: ioasid_t) {
    let id = ID(rawValue: ioasid)
    IDTable.prefetch(id)
    _ = Returns.status(ioasid) { () throws(RequestError) in
        try CallOut.withLock(
            quietly: { out throws(RequestError) in try Core.free(set, id, out) },
            orElse: { out throws(RequestError) in try Core.freeLoudly(set, id, out) })
    }
}

@_cdecl("ioasid_get") @implementation
public func ioasid_get(_ set: UnsafeMutablePointer<ioasid_set>?, _ ioasid: ioasid_t) -> CInt {
    Returns.status(ioasid) { () throws(RequestError) in try Core.get(set, ID(rawValue: ioasid)) }
}

/// In the name of the function where the call stands. Out of line: what is asked most stays short.
@inline(never)
func getReference(
    _ set: SetHandle?, _ ioasid: ioasid_t, caller: StaticString = #function
) -> CInt {
    Returns.status(ioasid, caller: caller) { () throws(RequestError) in
        try Core.get(set, ID(rawValue: ioasid))
    }
}

/// The lock is recursive, and this takes none: the plain form does.
@_cdecl("ioasid_get_locked") @implementation
public func ioasid_get_locked(
    _ set: UnsafeMutablePointer<ioasid_set>?, _ ioasid: ioasid_t
) -> CInt {
    getReference(set, ioasid)
}

@_cdecl("ioasid_get_if_owned") @implementation
public func ioasid_get_if_owned(_ ioasid: ioasid_t) -> CInt {
    Returns.status(ioasid) { () throws(RequestError) in
        try CoreLock.withLock { () throws(RequestError) in try Core.getIfOwned(ID(rawValue: ioasid))
        }
    }
}

@_cdecl("ioasid_put") @implementation
public func ioasid_put(_ set: UnsafeMutablePointer<ioasid_set>?, _ ioasid: ioasid_t) -> Bool {
    Returns.truth(ioasid) { () throws(RequestError) in try Core.put(set, ID(rawValue: ioasid)) }
}

@inline(never)
func putReference(
    _ set: SetHandle?, _ ioasid: ioasid_t, caller: StaticString = #function
) -> Bool {
    Returns.truth(ioasid, caller: caller) { () throws(RequestError) in
        try Core.put(set, ID(rawValue: ioasid))
    }
}

@_cdecl("ioasid_put_locked") @implementation
public func ioasid_put_locked(
    _ set: UnsafeMutablePointer<ioasid_set>?, _ ioasid: ioasid_t
) -> Bool {
    putReference(set, ioasid)
}
