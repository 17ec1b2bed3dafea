// SPDX-License-Identifier: MIT
// Root, context and PASID directory entries of scalable mode (sections 9.2, 9.4 and 9.5).

@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory

/// A scalable-mode context entry: 256 bits, of which the first two words mean something.
package struct ContextEntry {
    package static let byteCount: UInt64 = 32
    package static let perTable: UInt64 = 128

    package let word0: UInt64
    package let word1: UInt64

    package static let present: UInt64 = 1 << 0
    package static let faultDisable: UInt64 = 1 << 1
    package static let deviceTLB: UInt64 = 1 << 2
    package static let pasidEnable: UInt64 = 1 << 3
    package static let pageRequests: UInt64 = 1 << 4

    /// - Parameter pasidBits: the directory has an entry for every 64 PASIDs, 2^(PDTS + 7) in all.
    package init(directory: UInt64, pasidBits: UInt32, flags: UInt64) {
        let sizeField = UInt64(max(pasidBits, 13) &- 13)
        word0 = ContextEntry.present | flags | sizeField << 9 | directory
        word1 = 0  // RID_PASID is PASID_RID2PASID, without privilege
    }

    package init(word0: UInt64, word1: UInt64) {
        self.word0 = word0
        self.word1 = word1
    }

    package func has(_ flag: UInt64) -> Bool { word0 & flag != 0 }
    package var directory: UInt64 { word0 & addressMask }
    package var pasidLimit: UInt32 { 1 << UInt32((word0 >> 9 & 7) &+ 13) }
    var requestPASID: UInt32 { UInt32(word1 & 0xfffff) }
}

/// The way from the root register to a context entry, for the walker and for the driver.
package enum RootTable {
    /// - Returns: where the root entry's half for this device is. Buses have 16 bytes each: 8 for
    ///   devices 0 to 15, 8 for the others.
    package static func halfEntry(_ root: UInt64, _ sourceID: UInt16) -> UInt64 {
        root &+ UInt64(sourceID >> 8) &* 16 &+ (sourceID & 0x80 != 0 ? 8 : 0)
    }

    package static func contextOffset(_ sourceID: UInt16) -> UInt64 {
        UInt64(sourceID & 0x7f) &* ContextEntry.byteCount
    }
}

extension PhysicalMemory {
    package func contextEntry(root: UInt64, sourceID: UInt16) throws(Fault) -> ContextEntry {
        guard root != 0 else { throw Fault(VTD_FAULT_ROOT_NOT_PRESENT) }
        guard let rootEntry = word(RootTable.halfEntry(root, sourceID)) else {
            throw Fault(VTD_FAULT_ROOT_ACCESS)
        }
        guard rootEntry & 1 != 0 else { throw Fault(VTD_FAULT_ROOT_NOT_PRESENT) }
        let at = rootEntry & addressMask &+ RootTable.contextOffset(sourceID)
        guard let word0 = word(at), let word1 = word(at &+ 8) else {
            throw Fault(VTD_FAULT_CONTEXT_ACCESS)
        }
        let entry = ContextEntry(word0: word0, word1: word1)
        guard entry.has(ContextEntry.present) else {
            throw Fault(
                VTD_FAULT_CONTEXT_NOT_PRESENT, quiet: entry.has(ContextEntry.faultDisable))
        }
        return entry
    }

    /// - Returns: where the PASID table entry is.
    package func pasidEntryAddress(directory: UInt64, _ pasid: UInt32) throws(Fault) -> UInt64 {
        guard let entry = word(directory &+ UInt64(pasid >> 6) &* 8) else {
            throw Fault(VTD_FAULT_DIR_ACCESS)
        }
        guard entry & 1 != 0 else {
            throw Fault(VTD_FAULT_DIR_NOT_PRESENT, quiet: entry & 2 != 0)
        }
        return entry & addressMask &+ UInt64(pasid & 63) &* PASIDEntry.byteCount
    }
}

extension UnsafeMutablePointer<Device> {
    /// Past every cache. With the hardware lock held.
    /// - Returns: where a PASID table entry is in memory; nil if the tables do not lead there.
    package func tableEntryAddress(_ pasid: UInt32) -> UInt64? {
        let memory = pointee.unit.memory
        do {
            let context = try memory.contextEntry(
                root: pointee.unit.pointee.root, sourceID: pointee.sourceID)
            guard pasid < min(context.pasidLimit, pointee.unit.pasidLimit) else { return nil }
            return try memory.pasidEntryAddress(directory: context.directory, pasid)
        } catch {
            return nil
        }
    }
}
