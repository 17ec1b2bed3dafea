// SPDX-License-Identifier: MIT
// The boundary of <linux/ioasid-vtd.h>: registers and interrupts.

@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory
import IOASIDVTDHardware

private func isRegister(_ offset: UInt32, _ size: CUnsignedInt) -> Bool {
    (size == 4 || size == 8) && offset & (size &- 1) == 0 && offset < VTD_REG_SPACE
}

@_cdecl("vtd_register_read")
@implementation
public func vtd_register_read(
    _ iommu: OpaquePointer?, _ offset: UInt32, _ size: CUnsignedInt
) -> UInt64 {
    guard let unit = Handle.unit(iommu), isRegister(offset, size) else { return UInt64.max }
    let value = Lock.hardware { unit.register(offset & ~7) }
    guard size == 4 else { return value }
    return offset & 4 != 0 ? value >> 32 : value & 0xffff_ffff
}

@_cdecl("vtd_register_write")
@implementation
public func vtd_register_write(
    _ iommu: OpaquePointer?, _ offset: UInt32, _ size: CUnsignedInt, _ value: UInt64
) -> CInt {
    guard let unit = Handle.unit(iommu), isRegister(offset, size),
        size == 8 || value >> 32 == 0
    else { return -EINVAL }
    if offset == VTD_REG_VCMD {
        unit.commandPASIDs(value)
        return 0
    }
    let error: CInt = Lock.hardware {
        guard unit.pointee.driver == nil else { return -EBUSY }
        if size == 8 {
            unit.setRegister(offset, value)
        } else {
            unit.setHalfRegister(offset, UInt32(truncatingIfNeeded: value))
        }
        return 0
    }
    unit.deliverInterrupts()
    return error
}

@_cdecl("vtd_unit_set_interrupt")
@implementation
public func vtd_unit_set_interrupt(
    _ iommu: OpaquePointer?, _ which: vtd_interrupt, _ function: vtd_interrupt_fn?,
    _ data: UnsafeMutableRawPointer?
) -> CInt {
    guard let unit = Handle.unit(iommu) else { return -EINVAL }
    return unit.setInterrupt(which, function, data)
}
