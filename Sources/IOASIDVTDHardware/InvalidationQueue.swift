// SPDX-License-Identifier: MIT
// Queued invalidation (section 6.5.2): a ring in memory, head and tail registers, descriptors.

@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory

package struct InvalidationQueue {
    /// 256 descriptors of 256 bits, then a page for the status of waits.
    package static let pages: UInt64 = 3
    package static let slots: UInt64 = 256
    package static let done: UInt64 = 2

    package let base: UInt64
    package var head: UInt64 = 0
    package var tail: UInt64 = 0

    package init(base: UInt64) { self.base = base }

    package var status: UInt64 { base &+ 2 << pageShift }

    package func slotAddress(_ index: UInt64) -> UInt64 { base &+ index % InvalidationQueue.slots &* 32 }
}

/// The pages that a device-TLB descriptor names: an aligned power of two of them.
private struct DevicePages {
    private let first: UInt64
    private let order: UInt64

    /// The lowest zero bit of a sized address says how large the range is.
    package init(_ high: UInt64, sized: Bool) {
        let page = high >> pageShift
        order = sized ? UInt64((~page).trailingZeroBitCount) &+ 1 : 0
        first = page >> order
    }

    package func contains(_ page: UInt64) -> Bool { page >> order == first }
}

// Software's side.
extension UnsafeMutablePointer<Unit> {
    /// Submits descriptors and waits for them, in one go: nobody else's come between.
    /// - Returns: false if hardware stopped at one of them.
    package func submit(_ descriptors: UnsafePointer<vtd_inv_desc>, _ count: Int) -> Bool {
        for index in 0..<count { enqueue(descriptors[index]) }
        return ring(drain: false)
    }

    /// The same for one descriptor.
    @discardableResult
    package func submit(_ descriptor: vtd_inv_desc) -> Bool {
        enqueue(descriptor)
        return ring(drain: false)
    }

    package func enqueue(_ descriptor: vtd_inv_desc) {
        let at = pointee.invalidations.slotAddress(pointee.invalidations.tail)
        memory.setWord(at, descriptor.qw.0)
        memory.setWord(at &+ 8, descriptor.qw.1)
        memory.setWord(at &+ 16, descriptor.qw.2)
        memory.setWord(at &+ 24, descriptor.qw.3)
        pointee.invalidations.tail = (pointee.invalidations.tail &+ 1) % InvalidationQueue.slots
    }

    /// Adds the wait, writes the tail register, and looks at the status.
    package func ring(drain: Bool) -> Bool {
        memory.setWord(pointee.invalidations.status, 0)
        var wait = vtd_inv_desc()
        wait.qw.0 = UInt64(VTD_INV_WAIT.rawValue) | VTD_INV_WAIT_SW | VTD_INV_WAIT_FN
            | (drain ? VTD_INV_WAIT_PD : 0) | InvalidationQueue.done << 32
        wait.qw.1 = pointee.invalidations.status
        enqueue(wait)
        processInvalidations()
        let status = memory.word(pointee.invalidations.status)
        if status == InvalidationQueue.done { return true }
        // Invalidation queue error: skip what is left, as a driver does to go on.
        pointee.invalidations.head = pointee.invalidations.tail
        return false
    }
}

// Hardware's side.
extension UnsafeMutablePointer<Unit> {
    private func processInvalidations() {
        while pointee.invalidations.head != pointee.invalidations.tail {
            let at = pointee.invalidations.slotAddress(pointee.invalidations.head)
            let low = memory.word(at) ?? 0
            let high = memory.word(at &+ 8) ?? 0
            guard carryOut(low, high) else { return }
            pointee.stats.invalidations &+= 1
            pointee.invalidations.head = (pointee.invalidations.head &+ 1) % InvalidationQueue.slots
        }
    }

