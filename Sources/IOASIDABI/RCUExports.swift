// SPDX-License-Identifier: MIT
// The boundary of <linux/rcupdate.h>.

@preconcurrency import CIOASID
@preconcurrency import CIOASIDKernel
import IOASIDKernel
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

@_cdecl("ioasid_call_rcu") @implementation
public func ioasid_call_rcu(_ head: UnsafeMutablePointer<rcu_head>?, _ `func`: rcu_callback_t?) {
    guard let head, let `func` else { return }
    DeferredFree.call(head, `func`)
}

@_cdecl("ioasid_free_rcu") @implementation
public func ioasid_free_rcu(
    _ head: UnsafeMutablePointer<rcu_head>?, _ block: UnsafeMutableRawPointer?
) {
    guard let head, let block else { return }
    DeferredFree.free(block, head)
}

@_cdecl("ioasid_rcu_barrier") @implementation
public func ioasid_rcu_barrier() {
    DeferredFree.barrier()
}
