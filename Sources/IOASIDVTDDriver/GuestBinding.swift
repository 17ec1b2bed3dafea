// SPDX-License-Identifier: MIT
// Binding a guest's page table to a PASID (intel_svm_bind_gpasid), and the opposite.

@preconcurrency import CIOASIDVTDDriver
@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory
import IOASIDVTDHardware
import Synchronization

package enum GuestBinding {
    // MARK: Checks, before anything is touched

    private static let knownVendorFlags = UInt64(IOMMU_SVA_VTD_GPASID_LAST) &- 1

    /// Fields that are wrong whatever the hardware is.
    package static func isWellFormed(_ data: iommu_gpasid_bind_data) -> Bool {
        let padding = data.padding
        let vendor = data.vendor.vtd
        return data.argsz >= UInt32(MemoryLayout<iommu_gpasid_bind_data>.size)
            && data.version == UInt32(IOMMU_GPASID_BIND_VERSION_1)
            && data.format == IOMMU_PASID_FORMAT_INTEL_VTD.rawValue
            && data.flags & ~UInt64(IOMMU_SVA_GPASID_VAL) == 0
            && vendor.flags & ~knownVendorFlags == 0
            && vendor.emt <= 7
            && (padding.0 | padding.1 | padding.2 | padding.3) == 0
            && (padding.4 | padding.5 | padding.6 | padding.7) == 0
            && data.gpgd & (pageSize &- 1) == 0 && data.gpgd >> Domain.addressBits == 0
            && (!hasGuestPASID(data) || data.gpasid < UInt64(PASID_MAX))
            && data.hpasid >= UInt64(PASID_MIN)
            && data.hpasid < UInt64(Driver.pasidLimit.load(ordering: .relaxed))
    }

    /// What this unit's hardware must be able to do.
    private static func check(_ unit: Ref<Unit>, _ data: iommu_gpasid_bind_data) -> CInt {
        guard unit.can(VTD_CAP_NEST) else { return -EOPNOTSUPP }
        let flags = data.vendor.vtd.flags
        func wants(_ flag: CInt) -> Bool { flags & UInt64(flag) != 0 }
        let isFine =
            (data.addr_width == 48 || data.addr_width == 57 && unit.can(VTD_CAP_FL5LP))
            && (!wants(IOMMU_SVA_VTD_GPASID_SRE) || unit.can(VTD_CAP_SRS))
            && (!wants(IOMMU_SVA_VTD_GPASID_WPE) || wants(IOMMU_SVA_VTD_GPASID_SRE))
            && (!wants(IOMMU_SVA_VTD_GPASID_EAFE) || unit.can(VTD_CAP_EAFS))
            && (flags & civtd_memory_type_flags == 0 || unit.can(VTD_CAP_MTS))
            && data.hpasid < UInt64(unit.pasidLimit)
        return isFine ? 0 : -EINVAL
    }

    private static func hasGuestPASID(_ data: iommu_gpasid_bind_data) -> Bool {
        data.flags & UInt64(IOMMU_SVA_GPASID_VAL) != 0
    }

    /// Do two devices mean the same address space?
    private static func isSame(_ a: iommu_gpasid_bind_data, _ b: iommu_gpasid_bind_data) -> Bool {
        a.gpgd == b.gpgd && a.addr_width == b.addr_width && a.flags == b.flags
            && (!hasGuestPASID(a) || a.gpasid == b.gpasid)
            && a.vendor.vtd.flags == b.vendor.vtd.flags
            && a.vendor.vtd.pat == b.vendor.vtd.pat && a.vendor.vtd.emt == b.vendor.vtd.emt
    }

    // MARK: Bind. With the driver lock held, as all below

    package static func bind(
        _ domain: Ref<Domain>, _ device: Ref<Device>, _ data: iommu_gpasid_bind_data
    ) -> CInt {
        guard let attachment = device.attachment(domain), !domain.pointee.isIdentity
        else { return -EINVAL }
        let error = check(device.pointee.unit, data)
        guard error == 0 else { return error }
        let pasid = PASID(UInt32(data.hpasid))
        let denied = Ownership.check(pasid)
        guard denied == 0 else { return denied }
        if let binding = Bindings.find(pasid) {
            return addDevice(device, attachment, data, to: binding)
        }
        return bindFirst(device, attachment, data)
    }

    private static func addDevice(
        _ device: Ref<Device>, _ attachment: Ref<Attachment>, _ data: iommu_gpasid_bind_data,
        to binding: Ref<Binding>
    ) -> CInt {
        guard !Bindings.isFreed(binding) else { return -EBUSY }
        guard case .guest(let bound) = binding.pointee.source, isSame(bound, data) else {
            return -EINVAL
        }
        if let existing = Bindings.boundDevice(binding, device) {
            guard existing.pointee.attachment == attachment else { return -EINVAL }
            guard attachment.pointee.isAuxiliary else { return -EBUSY }
            _ = Bindings.count(existing, 1)
            return 0
        }
        return connect(device, attachment, data, to: binding)
    }

    private static func bindFirst(
        _ device: Ref<Device>, _ attachment: Ref<Attachment>, _ data: iommu_gpasid_bind_data
    ) -> CInt {
        let pasid = PASID(UInt32(data.hpasid))
        let taken = ioasid_get(nil, pasid.number)
        guard taken == 0 else { return taken }
        guard let binding = Memory.make(Binding(pasid: pasid, source: .guest(data))) else {
            ioasid_put(nil, pasid.number)
            return -ENOMEM
        }
        // Before anybody can find the record: FREE may queue the work at once.
        civtd_init_work(&binding.pointer.pointee.work, freeAsync)
        Quiet.end(pasid)
        let connected = connect(device, attachment, data, to: binding)
        guard connected == 0 else {
            ioasid_put(nil, pasid.number)
            Bindings.drop(binding)
            return connected
        }
        Bindings.insert(binding)
        // Last, because only what has succeeded is announced; and after the record is found, so
        // that a FREE from now on is not lost. One before makes this fail with -EBUSY.
        let announced = announce(data)
        if announced != 0 { takeBack(binding, data) }
        return announced
    }

    /// BIND was refused. A work item that FREE queued meanwhile finds nothing to do.
    private static func takeBack(_ binding: Ref<Binding>, _ data: iommu_gpasid_bind_data) {
        while let bound = binding.pointee.devices.first {
            Bindings.remove(bound, from: binding, quiet: false)
        }
        Bindings.remove(binding)
        // Some may have heard of it before one refused. An SPID that was refused is not attached.
        if !hasGuestPASID(data) { announceEnd(data) }
        ioasid_put(nil, binding.pointee.pasid.number)
        Bindings.drop(binding)
    }

    private static func connect(
        _ device: Ref<Device>, _ attachment: Ref<Attachment>, _ data: iommu_gpasid_bind_data,
        to binding: Ref<Binding>
    ) -> CInt {
        let bound = Memory.make(
            BoundDevice(device: device, attachment: attachment, operations: nil))
        guard let bound else { return -ENOMEM }
        let isSetUp = Lock.hardware {
            device.setUp(
                binding.pointee.pasid, .nested(attachment.pointee.domain, data))
        }
        guard isSetUp else {
            Memory.free(bound)
            return -ENOMEM
        }
        Bindings.add(bound, to: binding)
        return 0
    }

    // MARK: BIND and UNBIND

    private static func announce(_ data: iommu_gpasid_bind_data) -> CInt {
        let pasid = UInt32(data.hpasid)
        guard hasGuestPASID(data) else {
            return ioasid_notify(pasid, IOASID_NOTIFY_BIND, civtd_notify_set)
        }
        // Another's SPID: an owner may have given the id one that is not what the guest says.
        let known = ioasid_find_spid(pasid)
        guard known == UInt32.max || known == UInt32(data.gpasid) else { return -EINVAL }
        let error = ioasid_attach_spid(pasid, UInt32(data.gpasid))
        return error == -ENOENT ? -EINVAL : error
    }

    /// The SPID is still there when subscribers hear of it.
    static func announceEnd(_ data: iommu_gpasid_bind_data) {
        let pasid = UInt32(data.hpasid)
        if hasGuestPASID(data) {
            _ = ioasid_detach_spid(pasid)
        } else {
            _ = ioasid_notify(pasid, IOASID_NOTIFY_UNBIND, civtd_notify_set)
        }
    }

    // MARK: Unbind

    package static func unbind(_ device: Ref<Device>, _ pasid: PASID) -> CInt {
        guard let binding = Bindings.find(pasid), case .guest = binding.pointee.source,
            let bound = Bindings.boundDevice(binding, device)
        else {
            // Late, after the work item of FREE: what it left quiet ends here.
            Lock.hardware { device.recordFaults(of: pasid) }
            return -EINVAL
        }
        disconnect(bound, from: binding)
        return 0
    }

    /// One user less. With the last of the last device the binding ends.
    static func disconnect(_ bound: Ref<BoundDevice>, from binding: Ref<Binding>) {
        guard Bindings.count(bound, -1) == 0 else { return }
        Bindings.remove(bound, from: binding, quiet: Bindings.isFreed(binding))
        if binding.pointee.devices.isEmpty { release(binding) }
    }
}
