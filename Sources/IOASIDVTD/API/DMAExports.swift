// SPDX-License-Identifier: MIT
// The boundary of <linux/ioasid-vtd.h>: DMA, and looking at the hardware.

import CIOASIDVTD
import Synchronization

enum DMA {
    private static let known = VTD_DMA_READ | VTD_DMA_WRITE | VTD_DMA_EXEC | VTD_DMA_PRIV

    /// One request within a page. `use` gets the physical address while the translation holds.
    @inline(__always)
    static func access(
        _ dev: OpaquePointer?, _ pasid: UInt32, _ address: UInt64, _ access: UInt32,
        _ use: (PhysicalMemory, UInt64) -> Void
    ) -> CInt {
        guard access & ~known == 0, access & ~VTD_DMA_PRIV != 0,
            let device = Handle.device(dev)
        else { return -EINVAL }
        let request = Request(
            pasid: pasid == UInt32.max ? nil : pasid, address: address, access: access)
        let unit = device.pointee.unit
        var isSecond = false
        while true {
            let outcome: DMAOutcome = Lock.hardware {
                let outcome = device.access(request)
                if case .reached(let physical) = outcome { use(unit.memory, physical) }
                return outcome
            }
            switch outcome {
            case .reached: return 0
            case .refused(let reason): return CInt(reason)
            case .waiting:
                if isSecond { return -EAGAIN }
                PageRequests.interrupt(unit)
                isSecond = true
            }
        }
    }

    /// A transfer of any length, page by page.
    @inline(__always)
    static func transfer(
        _ dev: OpaquePointer?, _ pasid: UInt32, _ address: UInt64, _ access: UInt32,
        _ length: Int, _ use: (PhysicalMemory, UInt64, _ offset: Int, UInt64) -> Void
    ) -> CInt {
        var done: UInt64 = 0
        let length = UInt64(UInt(bitPattern: length))
        while done < length {
            let at = address &+ done
            let piece = min(length &- done, pageSize &- at % pageSize)
            let result = self.access(dev, pasid, at, access) { memory, physical in
                use(memory, physical, Int(truncatingIfNeeded: done), piece)
            }
            guard result == 0 else { return result }
            done &+= piece
        }
        return 0
    }
}

@_cdecl("vtd_dma")
@implementation
public func vtd_dma(
    _ dev: OpaquePointer?, _ pasid: ioasid_t, _ address: UInt64, _ access: CUnsignedInt,
    _ physical: UnsafeMutablePointer<UInt64>?
) -> CInt {
    DMA.access(dev, pasid, address, access) { _, reached in physical?.pointee = reached }
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
    return Lock.hardware { unit.submit(descs, Int(count)) ? 0 : -EINVAL }
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
    return Lock.hardware { device.pasidEntryAddress(pasid) ?? UInt64.max }
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
        guard let at = device.pasidEntryAddress(pasid) else { return -ENOENT }
        device.pointee.unit.memory.read(at, entry, PASIDEntry.byteCount)
        return 0
    }
}

@_cdecl("vtd_get_stats")
@implementation
public func vtd_get_stats(_ iommu: OpaquePointer?, _ stats: UnsafeMutablePointer<vtd_stats>?) {
    guard let unit = Handle.unit(iommu), let stats else { return }
    Lock.hardware { stats.pointee = unit.pointee.stats }
}

@_cdecl("vtd_fail_nth")
@implementation
public func vtd_fail_nth(_ nth: CUnsignedLong) -> CUnsignedLong { Memory.failNth(nth) }

@_cdecl("vtd_blocks_used")
@implementation
public func vtd_blocks_used() -> CUnsignedLong { Memory.blocks.load(ordering: .relaxed) }
