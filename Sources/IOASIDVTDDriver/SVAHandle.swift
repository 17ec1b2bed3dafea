// SPDX-License-Identifier: MIT
// Handles of bound processes: what iommu_sva_bind_device() gives out.

@preconcurrency import CIOASIDVTDDriver
@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory
import IOASIDVTDHardware

/// One for a device and a binding, however often it was given out. It keeps the record of the binding,
/// so that it is not taken for a later one of the same number.
package struct SVAHandle: Listed {
    package var next: Ref<SVAHandle>?
    let device: Ref<Device>
    let binding: Ref<Binding>
    var users = 1

    /// Guarded by the driver lock.
    nonisolated(unsafe) private static var all = List<SVAHandle>()

    // MARK: With the driver lock held

    static func isUsed(_ device: Ref<Device>) -> Bool {
        all.find { $0.pointee.device == device && $0.pointee.isBound } != nil
    }

    /// Are all who bound a process to the device holders of handles? Then nobody else has anything to unbind.
    package static func haveAll(_ device: Ref<Device>, _ pasid: PASID) -> Bool {
        guard let binding = Bindings.find(pasid), let bound = Bindings.boundDevice(binding, device),
            let handle = all.find({ $0.pointee.device == device && $0.pointee.binding == binding })
        else { return false }
        return Bindings.count(bound, 0) <= handle.pointee.users
    }

    /// A pointer from outside, looked up before it is followed.
    package static func known(_ handle: OpaquePointer?) -> Ref<SVAHandle>? {
        guard let handle else { return nil }
        let wanted = Ref<SVAHandle>(handle)
        return all.find { $0 == wanted }
    }

    package static func bind(
        _ device: Ref<Device>, _ mm: UnsafeMutablePointer<mm_struct>
    ) -> (Ref<SVAHandle>?, CInt) {
        guard Features.isEnabled(device, IOMMU_DEV_FEAT_SVA) else { return (nil, -EINVAL) }
        var number: CInt = 0
        let error = ProcessBinding.bind(device, mm, &number, isPrivate: false, nil)
        guard error == 0 else { return (nil, error) }
        let pasid = PASID(UInt32(bitPattern: number))
        guard let binding = Bindings.find(pasid) else { return (nil, -EINVAL) }
        let existing = all.find { $0.pointee.device == device && $0.pointee.binding == binding }
        if let existing {
            existing.pointee.users &+= 1
            return (existing, 0)
        }
        guard let made = Memory.make(SVAHandle(device: device, binding: binding)) else {
            _ = ProcessBinding.unbind(device, pasid)
            return (nil, -ENOMEM)
        }
        Bindings.keep(binding)
        all.prepend(made)
        return (made, 0)
    }

    /// Nothing is left to unbind if the PASID was freed by force.
    package static func unbind(_ handle: Ref<SVAHandle>) {
        let binding = handle.pointee.binding
        if handle.pointee.isBound {
            _ = ProcessBinding.unbind(handle.pointee.device, binding.pointee.pasid)
        }
        handle.pointee.users &-= 1
        guard handle.pointee.users == 0 else { return }
        all.remove(handle)
        Bindings.drop(binding)
        Memory.free(handle)
    }

    private var isBound: Bool {
        binding.pointee.isLive && Bindings.boundDevice(binding, device) != nil
    }

    /// - Returns: nil if it is not bound any more.
    package var pasid: PASID? { isBound ? binding.pointee.pasid : nil }
}
