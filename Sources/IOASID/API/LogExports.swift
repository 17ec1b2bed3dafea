// SPDX-License-Identifier: MIT
// The boundary of <linux/ioasid-log.h>.

import CIOASID
import Synchronization

@_cdecl("ioasid_set_log") @implementation
public func ioasid_set_log(_ fn: ioasid_log_fn?, _ data: UnsafeMutableRawPointer?) -> Int32 {
    Log.setSink(fn, data) ? 0 : -EDEADLK
}

@_cdecl("ioasid_set_log_level") @implementation
public func ioasid_set_log_level(_ level: Int32) -> Int32 {
    Log.setLevel(level)
}

@_cdecl("ioasid_ratelimit") @implementation
public func ioasid_ratelimit(_ rs: UnsafeMutablePointer<ratelimit_state>?) -> Bool {
    guard let rs else { return true }
    return Log.mayRepeat(rs)
}

@_cdecl("cio_log_passes") @implementation
public func cio_log_passes(_ level: Int32) -> Bool {
    Log.passes(level)
}

@_cdecl("cio_log_deliver") @implementation
public func cio_log_deliver(_ level: Int32, _ line: UnsafePointer<CChar>) {
    Log.deliver(level, line)
}
