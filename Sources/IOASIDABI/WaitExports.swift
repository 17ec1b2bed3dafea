// SPDX-License-Identifier: MIT
// Exports: when something is really gone.

import CIOASID
import CIOASIDCore
import IOASIDCore
import IOASIDRuntime

@_cdecl("ioasid_register_reclaim") @implementation
public func ioasid_register_reclaim(_ nb: UnsafeMutablePointer<notifier_block>?) -> CInt {
    Returns.status { () throws(RequestError) in
        try CoreLock.withLock { () throws(RequestError) in try Core.subscribeToReclaims(nb) }
    }
}

@_cdecl("ioasid_unregister_reclaim") @implementation
public func ioasid_unregister_reclaim(_ nb: UnsafeMutablePointer<notifier_block>?) {
    _ = Returns.status { () throws(RequestError) in
        try CoreLock.withLock { () throws(RequestError) in try Core.unsubscribeFromReclaims(nb) }
    }
}

@_cdecl("ioasid_free_wait") @implementation
public func ioasid_free_wait(
    _ set: UnsafeMutablePointer<ioasid_set>?, _ ioasid: ioasid_t, _ timeout_ms: CInt
) -> CInt {
    Returns.status(ioasid) { () throws(RequestError) in
        try Core.freeAndWait(set, ID(rawValue: ioasid), Timeout(milliseconds: timeout_ms))
    }
}

@_cdecl("ioasid_set_put_wait") @implementation
public func ioasid_set_put_wait(
    _ set: UnsafeMutablePointer<ioasid_set>?, _ timeout_ms: CInt
) -> CInt {
    Returns.status { () throws(RequestError) in
        try Core.putSetAndWait(set, Timeout(milliseconds: timeout_ms))
    }
}
