// SPDX-License-Identifier: MIT
// The boundary of <linux/iommu.h>: domains, attachments, page requests.

@preconcurrency import CIOASIDVTDDriver
@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory
import IOASIDVTDDriver
import IOASIDVTDHardware

@_cdecl("vtd_domain_alloc")
@implementation
public func vtd_domain_alloc(_ machine: OpaquePointer?, _ type: CUnsignedInt) -> OpaquePointer? {
    guard let machine = Handle.machine(machine),
        type == IOMMU_DOMAIN_IDENTITY || type == IOMMU_DOMAIN_UNMANAGED
    else { return errorPointer(-EINVAL) }
    let (domain, error) = Lock.hardware {
        Domain.create(machine, isIdentity: type == IOMMU_DOMAIN_IDENTITY)
    }
    guard let domain else { return errorPointer(error) }
    return domain.handle
}

@_cdecl("iommu_domain_free")
@implementation
public func iommu_domain_free(_ domain: OpaquePointer?) {
    _ = Domain.with(domain) {
        if $0.pointee.users == 0 { Domain.destroy($0) }
    }
}

@_cdecl("iommu_map")
@implementation
public func iommu_map(
    _ domain: OpaquePointer?, _ iova: CUnsignedLong, _ paddr: UInt64, _ size: Int, _ prot: CInt
) -> CInt {
    guard prot & ~(IOMMU_READ | IOMMU_WRITE) == 0 else { return -EINVAL }
    let bits =
        (prot & IOMMU_READ != 0 ? SecondLevelBit.read : 0)
        | (prot & IOMMU_WRITE != 0 ? SecondLevelBit.write : 0)
    return Domain.map(
        domain, GPA(UInt64(iova)), HPA(paddr), UInt64(UInt(bitPattern: size)), bits)
}

@_cdecl("iommu_unmap")
@implementation
public func iommu_unmap(_ domain: OpaquePointer?, _ iova: CUnsignedLong, _ size: Int) -> Int {
    Int(
        truncatingIfNeeded: Domain.unmap(
            domain, GPA(UInt64(iova)), UInt64(UInt(bitPattern: size))))
}

@_cdecl("iommu_iova_to_phys")
@implementation
public func iommu_iova_to_phys(_ domain: OpaquePointer?, _ iova: UInt64) -> UInt64 {
    (Domain.with(domain) { $0.pointee.translate(GPA(iova))?.bits ?? 0 }) ?? 0
}

/// What attaching and detaching have in common.
@inline(__always)
private func withBoth(
    _ domain: OpaquePointer?, _ dev: OpaquePointer?,
    _ body: (Ref<Domain>, Ref<Device>) -> CInt
) -> CInt {
    guard let domain = Domain.known(domain) else { return -EINVAL }
    return Lock.driver {
        guard let device = Driver.device(dev) else { return -ENODEV }
        return body(domain, device)
    }
}

@_cdecl("iommu_attach_device")
@implementation
public func iommu_attach_device(_ domain: OpaquePointer?, _ dev: OpaquePointer?) -> CInt {
    withBoth(domain, dev) { Attach.attachPrimary($0, $1) }
}

@_cdecl("iommu_detach_device")
@implementation
public func iommu_detach_device(_ domain: OpaquePointer?, _ dev: OpaquePointer?) {
    _ = withBoth(domain, dev) { Attach.detach($0, $1, isAuxiliary: false) }
}

@_cdecl("iommu_aux_attach_device")
@implementation
public func iommu_aux_attach_device(_ domain: OpaquePointer?, _ dev: OpaquePointer?) -> CInt {
    withBoth(domain, dev) { Attach.attachAuxiliary($0, $1) }
}

@_cdecl("iommu_aux_detach_device")
@implementation
public func iommu_aux_detach_device(_ domain: OpaquePointer?, _ dev: OpaquePointer?) {
    _ = withBoth(domain, dev) { Attach.detach($0, $1, isAuxiliary: true) }
}

@_cdecl("iommu_aux_get_pasid")
@implementation
public func iommu_aux_get_pasid(_ domain: OpaquePointer?, _ dev: OpaquePointer?) -> CInt {
    withBoth(domain, dev) { Attach.auxiliaryPASID($0, $1) }
}

@_cdecl("iommu_register_device_fault_handler")
@implementation
public func iommu_register_device_fault_handler(
    _ dev: OpaquePointer?, _ handler: iommu_dev_fault_handler_t?,
    _ data: UnsafeMutableRawPointer?
) -> CInt {
    guard let device = Driver.device(dev), let handler else { return -EINVAL }
    return PageRequests.register(device, handler, data)
}

@_cdecl("iommu_unregister_device_fault_handler")
@implementation
public func iommu_unregister_device_fault_handler(_ dev: OpaquePointer?) -> CInt {
    guard let device = Driver.device(dev) else { return -EINVAL }
    return PageRequests.unregister(device)
}

@_cdecl("iommu_report_device_fault")
@implementation
public func iommu_report_device_fault(
    _ dev: OpaquePointer?, _ evt: UnsafeMutablePointer<iommu_fault_event>?
) -> CInt {
    guard let fault = evt?.pointee.fault, fault.isWellFormed else { return -EINVAL }
    return PageRequests.report(dev, fault)
}

@_cdecl("iommu_page_response")
@implementation
public func iommu_page_response(
    _ dev: OpaquePointer?, _ msg: UnsafeMutablePointer<iommu_page_response>?
) -> CInt {
    guard let device = Driver.device(dev), let answer = msg?.pointee,
        answer.argsz >= UInt32(MemoryLayout<iommu_page_response>.size),
        answer.version == UInt32(IOMMU_PAGE_RESP_VERSION_1),
        answer.flags == UInt32(IOMMU_PAGE_RESP_PASID_VALID),
        answer.code <= IOMMU_PAGE_RESP_FAILURE.rawValue
    else { return -EINVAL }
    let answered = PageRequests.answer(
        device, pasid: PASID(answer.pasid), group: answer.grpid, code: answer.code)
    guard let answered else { return -EINVAL }
    ProcessBinding.tell(device, answered, code: answer.code)
    return 0
}
