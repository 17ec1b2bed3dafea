// SPDX-License-Identifier: MIT
// The boundary of <linux/ioasid-vtd.h>: machines, memory, units and devices.

@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory
import IOASIDVTDHardware

@_cdecl("vtd_machine_create")
@implementation
public func vtd_machine_create(_ memory: UInt64) -> OpaquePointer? {
    guard memory >= pageSize, memory <= Machine.sizeLimit, memory & (pageSize &- 1) == 0 else {
        return errorPointer(-EINVAL)
    }
    let machine = Lock.hardware { Machine.create(size: memory) }
    guard let machine else { return errorPointer(-ENOMEM) }
    return machine.handle
}

@_cdecl("vtd_machine_destroy")
@implementation
public func vtd_machine_destroy(_ machine: OpaquePointer?) -> CInt {
    guard let machine = Handle.machine(machine) else { return -EINVAL }
    return Lock.hardware {
        guard machine.pointee.units.isEmpty, machine.pointee.tenants == 0 else { return -EBUSY }
        Machine.destroy(machine)
        return 0
    }
}

@_cdecl("vtd_page_alloc")
@implementation
public func vtd_page_alloc(_ machine: OpaquePointer?, _ count: CUnsignedInt) -> UInt64 {
    guard let machine = Handle.machine(machine) else { return UInt64.max }
    return Lock.hardware { machine.allocatePages(UInt64(count))?.bits ?? UInt64.max }
}

@_cdecl("vtd_page_free")
@implementation
public func vtd_page_free(_ machine: OpaquePointer?, _ address: UInt64, _ count: CUnsignedInt) {
    guard let machine = Handle.machine(machine) else { return }
    Lock.hardware { machine.freePages(HPA(address), UInt64(count)) }
}

@_cdecl("vtd_pages_used")
@implementation
public func vtd_pages_used(_ machine: OpaquePointer?) -> UInt64 {
    guard let machine = Handle.machine(machine) else { return 0 }
    return Lock.hardware { machine.pointee.pagesUsed }
}

@_cdecl("vtd_memory_read")
@implementation
public func vtd_memory_read(
    _ machine: OpaquePointer?, _ address: UInt64, _ buffer: UnsafeMutableRawPointer?,
    _ length: Int
) -> CInt {
    guard let machine = Handle.machine(machine), let buffer,
        machine.pointee.memory.contains(HPA(address), UInt64(UInt(bitPattern: length)))
    else { return -EINVAL }
    Lock.hardware { machine.pointee.memory.read(HPA(address), buffer, UInt64(length)) }
    return 0
}

@_cdecl("vtd_memory_write")
@implementation
public func vtd_memory_write(
    _ machine: OpaquePointer?, _ address: UInt64, _ buffer: UnsafeRawPointer?, _ length: Int
) -> CInt {
    guard let machine = Handle.machine(machine), let buffer,
        machine.pointee.memory.contains(HPA(address), UInt64(UInt(bitPattern: length)))
    else { return -EINVAL }
    Lock.hardware { machine.pointee.memory.write(HPA(address), buffer, UInt64(length)) }
    return 0
}

@_cdecl("vtd_memory_map")
@implementation
public func vtd_memory_map(_ machine: OpaquePointer?) -> UnsafeMutableRawPointer? {
    Handle.machine(machine)?.showMemory()
}

@_cdecl("vtd_unit_create")
@implementation
public func vtd_unit_create(
    _ machine: OpaquePointer?, _ config: UnsafePointer<vtd_unit_config>?
) -> OpaquePointer? {
    guard let machine = Handle.machine(machine) else { return errorPointer(-EINVAL) }
    let standard = vtd_unit_config(
        capabilities: civtd_cap_default, pasid_bits: 20, vcmd: nil, vcmd_data: nil)
    let config = config?.pointee ?? standard
    guard config.capabilities & ~civtd_cap_all == 0, config.pasid_bits >= 7,
        config.pasid_bits <= 20
    else { return errorPointer(-EINVAL) }
    let unit = Lock.hardware { Unit.create(machine, config) }
    guard let unit else { return errorPointer(-ENOMEM) }
    return unit.handle
}

@_cdecl("vtd_unit_destroy")
@implementation
public func vtd_unit_destroy(_ iommu: OpaquePointer?) -> CInt {
    guard let unit = Handle.unit(iommu) else { return -EINVAL }
    return Lock.hardware {
        guard unit.pointee.driver == nil, unit.pointee.devices.isEmpty else { return -EBUSY }
        Unit.destroy(unit)
        return 0
    }
}

@_cdecl("vtd_unit_set_root")
@implementation
public func vtd_unit_set_root(_ iommu: OpaquePointer?, _ root: UInt64) -> CInt {
    guard let unit = Handle.unit(iommu), root & (pageSize &- 1) == 0 else { return -EINVAL }
    return Lock.hardware {
        guard unit.pointee.driver == nil else { return -EBUSY }
        unit.setRoot(HPA(root))
        return 0
    }
}

@_cdecl("vtd_unit_mask_page_requests")
@implementation
public func vtd_unit_mask_page_requests(_ iommu: OpaquePointer?, _ masked: Bool) -> CInt {
    guard let unit = Handle.unit(iommu) else { return -EINVAL }
    Lock.hardware { unit.pointee.requestEvent.isMasked = masked }
    unit.signalPageRequests()
    return 0
}

@_cdecl("vtd_device_create")
@implementation
public func vtd_device_create(
    _ iommu: OpaquePointer?, _ source_id: UInt16, _ features: CUnsignedInt
) -> OpaquePointer? {
    guard let unit = Handle.unit(iommu), features & ~(VTD_DEV_ATS | VTD_DEV_PRI) == 0,
        features != VTD_DEV_PRI
    else { return errorPointer(-EINVAL) }
    let (device, error) = Lock.hardware { Device.create(unit, SourceID(source_id), features) }
    guard let device else { return errorPointer(error) }
    return device.handle
}

@_cdecl("vtd_device_destroy")
@implementation
public func vtd_device_destroy(_ dev: OpaquePointer?) -> CInt {
    guard let device = Handle.device(dev) else { return -EINVAL }
    return Lock.hardware { Device.destroy(device) }
}
