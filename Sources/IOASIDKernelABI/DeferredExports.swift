// SPDX-License-Identifier: MIT
// The boundary of <linux/rcupdate.h>: what is deferred.

@preconcurrency import CIOASIDKernel
import IOASIDKernel

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
