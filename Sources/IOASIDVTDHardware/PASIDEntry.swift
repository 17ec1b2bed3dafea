// SPDX-License-Identifier: MIT
// Scalable-mode PASID table entries (section 9.6): 512 bits, fields named in ioasid-vtd.h.

@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory

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

    package var isPresent: Bool { word0 & VTD_PE_P != 0 }
    package var isQuiet: Bool { word0 & VTD_PE_FPD != 0 }
    package var type: UInt64 { word0 >> UInt64(VTD_PE_PGTT_SHIFT) & VTD_PE_FIELD_MASK }
    package var domainID: UInt16 { UInt16(word1 & VTD_PE_DID_MASK) }
    package var firstLevelRoot: UInt64 { word2 & addressMask }
    package var secondLevelRoot: UInt64 { word0 & addressMask }
    package var firstLevels: UInt64 { 4 &+ (word2 >> UInt64(VTD_PE_FLPM_SHIFT) & 3) }
    package var secondLevels: UInt64 { 2 &+ (word0 >> UInt64(VTD_PE_AW_SHIFT) & VTD_PE_FIELD_MASK) }
    package var allowsSupervisor: Bool { word2 & VTD_PE_SRE != 0 }
    package var allowsExecute: Bool { word2 & VTD_PE_ERE != 0 }
    package var protectsFromSupervisor: Bool { word2 & VTD_PE_WPE != 0 }

    package func isType(_ type: vtd_pgtt) -> Bool { self.type == UInt64(type.rawValue) }
    package var usesFirstLevel: Bool { isType(VTD_PGTT_FIRST_LEVEL) || isType(VTD_PGTT_NESTED) }
    package var usesSecondLevel: Bool { isType(VTD_PGTT_SECOND_LEVEL) || isType(VTD_PGTT_NESTED) }

    // Bits 11:10 of word 0 and 11:8 of word 2.
    private static let reserved0: UInt64 = 0x0c00
    private static let reserved2: UInt64 = 0x0f00

    /// Can the unit do what the entry asks for?
    private func isValid(_ capabilities: UInt32) -> Bool {
        if isType(VTD_PGTT_NESTED) && capabilities & VTD_CAP_NEST == 0 { return false }
        if isType(VTD_PGTT_PASS_THROUGH) { return capabilities & VTD_CAP_PT != 0 }
        if usesFirstLevel && firstLevels > (capabilities & VTD_CAP_FL5LP != 0 ? 5 : 4) {
            return false
        }
        if usesSecondLevel && !(3...5).contains(secondLevels) { return false }
        return usesFirstLevel || usesSecondLevel
    }

    /// Reads and checks the entry as hardware does before it caches it.
    package static func fetch(
        _ memory: PhysicalMemory, at address: UInt64, _ capabilities: UInt32
    ) throws(Fault) -> PASIDEntry {
        guard memory.contains(address, byteCount), let word0 = memory.word(address),
            let word1 = memory.word(address &+ 8), let word2 = memory.word(address &+ 16)
        else { throw Fault(VTD_FAULT_PASID_ACCESS) }
        let entry = PASIDEntry(word0: word0, word1: word1, word2: word2)
        guard entry.isPresent else {
            throw Fault(VTD_FAULT_PASID_NOT_PRESENT, quiet: entry.isQuiet)
        }
        var reserved = word0 & reserved0 | word2 & reserved2
        for word in UInt64(3)..<8 { reserved |= memory.word(address &+ word &* 8) ?? 0 }
        guard reserved == 0 else { throw Fault(VTD_FAULT_PASID_RESERVED, quiet: entry.isQuiet) }
        guard entry.isValid(capabilities) else {
            throw Fault(VTD_FAULT_PASID_INVALID, quiet: entry.isQuiet)
        }
        return entry
    }
}
