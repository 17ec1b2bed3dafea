// SPDX-License-Identifier: MIT
// The boundary of <linux/ioasid-log.h>.

import CIOASID
import CIOASIDCore
import CIOASIDRuntime
import IOASIDCore
import IOASIDMemory
import IOASIDRuntime
import Synchronization

@_cdecl("ioasid_set_log") @implementation
public func ioasid_set_log(_ fn: ioasid_log_fn?, _ data: UnsafeMutableRawPointer?) -> Int32 {
    Returns.status { () throws(RequestError) in
        guard cio_log_set_sink(fn, data) == 0 else { throw .deadlock }
    }
}

@_cdecl("ioasid_set_log_level") @implementation
public func ioasid_set_log_level(_ level: Int32) -> Int32 {
    Log.setLevel(level)
}

@_cdecl("ioasid_ratelimit") @implementation
public func ioasid_ratelimit(_ rs: UnsafeMutablePointer<ioasid_ratelimit_state>?) -> Bool {
    guard let rs else { return true }
    return Log.mayRepeat(rs)
}
