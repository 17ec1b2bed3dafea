// SPDX-License-Identifier: MIT
// Invalidation descriptors (section 6.5.2): what they say, and whether they can be.

@preconcurrency import CIOASIDVTDHardware

/// A descriptor that was found in order.
enum Descriptor {
    case contexts(ContextScope)
    case iotlb(IOTLBScope)
    case pasids(PASIDScope)
    case pasidTranslations(DomainID, PASID, PageRange?)
    case deviceTLB(SourceID, DevicePASIDs, PageRange)
    /// Interrupt entries, of which there are none.
    case interruptEntries
    case wait(Wait)
    case pageResponse(SourceID, PASID?, group: UInt32, code: UInt32)

    enum ContextScope {
        case all
        /// And of its neighbours whose number differs in `ignored` bits only.
        case device(SourceID, ignored: UInt16)
    }

    enum IOTLBScope {
        case all
        case domain(DomainID)
        case pages(DomainID, PageRange)
    }

    enum PASIDScope {
        case all
        case domain(DomainID)
        case one(DomainID, PASID)
    }

    enum DevicePASIDs {
        case requestsWithout
        case one(PASID)
        case all
    }

    struct Wait {
        /// Where to write the status, and what.
        let status: (HPA, UInt32)?
        let interrupts: Bool
    }

    /// The largest order of pages that an IOTLB descriptor may name (MAMV of the capability register).
    static let largestOrder: UInt64 = 18
    /// By PASID there is no limit but the address space, whatever MAMV says.
    private static let largestOrderOfPASID: UInt64 = 52

    /// Bits that must be zero, by type; the rest of the first two words has a meaning.
    private static func reserved(_ type: vtd_inv_type) -> (low: UInt64, high: UInt64) {
        switch type {
        case VTD_INV_CONTEXT: (0xfffc_0000_0000_ffc0, .max)
        case VTD_INV_IOTLB: (0xffff_ffff_0000_ff00, 0xf80)
        case VTD_INV_DEV_TLB: (0x000f_0000_ffe0_0ff0, 0xffe)
        case VTD_INV_IEC: (0xffff_0000_07ff_ffe0, .max)
        case VTD_INV_WAIT: (0xffff_ff80, 0x3)
        case VTD_INV_PIOTLB: (0xfff0_0000_0000_ffc0, 0xf80)
        case VTD_INV_PASID_CACHE: (0xfff0_0000_0000_ffc0, .max)
        case VTD_INV_DEV_PTLB: (0x0000_0000_0000_0e00, 0x7fe)
        case VTD_INV_PAGE_RESPONSE: (0xfff0_0000_0000_0fc0, ~0xffc)
        default: (.max, .max)
        }
    }

    /// Is it of a type that there is (bits 11:9 and 3:0)?
    static func hasType(_ low: UInt64) -> Bool {
        (1...UInt64(VTD_INV_PAGE_RESPONSE.rawValue)).contains(low & 0xe0f)
    }

