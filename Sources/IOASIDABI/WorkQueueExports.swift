// SPDX-License-Identifier: MIT
// The boundary of <linux/workqueue.h>, of ioasid_queue_work(), and of kfree_rcu().

import CIOASID
import CIOASIDCore
import CIOASIDKernel
import CIOASIDRuntime
import IOASIDCore
import IOASIDKernel
import IOASIDMemory
import IOASIDRuntime

@_cdecl("ioasid_wq_alloc") @implementation
public func ioasid_wq_alloc(
    _ name: UnsafePointer<CChar>?, _ flags: UInt32, _ max_active: Int32
) -> UnsafeMutablePointer<workqueue_struct>? {
    WorkQueues.make(name, flags, max_active)
}

@_cdecl("ioasid_wq_destroy") @implementation
public func ioasid_wq_destroy(_ wq: UnsafeMutablePointer<workqueue_struct>?) {
    guard let wq else { return }
    WorkQueues.destroy(wq)
}

@_cdecl("ioasid_wq_system") @implementation
public func ioasid_wq_system() -> UnsafeMutablePointer<workqueue_struct>? {
    stable(&cio_system_wq)
}

@_cdecl("ioasid_wq_queue") @implementation
public func ioasid_wq_queue(
    _ wq: UnsafeMutablePointer<workqueue_struct>?, _ work: UnsafeMutablePointer<work_struct>?
) -> Bool {
    guard let wq, let work else { return false }
    return WorkQueues.queue(wq, work)
}

@_cdecl("ioasid_wq_flush") @implementation
public func ioasid_wq_flush(_ wq: UnsafeMutablePointer<workqueue_struct>?) {
    guard let wq else { return }
    WorkQueues.flush(wq)
}

@_cdecl("ioasid_wq_flush_work") @implementation
public func ioasid_wq_flush_work(_ work: UnsafeMutablePointer<work_struct>?) -> Bool {
    guard let work else { return false }
    return WorkQueues.flush(work)
}

@_cdecl("ioasid_wq_cancel") @implementation
public func ioasid_wq_cancel(_ work: UnsafeMutablePointer<work_struct>?, _ sync: Bool) -> Bool {
    guard let work else { return false }
    return WorkQueues.cancel(work, sync: sync)
}

@_cdecl("ioasid_queue_work") @implementation
public func ioasid_queue_work(_ work: UnsafeMutablePointer<work_struct>?) -> Bool {
    guard let work else { return false }
    return WorkQueues.queue(&cio_ordered_wq, work)
}

@_cdecl("ioasid_free_rcu") @implementation
public func ioasid_free_rcu(
    _ head: UnsafeMutablePointer<rcu_head>?, _ block: UnsafeMutableRawPointer?
) {
    guard let head, let block else { return }
    DeferredFree.add(head, block)
}

@_cdecl("ioasid_free_rcu_barrier") @implementation
public func ioasid_free_rcu_barrier() {
    DeferredFree.wait()
}
