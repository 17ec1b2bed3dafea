// SPDX-License-Identifier: MIT
// The boundary of <linux/rcupdate.h>.

import CIOASID
import CIOASIDKernel
import IOASIDKernel

@_cdecl("ioasid_free_rcu") @implementation
public func ioasid_free_rcu(
    _ head: UnsafeMutablePointer<rcu_head>?, _ block: UnsafeMutableRawPointer?
) {
    guard let head, let block else { return }
    DeferredFree.free(block, head)
}

@_cdecl("ioasid_free_rcu_barrier") @implementation
public func ioasid_free_rcu_barrier() {
    DeferredFree.barrier()
}
