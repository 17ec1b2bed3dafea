// SPDX-License-Identifier: MIT
// Cache invalidation on a guest's behalf: what its unit was told, told to the host's (Linux 5.10).

@preconcurrency import CIOASIDVTDDriver
@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory
import IOASIDVTDHardware

/// A guest knows its own PASIDs and domain ids; the hardware has the host's. Between them are the
/// bindings: what is not bound on this domain to this device cannot be reached.
package enum GuestInvalidation {
    // MARK: Checks, before anything is touched

    private static let knownCaches = UInt8(1 << IOMMU_CACHE_INV_TYPE_NR) &- 1
    private static let addressFlags = UInt32(
        IOMMU_INV_ADDR_FLAGS_PASID | IOMMU_INV_ADDR_FLAGS_ARCHID | IOMMU_INV_ADDR_FLAGS_LEAF)
    private static let pasidFlags = UInt32(
        IOMMU_INV_PASID_FLAGS_PASID | IOMMU_INV_PASID_FLAGS_ARCHID)

    private static func has(_ info: iommu_cache_invalidate_info, _ cache: CInt) -> Bool {
        info.cache & UInt8(cache) != 0
    }

    /// Fields that are wrong whatever is bound.
    package static func isWellFormed(_ info: iommu_cache_invalidate_info) -> Bool {
        let padding = info.padding
        guard info.version == UInt32(IOMMU_CACHE_INVALIDATE_INFO_VERSION_1), info.cache != 0,
            info.cache & ~knownCaches == 0, info.argsz >= civtd_invalidate_size(info.granularity),
            padding.0 | padding.1 | padding.2 | padding.3 | padding.4 | padding.5 == 0
        else { return false }
        switch iommu_inv_granularity(UInt32(info.granularity)) {
        case IOMMU_INV_GRANU_DOMAIN: return !has(info, IOMMU_CACHE_INV_TYPE_DEV_IOTLB)
        case IOMMU_INV_GRANU_PASID:
            return info.granu.pasid_info.flags & ~pasidFlags == 0
                && info.granu.pasid_info.flags & UInt32(IOMMU_INV_PASID_FLAGS_PASID) != 0
        case IOMMU_INV_GRANU_ADDR:
            let address = info.granu.addr_info
            return !has(info, IOMMU_CACHE_INV_TYPE_PASID) && address.flags & ~addressFlags == 0
                && address.flags & UInt32(IOMMU_INV_ADDR_FLAGS_PASID) != 0
                && Pages(address) != nil
        default: return false
        }
    }

    /// Pages of a guest's process, as a descriptor can name them: 2^order, aligned.
    private struct Pages {
        let address: UInt64
        /// nil: more than a descriptor can, so all of the PASID's.
        let order: UInt32?

        private static let largestOrder: UInt64 = 18

        /// The smallest aligned range that has all of what is asked for.
        init?(_ info: iommu_inv_addr_info) {
            let (size, isTooLarge) = info.granule_size.multipliedReportingOverflow(
                by: info.nb_granules)
            guard !isTooLarge, size > 0, info.granule_size & (pageSize &- 1) == 0,
                info.addr & (pageSize &- 1) == 0, info.addr <= UInt64.max &- (size &- 1)
            else { return nil }
            let last = info.addr &+ (size &- 1)
            var order: UInt64 = 0
            while order <= Pages.largestOrder
                && info.addr >> (pageShift &+ order) != last >> (pageShift &+ order)
            {
                order &+= 1
            }
            self.order = order <= Pages.largestOrder ? UInt32(order) : nil
            address = (info.addr >> (pageShift &+ order)) << (pageShift &+ order)
        }
    }

    // MARK: Translation. With the driver lock held

    private static func wantedPASID(_ info: iommu_cache_invalidate_info) -> UInt64? {
        switch iommu_inv_granularity(UInt32(info.granularity)) {
        case IOMMU_INV_GRANU_PASID: info.granu.pasid_info.pasid
        case IOMMU_INV_GRANU_ADDR: info.granu.addr_info.pasid
        default: nil
        }
    }

    /// Is this binding, on the domain and the device, what the guest calls by the number?
    private static func isMeant(
        _ binding: Ref<Binding>, _ attachment: Ref<Attachment>, _ device: Ref<Device>,
        _ number: UInt64?
    ) -> Bool {
        guard case .guest(let data) = binding.pointee.source,
            let bound = Bindings.boundDevice(binding, device),
            bound.pointee.attachment == attachment
        else { return false }
        guard let number else { return true }
        let own = GuestBinding.hasGuestPASID(data) ? data.gpasid : data.hpasid
        return own == number
    }

    /// - Parameter mayUse: asked for each host PASID that is concerned
    package static func carryOut(
        _ domain: Ref<Domain>, _ device: Ref<Device>, _ info: iommu_cache_invalidate_info,
        mayUse: (PASID) -> CInt
    ) -> CInt {
        guard let attachment = device.attachment(domain) else { return -EINVAL }
        let number = wantedPASID(info)
        var error: CInt = 0
        var count = 0
        Bindings.forEachOpenly { binding in
            guard error == 0, isMeant(binding, attachment, device, number) else { return }
            error = mayUse(binding.pointee.pasid)
            guard error == 0 else { return }
            count &+= 1
            Lock.hardware { forget(binding.pointee.pasid, domain, device, info) }
        }
        // A domain without any PASID has nothing to forget.
        return error == 0 && count == 0 && number != nil ? -EINVAL : error
    }

    // MARK: To the hardware. With its lock held

    private static func forget(
        _ pasid: PASID, _ domain: Ref<Domain>, _ device: Ref<Device>,
        _ info: iommu_cache_invalidate_info
    ) {
        let unit = device.pointee.unit
        let id = domain.pointee.id.number
        if has(info, IOMMU_CACHE_INV_TYPE_PASID) {
            unit.enqueue(vtd_inv_pasid_cache(VTD_INV_PASID_ONE, id, pasid.number))
        }
        let isByAddress = UInt32(info.granularity) == IOMMU_INV_GRANU_ADDR.rawValue
        let pages = isByAddress ? Pages(info.granu.addr_info) : nil
        let isOfUnit = has(info, IOMMU_CACHE_INV_TYPE_IOTLB)
        if isOfUnit {
            if let pages, let order = pages.order {
                unit.enqueue(vtd_inv_piotlb_pages(id, pasid.number, pages.address, order))
            } else {
                unit.enqueue(vtd_inv_piotlb(id, pasid.number))
            }
        }
        // A guest may count on its unit's IOTLB being all there is, as under the kernel's driver.
        if device.hasTLB && (isOfUnit || has(info, IOMMU_CACHE_INV_TYPE_DEV_IOTLB)) {
            unit.enqueue(device.forgetPages(pages?.address, order: pages?.order, of: pasid))
        }
        unit.ring(drain: false)
    }
}

extension Ref<Device> {
    /// - Parameter order: nil for all of the PASID's
    fileprivate func forgetPages(_ address: UInt64?, order: UInt32?, of pasid: PASID)
        -> vtd_inv_desc
    {
        var descriptor = forgetAll(of: pasid)
        guard let address, let order else { return descriptor }
        // The lowest zero bit of a sized address says how large the range is.
        let ones = order > 1 ? ((UInt64(1) << (UInt64(order) &- 1)) &- 1) << pageShift : 0
        descriptor.qw.1 = address | ones | (order > 0 ? VTD_INV_DEV_PSIZE : 0)
        return descriptor
    }
}
