// SPDX-License-Identifier: MIT
// Scalable-mode PASID table entries (section 9.6): 512 bits, fields named in ioasid-vtd.h.

@preconcurrency import CIOASIDVTDHardware

package struct PASIDEntry {
    package static let byteCount: UInt64 = 64

    /// Words 3 to 7 are reserved.
    package let word0: UInt64
    package let word1: UInt64
    package let word2: UInt64

    package init(word0: UInt64, word1: UInt64, word2: UInt64) {
        self.word0 = word0
        self.word1 = word1
        self.word2 = word2
    }

    var isPresent: Bool { word0 & VTD_PE_P != 0 }
    var isQuiet: Bool { word0 & VTD_PE_FPD != 0 }
    private var type: UInt64 { word0 >> UInt64(VTD_PE_PGTT_SHIFT) & VTD_PE_FIELD_MASK }
    package var domain: DomainID { DomainID(UInt16(word1 & VTD_PE_DID_MASK)) }
    var firstLevelRoot: UInt64 { word2 & addressMask }
    var secondLevelRoot: HPA { HPA(entry: word0) }
    var firstLevels: UInt64 { 4 &+ (word2 >> UInt64(VTD_PE_FLPM_SHIFT) & 3) }
    var secondLevels: UInt64 { 2 &+ (word0 >> UInt64(VTD_PE_AW_SHIFT) & VTD_PE_FIELD_MASK) }
    var marksSecondLevel: Bool { word0 & VTD_PE_SLADE != 0 }
    var allowsSupervisor: Bool { word2 & VTD_PE_SRE != 0 }
    var allowsExecute: Bool { word2 & VTD_PE_ERE != 0 }
    var protectsFromSupervisor: Bool { word2 & VTD_PE_WPE != 0 }
    var hasNoExecute: Bool { word2 & VTD_PE_NXE != 0 }
    var marksExtended: Bool { word2 & VTD_PE_EAFE != 0 }

    package func isType(_ type: vtd_pgtt) -> Bool { self.type == UInt64(type.rawValue) }
    var usesFirstLevel: Bool { isType(VTD_PGTT_FIRST_LEVEL) || isType(VTD_PGTT_NESTED) }
    var usesSecondLevel: Bool { isType(VTD_PGTT_SECOND_LEVEL) || isType(VTD_PGTT_NESTED) }

    private static let reserved0: UInt64 = 0x0c00 | beyondAddress
    private static let reserved1: UInt64 = 0x007f_0000
    private static let reserved2: UInt64 = 0x0f40 | beyondAddress

    /// CD, EMTE, EMT, PWT, PCD and PAT.
    private static let memoryTypes: UInt64 = ~0 << 25

    /// Reserved, some of it only for want of a capability.
    private func reservedBits(_ capabilities: UInt32) -> UInt64 {
        var bits =
            word0 & PASIDEntry.reserved0 | word1 & PASIDEntry.reserved1
            | word2 & PASIDEntry.reserved2
        if capabilities & VTD_CAP_SLADS == 0 { bits |= word0 & VTD_PE_SLADE }
        if capabilities & VTD_CAP_SRS == 0 { bits |= word2 & VTD_PE_SRE }
        bits |= word1 & VTD_PE_PGSNP  // no unit here has snoop control (ECAP.SC)
        if capabilities & VTD_CAP_MTS == 0 { bits |= word1 & PASIDEntry.memoryTypes }
        if capabilities & VTD_CAP_EAFS == 0 { bits |= word2 & VTD_PE_EAFE }
        return bits
    }

    /// Can the unit do what the entry asks for?
    private func isValid(_ capabilities: UInt32) -> Bool {
        func can(_ capability: UInt32) -> Bool { capabilities & capability != 0 }
        if isType(VTD_PGTT_NESTED) && !can(VTD_CAP_NEST) { return false }
        if isType(VTD_PGTT_PASS_THROUGH) { return can(VTD_CAP_PT) }
        if usesFirstLevel && firstLevels > (can(VTD_CAP_FL5LP) ? 5 : 4) { return false }
        if usesSecondLevel && !(3...(can(VTD_CAP_SL5LP) ? 5 : 4)).contains(secondLevels) {
            return false
        }
        return usesFirstLevel || usesSecondLevel
    }

    /// Reads and checks the entry as hardware does before it caches it.
    /// - Parameter isQuiet: what the entries above say of faults
    static func fetch(
        _ memory: PhysicalMemory, at address: HPA, _ capabilities: UInt32, isQuiet: Bool
    ) throws(Fault) -> PASIDEntry {
        guard memory.contains(address, byteCount), let word0 = memory.word(address),
            let word1 = memory.word(address + 8), let word2 = memory.word(address + 16)
        else { throw Fault(VTD_FAULT_PASID_ACCESS) }  // whatever FPD says: not qualified (7.1.3)
        let entry = PASIDEntry(word0: word0, word1: word1, word2: word2)
        let isQuiet = isQuiet || entry.isQuiet
        guard entry.isPresent else { throw Fault(VTD_FAULT_PASID_NOT_PRESENT, quiet: isQuiet) }
        var reserved = entry.reservedBits(capabilities)
        for word in UInt64(3)..<8 { reserved |= memory.word(address + word &* 8) ?? 0 }
        guard reserved == 0 else { throw Fault(VTD_FAULT_PASID_RESERVED, quiet: isQuiet) }
        guard entry.isValid(capabilities) else {
            throw Fault(VTD_FAULT_PASID_INVALID, quiet: isQuiet)
        }
        return entry
    }
}
