// SPDX-License-Identifier: MIT
// The boundary of <linux/ioasid-vtd.h>: DMA, and looking at the hardware.

@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory
import IOASIDVTDHardware
import Synchronization

@_cdecl("vtd_dma")
@implementation
public func vtd_dma(
    _ dev: OpaquePointer?, _ pasid: ioasid_t, _ address: UInt64, _ access: CUnsignedInt,
    _ physical: UnsafeMutablePointer<UInt64>?
) -> CInt {
    DMA.access(dev, pasid, address, access) { _, reached in physical?.pointee = reached.bits }
}

@_cdecl("vtd_ats_translate")
@implementation
public func vtd_ats_translate(
    _ dev: OpaquePointer?, _ pasid: ioasid_t, _ address: UInt64, _ access: CUnsignedInt,
    _ physical: UnsafeMutablePointer<UInt64>?
) -> CInt {
    DMA.translate(dev, pasid, address, access) { physical?.pointee = $0.bits }
}

@_cdecl("vtd_page_request")
@implementation
public func vtd_page_request(
    _ dev: OpaquePointer?, _ pasid: ioasid_t, _ address: UInt64, _ access: CUnsignedInt,
    _ group: CUnsignedInt, _ last: Bool
) -> CInt {
    DMA.ask(dev, pasid, address, access, group: group, isLast: last)
}

@_cdecl("vtd_page_answer")
@implementation
public func vtd_page_answer(
    _ dev: OpaquePointer?, _ pasid: ioasid_t, _ group: CUnsignedInt
) -> CInt {
    DMA.answer(dev, pasid, group: group)
}

@_cdecl("vtd_dma_read")
@implementation
public func vtd_dma_read(
    _ dev: OpaquePointer?, _ pasid: ioasid_t, _ address: UInt64,
    _ buffer: UnsafeMutableRawPointer?, _ length: Int
) -> CInt {
    guard let buffer else { return -EINVAL }
    return DMA.transfer(dev, pasid, address, VTD_DMA_READ, length) {
        memory, physical, offset, piece in
        memory.read(physical, buffer + offset, piece)
    }
}

@_cdecl("vtd_dma_write")
@implementation
public func vtd_dma_write(
    _ dev: OpaquePointer?, _ pasid: ioasid_t, _ address: UInt64, _ buffer: UnsafeRawPointer?,
    _ length: Int
) -> CInt {
    guard let buffer else { return -EINVAL }
    return DMA.transfer(dev, pasid, address, VTD_DMA_WRITE, length) {
        memory, physical, offset, piece in
        memory.write(physical, buffer + offset, piece)
    }
}

@_cdecl("vtd_inv_submit")
@implementation
public func vtd_inv_submit(
    _ iommu: OpaquePointer?, _ descs: UnsafePointer<vtd_inv_desc>?, _ count: CUnsignedInt
) -> CInt {
    // One slot is the wait's, and a full ring would look empty.
    guard let unit = Handle.unit(iommu), let descs, UInt64(count) <= InvalidationQueue.slots &- 2
    else { return -EINVAL }
    let error: CInt = Lock.hardware {
        guard !unit.hasOwnQueue else { return -EBUSY }
        return unit.submit(descs, Int(count)) ? 0 : -EINVAL
    }
    unit.deliverInterrupts()
    return error
}

@_cdecl("vtd_fault_read")
@implementation
public func vtd_fault_read(
    _ iommu: OpaquePointer?, _ fault: UnsafeMutablePointer<vtd_fault>?
) -> Bool {
    guard let unit = Handle.unit(iommu), let fault else { return false }
    return Lock.hardware {
        guard let taken = unit.pointee.faults.take() else { return false }
        fault.pointee = taken
        return true
    }
}

@_cdecl("vtd_pasid_entry_address")
@implementation
public func vtd_pasid_entry_address(_ dev: OpaquePointer?, _ pasid: ioasid_t) -> UInt64 {
    guard let device = Handle.device(dev) else { return UInt64.max }
    return Lock.hardware { device.tableEntryAddress(PASID(pasid))?.bits ?? UInt64.max }
}

@_cdecl("vtd_pasid_entry")
@implementation
public func vtd_pasid_entry(
    _ dev: OpaquePointer?, _ pasid: ioasid_t, _ entry: UnsafeMutablePointer<UInt64>?
) -> CInt {
    guard let device = Handle.device(dev), let entry,
        pasid < device.pointee.unit.pasidLimit
    else { return -EINVAL }
    return Lock.hardware {
        guard let at = device.tableEntryAddress(PASID(pasid)) else { return -ENOENT }
        device.pointee.unit.memory.read(at, entry, PASIDEntry.byteCount)
        return 0
    }
}

@_cdecl("vtd_get_stats")
@implementation
public func vtd_get_stats(_ iommu: OpaquePointer?, _ stats: UnsafeMutablePointer<vtd_stats>?) {
    guard let unit = Handle.unit(iommu), let stats else { return }
    Lock.hardware { stats.pointee = unit.takeStats() }
}

@_cdecl("vtd_fail_nth")
@implementation
public func vtd_fail_nth(_ nth: CUnsignedLong) -> CUnsignedLong { Memory.failNth(nth) }

@_cdecl("vtd_blocks_used")
@implementation
public func vtd_blocks_used() -> CUnsignedLong { CUnsignedLong(bitPattern: Memory.blocksInUse) }
