// SPDX-License-Identifier: MIT
// Root, context and PASID directory entries of scalable mode (sections 9.2, 9.4 and 9.5).

@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory

/// A scalable-mode context entry: 256 bits, of which the first two words mean something.
package struct ContextEntry {
    static let byteCount: UInt64 = 32

    package let word0: UInt64
    package let word1: UInt64

    static let present: UInt64 = 1 << 0
    static let faultDisable: UInt64 = 1 << 1
    package static let deviceTLB: UInt64 = 1 << 2
    package static let pasidEnable: UInt64 = 1 << 3
    package static let pageRequests: UInt64 = 1 << 4

    private static let reserved0: UInt64 = 0x1e0 | beyondAddress
    private static let reserved1: UInt64 = ~0x1f_ffff

    /// - Parameter pasidBits: the directory has an entry for every 64 PASIDs, 2^(PDTS + 7) in all.
    package init(directory: HPA, pasidBits: UInt32, flags: UInt64) {
        let sizeField = UInt64(max(pasidBits, 13) &- 13)
        word0 = ContextEntry.present | flags | sizeField << 9 | directory.bits
        word1 = 0  // RID_PASID is PASID_RID2PASID, without privilege
    }

    private init(word0: UInt64, word1: UInt64) {
        self.word0 = word0
        self.word1 = word1
    }

    func has(_ flag: UInt64) -> Bool { word0 & flag != 0 }
    var isQuiet: Bool { has(ContextEntry.faultDisable) }
    var directory: HPA { HPA(entry: word0) }
    var pasidLimit: UInt32 { 1 << UInt32((word0 >> 9 & 7) &+ 13) }
    var requestPASID: PASID { PASID(UInt32(word1 & 0xfffff)) }

    /// Reads and checks the entry as hardware does before it caches it.
    static func fetch(_ memory: PhysicalMemory, at address: HPA) throws(Fault) -> ContextEntry {
        guard let word0 = memory.word(address), let word1 = memory.word(address + 8),
            let word2 = memory.word(address + 16), let word3 = memory.word(address + 24)
        else { throw Fault(VTD_FAULT_CONTEXT_ACCESS) }
        let entry = ContextEntry(word0: word0, word1: word1)
        guard entry.has(present) else {
            throw Fault(VTD_FAULT_CONTEXT_NOT_PRESENT, quiet: entry.isQuiet)
        }
        guard word0 & reserved0 | word1 & reserved1 | word2 | word3 == 0 else {
            throw Fault(VTD_FAULT_CONTEXT_RESERVED, quiet: entry.isQuiet)
        }
        return entry
    }
}

/// The way from the root register to a context entry, for the walker and for a driver.
package enum RootTable {
    private static let reserved: UInt64 = 0xffe | beyondAddress

    /// - Returns: where the root entry's half for this device is. Buses have 16 bytes each: 8 for
    ///   devices 0 to 15, 8 for the others.
    package static func halfEntry(_ root: HPA, _ source: SourceID) -> HPA {
        root + (source.bus &* 16 &+ (source.deviceAndFunction & 0x80 != 0 ? 8 : 0))
    }

    package static func contextOffset(_ source: SourceID) -> UInt64 {
        (source.deviceAndFunction & 0x7f) &* ContextEntry.byteCount
    }

    static func contextEntry(
        _ memory: PhysicalMemory, root: HPA, _ source: SourceID
    ) throws(Fault) -> ContextEntry {
        guard root.bits != 0 else { throw Fault(VTD_FAULT_ROOT_NOT_PRESENT) }
        guard let entry = memory.word(halfEntry(root, source)) else {
            throw Fault(VTD_FAULT_ROOT_ACCESS)
        }
        guard entry & 1 != 0 else { throw Fault(VTD_FAULT_ROOT_NOT_PRESENT) }
        guard entry & reserved == 0 else { throw Fault(VTD_FAULT_ROOT_RESERVED) }
        return try ContextEntry.fetch(memory, at: HPA(entry: entry) + contextOffset(source))
    }
}

/// The PASID directory: an entry for 64 PASIDs each. Its FPD is for all of them.
enum PASIDDirectory {
    static let present: UInt64 = 1 << 0
    static let faultDisable: UInt64 = 1 << 1
    private static let reserved: UInt64 = 0xffc | beyondAddress

    /// - Returns: where the PASID table entry is, and whether its faults are to be recorded.
    static func find(
        _ memory: PhysicalMemory, _ context: ContextEntry, _ pasid: PASID
    ) throws(Fault) -> (HPA, isQuiet: Bool) {
        guard let entry = memory.word(context.directory + UInt64(pasid.number >> 6) &* 8) else {
            throw Fault(VTD_FAULT_DIR_ACCESS)  // whatever FPD says: not qualified (7.1.3)
        }
        let isQuiet = context.isQuiet || entry & faultDisable != 0
        guard entry & present != 0 else { throw Fault(VTD_FAULT_DIR_NOT_PRESENT, quiet: isQuiet) }
        guard entry & reserved == 0 else { throw Fault(VTD_FAULT_DIR_RESERVED, quiet: isQuiet) }
        return (HPA(entry: entry) + UInt64(pasid.number & 63) &* PASIDEntry.byteCount, isQuiet)
    }
}

extension Ref<Device> {
    /// Past every cache. With the hardware lock held.
    /// - Returns: where a PASID table entry is in memory; nil if the tables do not lead there.
    package func tableEntryAddress(_ pasid: PASID) -> HPA? {
        let memory = pointee.unit.memory
        do {
            let context = try RootTable.contextEntry(
                memory, root: pointee.unit.pointee.root, pointee.source)
            guard pasid.number < min(context.pasidLimit, pointee.unit.pasidLimit) else {
                return nil
            }
            return try PASIDDirectory.find(memory, context, pasid).0
        } catch {
            return nil
        }
    }
}
