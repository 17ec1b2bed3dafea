// SPDX-License-Identifier: MIT
// The boundary of <linux/ioasid-hooks.h>.

import CIOASID
import CIOASIDCore
import IOASIDCore
import IOASIDRuntime

@_cdecl("ioasid_install_hooks") @implementation
public func ioasid_install_hooks(_ hooks: UnsafePointer<ioasid_hooks>?) -> CInt {
    Returns.status { () throws(RequestError) in
        guard let hooks else { throw .argument }
        try CoreLock.withLock { () throws(RequestError) in try AddressSpaceHooks.install(hooks) }
    }
}
