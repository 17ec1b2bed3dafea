// SPDX-License-Identifier: MIT
// Exports: subscribers and events.

import CIOASID
import CIOASIDCore
import CIOASIDRuntime
import IOASIDCore
import IOASIDMemory
import IOASIDRuntime
import Synchronization

@_cdecl("ioasid_register_notifier") @implementation
public func ioasid_register_notifier(
    _ set: UnsafeMutablePointer<ioasid_set>?, _ nb: UnsafeMutablePointer<notifier_block>?
) -> CInt {
    Returns.status { () throws(RequestError) in
        try CoreLock.withLock { () throws(RequestError) -> Void in try Core.subscribe(set, nb) }
    }
}

@_cdecl("ioasid_register_notifier_replay") @implementation
public func ioasid_register_notifier_replay(
    _ set: UnsafeMutablePointer<ioasid_set>?, _ nb: UnsafeMutablePointer<notifier_block>?
) -> CInt {
    Returns.status { () throws(RequestError) in
        try CallOut.withLock { out throws(RequestError) in
            try Core.subscribeWithReplay(set, nb, out)
        }
    }
}

@_cdecl("ioasid_unregister_notifier") @implementation
public func ioasid_unregister_notifier(
    _ set: UnsafeMutablePointer<ioasid_set>?, _ nb: UnsafeMutablePointer<notifier_block>?
) {
    _ = Returns.status { () throws(RequestError) in
        try CoreLock.withLock { () throws(RequestError) in try Core.unsubscribe(set, nb) }
    }
}

@_cdecl("ioasid_register_notifier_mm") @implementation
public func ioasid_register_notifier_mm(
    _ mm: OpaquePointer?, _ nb: UnsafeMutablePointer<notifier_block>?
) -> CInt {
    Returns.status { () throws(RequestError) in
        try CoreLock.withLock { () throws(RequestError) in
            try Core.subscribe(mm: UnsafeMutableRawPointer(mm), nb)
        }
    }
}

@_cdecl("ioasid_unregister_notifier_mm") @implementation
public func ioasid_unregister_notifier_mm(
    _ mm: OpaquePointer?, _ nb: UnsafeMutablePointer<notifier_block>?
) {
    _ = Returns.status { () throws(RequestError) in
        try CoreLock.withLock { () throws(RequestError) in
            try Core.unsubscribe(mm: UnsafeMutableRawPointer(mm), nb)
        }
    }
}

@_cdecl("ioasid_notify") @implementation
public func ioasid_notify(
    _ ioasid: ioasid_t, _ cmd: ioasid_notify_val, _ flags: CUnsignedInt
) -> CInt {
    var result = NOTIFY_DONE
    let status = Returns.status(ioasid) { () throws(RequestError) in
        guard flags != 0, flags & ~3 == 0 else { throw .argument }
        result = try CallOut.withLock { out throws(RequestError) in
            try Core.notify(ID(rawValue: ioasid), cmd, Audience(rawValue: flags), out)
        }
    }
    return status != 0 ? status : errno(result)
}

/// What a handler's result means, if it means anything: its error is between -4095 and 0.
private func errno(_ result: CInt) -> CInt {
    let errno = notifier_to_errno(result)
    return errno >= -4095 ? errno : 0 &- EINVAL
}
