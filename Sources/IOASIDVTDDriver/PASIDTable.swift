// SPDX-License-Identifier: MIT
// The driver's hand on PASID table entries: what it writes, and what it makes hardware forget.

@preconcurrency import CIOASIDVTDDriver
@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory
import IOASIDVTDHardware

extension PASIDEntry {
    private static func type(_ type: vtd_pgtt) -> UInt64 {
        VTD_PE_P | UInt64(type.rawValue) << UInt64(VTD_PE_PGTT_SHIFT)
    }

    private static let width48 = UInt64(VTD_AW_48.rawValue) << UInt64(VTD_PE_AW_SHIFT)

    /// A process of the host.
    static func firstLevel(root: HPA) -> PASIDEntry {
        PASIDEntry(
            word0: type(VTD_PGTT_FIRST_LEVEL),
            word1: UInt64(Domain.firstLevelID.number) | VTD_PE_PWSNP,
            word2: root.bits | VTD_PE_NXE)
    }

    /// A whole domain: by its table, or around it.
    static func domain(_ domain: Ref<Domain>) -> PASIDEntry {
        let start =
            domain.pointee.isIdentity
            ? type(VTD_PGTT_PASS_THROUGH)
            : type(VTD_PGTT_SECOND_LEVEL) | width48 | domain.pointee.root.bits
        return PASIDEntry(
            word0: start, word1: UInt64(domain.pointee.id.number) | VTD_PE_PWSNP, word2: 0)
    }

    /// A guest's process: `data` was checked.
    static func nested(_ domain: Ref<Domain>, _ data: iommu_gpasid_bind_data) -> PASIDEntry {
        let vendor = data.vendor.vtd
        var word1 = UInt64(domain.pointee.id.number) | VTD_PE_PWSNP
        var word2 = data.gpgd
        func move(_ flag: CInt, _ bit: UInt64, to word: inout UInt64) {
            if vendor.flags & UInt64(flag) != 0 { word |= bit }
        }
        move(IOMMU_SVA_VTD_GPASID_CD, VTD_PE_CD, to: &word1)
        move(IOMMU_SVA_VTD_GPASID_EMTE, VTD_PE_EMTE, to: &word1)
        move(IOMMU_SVA_VTD_GPASID_PWT, VTD_PE_PWT, to: &word1)
        move(IOMMU_SVA_VTD_GPASID_PCD, VTD_PE_PCD, to: &word1)
        if vendor.flags & UInt64(IOMMU_SVA_VTD_GPASID_EMTE) != 0 {
            word1 |= UInt64(vendor.emt) << UInt64(VTD_PE_EMT_SHIFT)
            word1 |= UInt64(vendor.pat) << UInt64(VTD_PE_PAT_SHIFT)
        }
        move(IOMMU_SVA_VTD_GPASID_SRE, VTD_PE_SRE, to: &word2)
        move(IOMMU_SVA_VTD_GPASID_WPE, VTD_PE_WPE, to: &word2)
        move(IOMMU_SVA_VTD_GPASID_EAFE, VTD_PE_EAFE, to: &word2)
        if data.addr_width == 57 { word2 |= 1 << UInt64(VTD_PE_FLPM_SHIFT) }
        return PASIDEntry(
            word0: type(VTD_PGTT_NESTED) | width48 | domain.pointee.root.bits, word1: word1,
            word2: word2)
    }
}

// With the hardware lock held.
extension Ref<Device> {
    /// - Returns: where the entry is in memory; nil if there is no table for it.
    func pasidEntryAddress(_ pasid: PASID, newTable: () -> HPA? = { nil }) -> HPA? {
        guard let driver, pasid.number < pointee.unit.pasidLimit else { return nil }
        let memory = pointee.unit.memory
        let at = driver.pointee.directory + UInt64(pasid.number >> 6) &* 8
        var entry = memory.word(at) ?? 0
        if entry & 1 == 0 {
            guard let table = newTable() else { return nil }
            entry = table.bits | 1
            memory.setWord(at, entry)
        }
        return HPA(entry: entry) + UInt64(pasid.number & 63) &* PASIDEntry.byteCount
    }

    func hasPresentEntry(_ pasid: PASID) -> Bool {
        guard let at = pasidEntryAddress(pasid) else { return false }
        return (pointee.unit.memory.word(at) ?? 0) & VTD_PE_P != 0
    }

    /// Writes an entry where none is present.
    /// - Returns: false for want of a page.
    func setUp(_ pasid: PASID, _ entry: PASIDEntry) -> Bool {
        let machine = pointee.unit.pointee.machine
        guard
            let at = pasidEntryAddress(pasid, newTable: { machine.allocatePages(1) })
        else { return false }
        recordFaults(of: pasid)
        let memory = pointee.unit.memory
        memory.setWord(at + 16, entry.word2)
        memory.setWord(at + 8, entry.word1)
        // The word with the present bit last.
        memory.setWord(at, entry.word0)
        forgetAbsence(of: pasid, entry.domain)
        return true
    }

    /// Clears an entry and makes every cache forget it, in the order of section 6.5.3.1.
    /// - Parameter quiet: faults of requests that are still coming are not to be recorded
    func tearDown(_ pasid: PASID, quiet: Bool) {
        let memory = pointee.unit.memory
        guard let at = pasidEntryAddress(pasid), let word0 = memory.word(at) else { return }
        guard word0 & VTD_PE_P != 0 else {
            // Torn down quietly before, when a process ended: by now its requests must be over.
            if !quiet { recordFaults(of: pasid) }
            return
        }
        let old = PASIDEntry(word0: word0, word1: memory.word(at + 8) ?? 0, word2: 0)
        memory.setWord(at, quiet ? VTD_PE_FPD : 0)
        if quiet { driver?.pointee.quietEntries &+= 1 }
        for word in UInt64(1)..<8 { memory.setWord(at + word &* 8, 0) }

        let domain = old.domain
        pointee.unit.enqueue(vtd_inv_pasid_cache(VTD_INV_PASID_ONE, domain.number, pasid.number))
        // A domain's own translations are not of a PASID; those of a guest's process, which stand on
        // them, go with them.
        if old.isType(VTD_PGTT_SECOND_LEVEL) || old.isType(VTD_PGTT_NESTED) {
            pointee.unit.enqueue(vtd_inv_iotlb(VTD_INV_IOTLB_DOMAIN, domain.number))
        } else {
            pointee.unit.enqueue(vtd_inv_piotlb(domain.number, pasid.number))
        }
        if hasTLB { pointee.unit.enqueue(forgetAll(of: pasid)) }
        pointee.unit.ring(drain: false)
    }

    /// What makes the device forget a PASID.
    func forgetAll(of pasid: PASID) -> vtd_inv_desc {
        pasid == .ofRequestsWithout
            ? vtd_inv_dev_tlb(pointee.source.number)
            : vtd_inv_dev_ptlb(pointee.source.number, pasid.number)
    }
}
