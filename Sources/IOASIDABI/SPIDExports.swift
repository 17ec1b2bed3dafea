// SPDX-License-Identifier: MIT
// Exports: set-private ids.

import CIOASID
import CIOASIDCore
import CIOASIDRuntime
import IOASIDCore
import IOASIDMemory
import IOASIDRuntime
import Synchronization

@_cdecl("ioasid_attach_spid") @implementation
public func ioasid_attach_spid(_ ioasid: ioasid_t, _ spid: ioasid_t) -> CInt {
    Returns.status(ioasid) { () throws(RequestError) in
        try CallOut.withLock { out throws(RequestError) in
            try Core.attachSPID(ID(rawValue: ioasid), SPID(rawValue: spid), out)
        }
    }
}

@_cdecl("ioasid_detach_spid") @implementation
public func ioasid_detach_spid(_ ioasid: ioasid_t) -> CInt {
    Returns.status(ioasid) { () throws(RequestError) in
        try CallOut.withLock { out throws(RequestError) in
            try Core.detachSPID(ID(rawValue: ioasid), out)
        }
    }
}

@_cdecl("ioasid_find_by_spid") @implementation
public func ioasid_find_by_spid(
    _ set: UnsafeMutablePointer<ioasid_set>?, _ spid: ioasid_t
) -> ioasid_t {
    Returns.id { () throws(RequestError) in
        try Core.findBySPID(set, SPID(rawValue: spid), get: true)
    }
}

@_cdecl("ioasid_find_by_spid_ref") @implementation
public func ioasid_find_by_spid_ref(
    _ set: UnsafeMutablePointer<ioasid_set>?, _ spid: ioasid_t, _ get: Bool
) -> ioasid_t {
    Returns.id { () throws(RequestError) in
        try Core.findBySPID(set, SPID(rawValue: spid), get: get, isRef: true)
    }
}

@_cdecl("ioasid_find_spid") @implementation
public func ioasid_find_spid(_ ioasid: ioasid_t) -> ioasid_t {
    Core.spid(of: ID(rawValue: ioasid)).rawValue
}
