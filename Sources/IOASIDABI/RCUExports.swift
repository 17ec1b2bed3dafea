// SPDX-License-Identifier: MIT
// The boundary of <linux/ioasid-rcu.h>.

import CIOASID
import IOASIDRuntime

@_cdecl("ioasid_rcu_read_lock") @implementation
public func ioasid_rcu_read_lock() {
    ReadSide.enter()
}

@_cdecl("ioasid_rcu_read_unlock") @implementation
public func ioasid_rcu_read_unlock() {
    ReadSide.leave()
}

@_cdecl("ioasid_rcu_read_lock_held") @implementation
public func ioasid_rcu_read_lock_held() -> Bool {
    ReadSide.isInSection
}

@_cdecl("ioasid_rcu_synchronize") @implementation
public func ioasid_rcu_synchronize() {
    if ReadSide.isInSection { Log.warn("synchronize_rcu by a reader: not waiting for itself") }
    ReadSide.waitForReaders()
}

@_cdecl("ioasid_may_wait") @implementation
public func ioasid_may_wait() -> Bool {
    !ReadSide.isInSection && !CoreLock.isMine
}
