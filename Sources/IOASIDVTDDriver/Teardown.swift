// SPDX-License-Identifier: MIT
// When a PASID is freed before it is unbound: the notifier defers to a work item, which tears down.

@preconcurrency import CIOASIDVTDDriver
@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory
import IOASIDVTDHardware

/// Runs with the core lock held, in the thread that frees. It must not wait for the driver lock,
/// whose holder may be waiting for the core lock; so it marks, queues, and returns.
func pasidStatusChange(
    _: UnsafeMutablePointer<notifier_block>?, _ code: CUnsignedLong,
    _ data: UnsafeMutableRawPointer?
) -> CInt {
    guard code == CUnsignedLong(IOASID_NOTIFY_FREE.rawValue), let data else { return NOTIFY_DONE }
    let arguments = data.assumingMemoryBound(to: ioasid_nb_args.self)
    // The bindings of a process that has ended stay until they are unbound, as with the kernel's
    // driver, even if this is the PASID of one of them.
    while let space = AddressSpace.takeEnded() { ProcessBinding.end(space) }
    guard let binding = Bindings.markFreed(PASID(arguments.pointee.id)) else {
        return NOTIFY_DONE
    }
    if !ioasid_queue_work(&binding.pointer.pointee.work) { Bindings.workDone(binding) }
    return NOTIFY_OK
}

/// The work item. It has a reference of its own, so an unbind that came first has left a record
/// with nothing to do.
func freeAsync(_ work: UnsafeMutablePointer<work_struct>?) {
    guard let work else { return }
    let binding = Binding.record(of: work)
    _ = Lock.driver {
        guard binding.pointee.isLive else { return 0 }
        while let bound = binding.pointee.devices.first {
            Bindings.remove(bound, from: binding, quiet: true)
        }
        release(binding)
        return 0
    }
    Bindings.workDone(binding)
}

/// What follows when the last device is gone. With the driver lock held.
func release(_ binding: Ref<Binding>) {
    Bindings.remove(binding)
    switch binding.pointee.source {
    case .guest(let data):
        GuestBinding.announceEnd(data)
        // The one reference of this PASID, whatever the number of devices.
        ioasid_put(nil, binding.pointee.pasid.number)
    case .process(let space):
        let isOurs = AddressSpace.takeBack(space, binding)
        Driver.releasePASID(binding.pointee.pasid, isOurs: isOurs)
        AddressSpace.drop(space, binding)
    }
    Bindings.drop(binding)
}
