// SPDX-License-Identifier: MIT
// The boundary of <linux/intel-iommu.h> and <linux/intel-svm.h>.

@preconcurrency import CIOASIDVTDDriver
@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory
import IOASIDVTDDriver
import IOASIDVTDHardware
import Synchronization

@_cdecl("intel_iommu_enable")
@implementation
public func intel_iommu_enable(_ iommu: OpaquePointer?) -> CInt {
    Lock.driver {
        guard let unit = Handle.unit(iommu) else { return -EINVAL }
        return Driver.enable(unit)
    }
}

@_cdecl("intel_iommu_disable")
@implementation
public func intel_iommu_disable(_ iommu: OpaquePointer?) -> CInt {
    // A PASID that was freed is no longer bound once its work item has run; and when the last unit
    // is disabled, none must be left that would run later.
    Bindings.waitForWorks()
    let error = Lock.driver {
        guard let unit = Handle.unit(iommu) else { return -EINVAL }
        return Driver.disable(unit)
    }
    if error == 0 { Bindings.waitForWorks() }
    return error
}

@_cdecl("intel_host_pasid_set")
@implementation
public func intel_host_pasid_set() -> UnsafeMutablePointer<ioasid_set>? { Driver.hostSet }

@_cdecl("intel_pasid_max")
@implementation
public func intel_pasid_max() -> UInt32 { Driver.pasidLimit.load(ordering: .relaxed) }

@_cdecl("intel_svm_add_pasid_notifier")
@implementation
public func intel_svm_add_pasid_notifier() -> CInt {
    Lock.driver { Driver.listen() }
}

@_cdecl("intel_svm_bind_gpasid")
@implementation
public func intel_svm_bind_gpasid(
    _ domain: OpaquePointer?, _ dev: OpaquePointer?,
    _ data: UnsafeMutablePointer<iommu_gpasid_bind_data>?
) -> CInt {
    guard let data = data?.pointee, let domain = Domain.known(domain) else { return -EINVAL }
    return Lock.driver {
        guard let device = Driver.device(dev) else { return -ENODEV }
        guard GuestBinding.isWellFormed(data) else { return -EINVAL }
        return GuestBinding.bind(domain, device, data)
    }
}

@_cdecl("intel_svm_unbind_gpasid")
@implementation
public func intel_svm_unbind_gpasid(_ dev: OpaquePointer?, _ pasid: UInt32) -> CInt {
    Lock.driver {
        guard let device = Driver.device(dev) else { return -ENODEV }
        let denied = Ownership.check(PASID(pasid))
        return denied == 0 ? GuestBinding.unbind(device, PASID(pasid)) : denied
    }
}

/// What the two functions for user space have in common.
private func asked(
    _ udata: UnsafeMutableRawPointer?, _ body: (iommu_gpasid_bind_data) -> CInt
) -> CInt {
    guard let data = udata?.assumingMemoryBound(to: iommu_gpasid_bind_data.self).pointee,
        GuestBinding.isWellFormed(data)
    else { return -EINVAL }
    let denied = Ownership.checkStrictly(PASID(UInt32(data.hpasid)))
    return denied == 0 ? body(data) : denied
}

@_cdecl("iommu_uapi_sva_bind_gpasid")
@implementation
public func iommu_uapi_sva_bind_gpasid(
    _ domain: OpaquePointer?, _ dev: OpaquePointer?, _ udata: UnsafeMutableRawPointer?
) -> CInt {
    asked(udata) {
        var data = $0
        return intel_svm_bind_gpasid(domain, dev, &data)
    }
}

@_cdecl("iommu_uapi_sva_unbind_gpasid")
@implementation
public func iommu_uapi_sva_unbind_gpasid(
    _ domain: OpaquePointer?, _ dev: OpaquePointer?, _ udata: UnsafeMutableRawPointer?
) -> CInt {
    guard Domain.known(domain) != nil else { return -EINVAL }
    return asked(udata) { intel_svm_unbind_gpasid(dev, UInt32($0.hpasid)) }
}

