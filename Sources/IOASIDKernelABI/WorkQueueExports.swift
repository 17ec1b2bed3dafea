// SPDX-License-Identifier: MIT
// The boundary of <linux/workqueue.h> and of ioasid_queue_work().

@preconcurrency import CIOASIDKernel
import IOASIDKernel

@_cdecl("ioasid_wq_alloc") @implementation
public func ioasid_wq_alloc(
    _ name: UnsafePointer<CChar>?, _ flags: UInt32, _ max_active: Int32
) -> UnsafeMutablePointer<workqueue_struct>? {
    WorkQueues.make(name, flags, max_active)?.pointer
}

@_cdecl("ioasid_wq_destroy") @implementation
public func ioasid_wq_destroy(_ wq: UnsafeMutablePointer<workqueue_struct>?) {
    guard let wq else { return }
    WorkQueues.destroy(Queue(wq))
}

@_cdecl("ioasid_wq_system") @implementation
public func ioasid_wq_system() -> UnsafeMutablePointer<workqueue_struct>? {
    Queue.system.pointer
}

@_cdecl("ioasid_wq_queue") @implementation
public func ioasid_wq_queue(
    _ wq: UnsafeMutablePointer<workqueue_struct>?, _ work: UnsafeMutablePointer<work_struct>?
) -> Bool {
    guard let wq, let work else { return false }
    return WorkQueues.queue(Queue(wq), Work(work))
}

@_cdecl("ioasid_wq_flush") @implementation
public func ioasid_wq_flush(_ wq: UnsafeMutablePointer<workqueue_struct>?) {
    guard let wq else { return }
    WorkQueues.flush(Queue(wq))
}

@_cdecl("ioasid_wq_flush_work") @implementation
public func ioasid_wq_flush_work(_ work: UnsafeMutablePointer<work_struct>?) -> Bool {
    guard let work else { return false }
    return WorkQueues.flush(Work(work))
}

@_cdecl("ioasid_wq_cancel") @implementation
public func ioasid_wq_cancel(_ work: UnsafeMutablePointer<work_struct>?, _ sync: Bool) -> Bool {
    guard let work else { return false }
    return sync ? WorkQueues.cancelAndWait(Work(work)) : WorkQueues.cancel(Work(work))
}

@_cdecl("ioasid_queue_work") @implementation
public func ioasid_queue_work(_ work: UnsafeMutablePointer<work_struct>?) -> Bool {
    guard let work else { return false }
    return WorkQueues.queue(.ordered, Work(work))
}
