// SPDX-License-Identifier: MIT
// The boundary of <linux/iommu.h>: features of devices, processes bound by handle, attributes of domains.

@preconcurrency import CIOASIDVTDDriver
@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory
import IOASIDVTDDriver
import IOASIDVTDHardware

@_cdecl("iommu_dev_has_feature")
@implementation
public func iommu_dev_has_feature(_ dev: OpaquePointer?, _ f: iommu_dev_features) -> Bool {
    let has = Lock.driver {
        guard let device = Driver.device(dev) else { return 0 }
        return Features.has(device, f) ? 1 : 0
    }
    return has == 1
}

@_cdecl("iommu_dev_feature_enabled")
@implementation
public func iommu_dev_feature_enabled(_ dev: OpaquePointer?, _ f: iommu_dev_features) -> Bool {
    let isEnabled = Lock.driver {
        guard let device = Driver.device(dev) else { return 0 }
        return Features.isEnabled(device, f) ? 1 : 0
    }
    return isEnabled == 1
}

@_cdecl("iommu_dev_enable_feature")
@implementation
public func iommu_dev_enable_feature(_ dev: OpaquePointer?, _ f: iommu_dev_features) -> CInt {
    Lock.driver {
        guard let device = Driver.device(dev) else { return -ENODEV }
        return Features.enable(device, f)
    }
}

@_cdecl("iommu_dev_disable_feature")
@implementation
public func iommu_dev_disable_feature(_ dev: OpaquePointer?, _ f: iommu_dev_features) -> CInt {
    Lock.driver {
        guard let device = Driver.device(dev) else { return -ENODEV }
        return Features.disable(device, f)
    }
}

@_cdecl("iommu_sva_bind_device")
@implementation
public func iommu_sva_bind_device(
    _ dev: OpaquePointer?, _ mm: UnsafeMutablePointer<mm_struct>?,
    _ drvdata: UnsafeMutableRawPointer?
) -> OpaquePointer? {
    guard let mm, !civtd_is_err(mm) else { return errorPointer(-EINVAL) }
    var bound: OpaquePointer?
    let error = Lock.driver {
        guard let device = Driver.device(dev) else { return -ENODEV }
        let (handle, error) = SVAHandle.bind(device, mm)
        bound = handle?.handle
        return error
    }
    return bound ?? errorPointer(error)
}

@_cdecl("iommu_sva_unbind_device")
@implementation
public func iommu_sva_unbind_device(_ handle: OpaquePointer?) {
    _ = Lock.driver {
        if let known = SVAHandle.known(handle) { SVAHandle.unbind(known) }
        return 0
    }
}

@_cdecl("iommu_sva_get_pasid")
@implementation
public func iommu_sva_get_pasid(_ handle: OpaquePointer?) -> UInt32 {
    var pasid = UInt32.max
    _ = Lock.driver {
        pasid = SVAHandle.known(handle)?.pointee.pasid?.number ?? UInt32.max
        return 0
    }
    return pasid
}

@_cdecl("iommu_get_domain_for_dev")
@implementation
public func iommu_get_domain_for_dev(_ dev: OpaquePointer?) -> OpaquePointer? {
    var domain: OpaquePointer?
    _ = Lock.driver {
        domain = Driver.device(dev).flatMap { Attach.primary($0)?.handle }
        return 0
    }
    return domain
}

@_cdecl("iommu_domain_set_attr")
@implementation
public func iommu_domain_set_attr(
    _ domain: OpaquePointer?, _ attr: iommu_attr, _ data: UnsafeMutableRawPointer?
) -> CInt {
    guard attr == DOMAIN_ATTR_NESTING, let data else { return -EINVAL }
    let isWanted = data.assumingMemoryBound(to: CInt.self).pointee != 0
    return Domain.with(domain) { $0.setNesting(isWanted) } ?? -EINVAL
}

@_cdecl("iommu_domain_get_attr")
@implementation
public func iommu_domain_get_attr(
    _ domain: OpaquePointer?, _ attr: iommu_attr, _ data: UnsafeMutableRawPointer?
) -> CInt {
    guard attr == DOMAIN_ATTR_NESTING, let data else { return -EINVAL }
    let error: CInt? = Domain.with(domain) {
        data.assumingMemoryBound(to: CInt.self).pointee = $0.pointee.isNesting ? 1 : 0
        return 0
    }
    return error ?? -EINVAL
}