    /// - Returns: false for a descriptor that is none.
    private func carryOut(_ low: UInt64, _ high: UInt64) -> Bool {
        let domain = UInt16(truncatingIfNeeded: low >> 16)
        let pasid = UInt32(low >> 32 & 0xfffff)
        let granularity = UInt32(low >> UInt64(VTD_INV_GRAN_SHIFT) & 3)
        switch vtd_inv_type(UInt32(low & 0xf)) {
        case VTD_INV_CONTEXT:
            return invalidateContext(granularity, UInt16(truncatingIfNeeded: low >> 32))
        case VTD_INV_IOTLB:
            return invalidateIOTLB(granularity, domain)
        case VTD_INV_PASID_CACHE:
            return invalidatePASIDs(granularity, domain, pasid)
        case VTD_INV_PIOTLB:
            return invalidatePASIDTranslations(granularity, domain, pasid, high)
        case VTD_INV_DEV_TLB:
            invalidateDeviceTLB(
                UInt16(truncatingIfNeeded: low >> 32), pasid: UInt32.max,
                DevicePages(high, sized: high & VTD_INV_DEV_SIZE != 0))
            return true
        case VTD_INV_DEV_PTLB:
            invalidateDeviceTLB(
                domain, pasid: high & VTD_INV_DEV_GLOBAL != 0 ? nil : pasid,
                DevicePages(high, sized: high & VTD_INV_DEV_PSIZE != 0))
            return true
        case VTD_INV_WAIT:
            // Page requests reach the queue at once: there is nothing on its way to drain.
            if low & VTD_INV_WAIT_SW != 0 { memory.setWord(high, low >> 32) }
            return true
        case VTD_INV_PAGE_RESPONSE:
            device(domain)?.pointee.waiting.answer(
                pasid: low & VTD_INV_PAGE_RESPONSE_PASID != 0 ? pasid : nil,
                group: UInt32(high >> 3 & 0x1ff), code: UInt32(low >> 12 & 0xf))
            return true
        default:
            return false
        }
    }

    private func invalidateContext(_ granularity: UInt32, _ sourceID: UInt16) -> Bool {
        switch granularity {
        case VTD_INV_CONTEXT_GLOBAL: pointee.devices.forEach { $0.pointee.context = nil }
        case VTD_INV_CONTEXT_DEVICE: device(sourceID)?.pointee.context = nil
        default: return false
        }
        return true
    }

    private func invalidateIOTLB(_ granularity: UInt32, _ domain: UInt16) -> Bool {
        switch granularity {
        case VTD_INV_IOTLB_GLOBAL: pointee.iotlb.invalidate { _ in true }
        // Of a nested translation the domain's address is not known: a page is the whole domain.
        case VTD_INV_IOTLB_DOMAIN, VTD_INV_IOTLB_PAGE:
            pointee.iotlb.invalidate { $0.domainID == domain }
        default: return false
        }
        return true
    }

    private func invalidatePASIDs(
        _ granularity: UInt32, _ domain: UInt16, _ pasid: UInt32
    ) -> Bool {
        switch granularity {
        case VTD_INV_PASID_GLOBAL: pointee.pasidCache.invalidate { _ in true }
        case VTD_INV_PASID_DOMAIN: pointee.pasidCache.invalidate { $0.entry.domainID == domain }
        case VTD_INV_PASID_ONE:
            pointee.pasidCache.invalidate { $0.pasid == pasid && $0.entry.domainID == domain }
        default: return false
        }
        return true
    }

    private func invalidatePASIDTranslations(
        _ granularity: UInt32, _ domain: UInt16, _ pasid: UInt32, _ high: UInt64
    ) -> Bool {
        switch granularity {
        case VTD_INV_PIOTLB_PASID:
            pointee.iotlb.invalidate { $0.pasid == pasid && $0.domainID == domain }
        case VTD_INV_PIOTLB_PAGE:
            let order = high & 0x3f
            let first = (high >> pageShift) >> order
            pointee.iotlb.invalidate {
                $0.pasid == pasid && $0.domainID == domain && $0.page >> order == first
            }
        default: return false
        }
        return true
    }

    /// - Parameter pasid: nil for every PASID
    private func invalidateDeviceTLB(_ sourceID: UInt16, pasid: UInt32?, _ pages: DevicePages) {
        device(sourceID)?.pointee.tlb?.invalidate {
            (pasid == nil ? $0.pasid != UInt32.max : $0.pasid == pasid)
                && pages.contains($0.page)
        }
    }
}