    /// - Parameter words: 4 of them; descriptors of 128 bits have 2
    /// - Returns: nil for one that is none, which is an invalidation queue error.
    static func decode(_ words: (UInt64, UInt64, UInt64, UInt64), canDrain: Bool) -> Descriptor? {
        let (low, high, third, fourth) = words
        let type = vtd_inv_type(UInt32(low & 0xf))
        var reserved = reserved(type)
        if type == VTD_INV_WAIT && canDrain { reserved.low &= ~UInt64(VTD_INV_WAIT_PD) }
        // The upper half is for private data, which a page response may give back.
        let isPrivate =
            type == VTD_INV_PAGE_RESPONSE && low & VTD_INV_PAGE_RESPONSE_PRIVATE != 0
        let unused = isPrivate ? 0 : third | fourth
        guard low & reserved.low | high & reserved.high | unused == 0 else { return nil }

        let domain = DomainID(UInt16(truncatingIfNeeded: low >> 16))
        let pasid = PASID(UInt32(low >> 32 & 0xfffff))
        let granularity = UInt32(low >> UInt64(VTD_INV_GRAN_SHIFT) & 3)
        switch type {
        case VTD_INV_CONTEXT: return contexts(granularity, low)
        case VTD_INV_IOTLB: return iotlb(granularity, domain, high)
        case VTD_INV_PASID_CACHE: return pasids(granularity, domain, pasid)
        case VTD_INV_PIOTLB: return translations(granularity, domain, pasid, high)
        case VTD_INV_DEV_TLB:
            return .deviceTLB(
                SourceID(UInt16(truncatingIfNeeded: low >> 32)), .requestsWithout,
                PageRange(device: high, isSized: high & VTD_INV_DEV_SIZE != 0))
        case VTD_INV_DEV_PTLB:
            return .deviceTLB(
                SourceID(domain.number), high & VTD_INV_DEV_GLOBAL != 0 ? .all : .one(pasid),
                PageRange(device: high, isSized: high & VTD_INV_DEV_PSIZE != 0))
        case VTD_INV_IEC: return .interruptEntries
        case VTD_INV_WAIT:
            let status =
                low & VTD_INV_WAIT_SW != 0
                ? (HPA(high), UInt32(truncatingIfNeeded: low >> 32)) : nil
            return .wait(Wait(status: status, interrupts: low & VTD_INV_WAIT_IF != 0))
        case VTD_INV_PAGE_RESPONSE:
            return .pageResponse(
                SourceID(domain.number), low & VTD_INV_PAGE_RESPONSE_PASID != 0 ? pasid : nil,
                group: UInt32(high >> 3 & 0x1ff), code: UInt32(low >> 12 & 0xf))
        default: return nil
        }
    }

    private static func contexts(_ granularity: UInt32, _ low: UInt64) -> Descriptor? {
        switch granularity {
        // Context entries of scalable mode have no domain: its granularity is that of all.
        case VTD_INV_CONTEXT_GLOBAL, VTD_INV_CONTEXT_DOMAIN: return .contexts(.all)
        case VTD_INV_CONTEXT_DEVICE:
            // Function mask 0 to 3: none, bit 2, bits 2 and 1, all three bits.
            let ignored = UInt16(truncatingIfNeeded: 0x7640 >> ((low >> 48 & 3) &* 4)) & 7
            return .contexts(
                .device(SourceID(UInt16(truncatingIfNeeded: low >> 32)), ignored: ignored))
        default: return nil
        }
    }

    private static func iotlb(
        _ granularity: UInt32, _ domain: DomainID, _ high: UInt64
    ) -> Descriptor? {
        switch granularity {
        case VTD_INV_IOTLB_GLOBAL: return .iotlb(.all)
        case VTD_INV_IOTLB_DOMAIN: return .iotlb(.domain(domain))
        case VTD_INV_IOTLB_PAGE:
            return pages(high, largestOrder).map { .iotlb(.pages(domain, $0)) }
        default: return nil
        }
    }

    private static func pasids(
        _ granularity: UInt32, _ domain: DomainID, _ pasid: PASID
    ) -> Descriptor? {
        switch granularity {
        case VTD_INV_PASID_DOMAIN: return .pasids(.domain(domain))
        case VTD_INV_PASID_ONE: return .pasids(.one(domain, pasid))
        case VTD_INV_PASID_GLOBAL: return .pasids(.all)
        default: return nil
        }
    }

    private static func translations(
        _ granularity: UInt32, _ domain: DomainID, _ pasid: PASID, _ high: UInt64
    ) -> Descriptor? {
        switch granularity {
        case VTD_INV_PIOTLB_PASID: return .pasidTranslations(domain, pasid, nil)
        case VTD_INV_PIOTLB_PAGE:
            return pages(high, largestOrderOfPASID).map { .pasidTranslations(domain, pasid, $0) }
        default: return nil
        }
    }

    /// Address mask, "invalidation hint" (which is none that must be followed), and address.
    private static func pages(_ high: UInt64, _ largest: UInt64) -> PageRange? {
        let order = high & 0x3f
        guard order <= largest else { return nil }
        return PageRange(address: high, order: order)
    }
}