private func invalidate(
    _ domain: OpaquePointer?, _ dev: OpaquePointer?,
    _ info: UnsafeMutablePointer<iommu_cache_invalidate_info>?, mayUse: (PASID) -> CInt
) -> CInt {
    guard let info, let domain = Domain.known(domain) else { return -EINVAL }
    // No more of it is read than it has.
    guard info.pointee.argsz >= civtd_invalidate_size(0),
        info.pointee.argsz >= civtd_invalidate_size(info.pointee.granularity)
    else { return -EINVAL }
    var copy = iommu_cache_invalidate_info()
    let size = min(Int(info.pointee.argsz), MemoryLayout<iommu_cache_invalidate_info>.size)
    memcpy(&copy, info, size)
    guard GuestInvalidation.isWellFormed(copy) else { return -EINVAL }
    return Lock.driver {
        guard let device = Driver.device(dev) else { return -ENODEV }
        return GuestInvalidation.carryOut(domain, device, copy, mayUse: mayUse)
    }
}

@_cdecl("intel_iommu_sva_invalidate")
@implementation
public func intel_iommu_sva_invalidate(
    _ domain: OpaquePointer?, _ dev: OpaquePointer?,
    _ inv_info: UnsafeMutablePointer<iommu_cache_invalidate_info>?
) -> CInt {
    invalidate(domain, dev, inv_info) { Ownership.check($0) }
}

@_cdecl("iommu_uapi_cache_invalidate")
@implementation
public func iommu_uapi_cache_invalidate(
    _ domain: OpaquePointer?, _ dev: OpaquePointer?, _ uinfo: UnsafeMutableRawPointer?
) -> CInt {
    let info = uinfo?.assumingMemoryBound(to: iommu_cache_invalidate_info.self)
    return invalidate(domain, dev, info) { Ownership.checkStrictly($0) }
}

@_cdecl("intel_svm_bind_mm")
@implementation
public func intel_svm_bind_mm(
    _ dev: OpaquePointer?, _ pasid: UnsafeMutablePointer<CInt>?, _ flags: CInt,
    _ ops: UnsafeMutablePointer<svm_dev_ops>?
) -> CInt {
    Lock.driver {
        guard let device = Driver.device(dev) else { return -ENODEV }
        guard flags & ~SVM_FLAG_PRIVATE_PASID == 0 else { return -EINVAL }
        guard let pasid else { return 0 }
        guard let mm = ioasid_current().pointee.mm else { return -EINVAL }
        return ProcessBinding.bind(
            device, mm, pasid, isPrivate: flags & SVM_FLAG_PRIVATE_PASID != 0, ops)
    }
}

@_cdecl("intel_svm_unbind_mm")
@implementation
public func intel_svm_unbind_mm(_ dev: OpaquePointer?, _ pasid: CInt) -> CInt {
    Lock.driver {
        guard let device = Driver.device(dev) else { return -ENODEV }
        let pasid = PASID(UInt32(bitPattern: pasid))
        guard !SVAHandle.haveAll(device, pasid) else { return -EINVAL }
        return ProcessBinding.unbind(device, pasid)
    }
}

@_cdecl("intel_svm_is_pasid_valid")
@implementation
public func intel_svm_is_pasid_valid(_ dev: OpaquePointer?, _ pasid: CInt) -> CInt {
    Lock.driver {
        guard let device = Driver.device(dev) else { return -ENODEV }
        return ProcessBinding.isValid(device, PASID(UInt32(bitPattern: pasid)))
    }
}

@_cdecl("intel_vcmd_ioasid_alloc")
@implementation
public func intel_vcmd_ioasid_alloc(
    _ min: ioasid_t, _ max: ioasid_t, _ data: UnsafeMutableRawPointer?
) -> ioasid_t {
    guard let unit = Handle.unit(data.map { OpaquePointer($0) }) else { return ioasid_t.max }
    return VirtualCommand.allocate(unit, from: min, through: max) ?? ioasid_t.max
}

@_cdecl("intel_vcmd_ioasid_free")
@implementation
public func intel_vcmd_ioasid_free(_ ioasid: ioasid_t, _ data: UnsafeMutableRawPointer?) {
    guard let unit = Handle.unit(data.map { OpaquePointer($0) }) else { return }
    // Its owner is not done with it. While the core gives it back it is there, but not active.
    guard !ioasid_is_active(ioasid) else { return }
    VirtualCommand.free(unit, ioasid)
}
