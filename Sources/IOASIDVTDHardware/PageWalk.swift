// SPDX-License-Identifier: MIT
// Walking page tables: first-level (section 9.7), second-level (9.8), and one inside the other.

@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory

/// Where a page leads, and what may be done there.
package struct Translation {
    /// Physical address of the 4-KiB page.
    package let frame: UInt64
    /// VTD_DMA_READ, VTD_DMA_WRITE, VTD_DMA_EXEC.
    package let rights: UInt32

    package func allows(_ request: Request) -> Bool { request.rights & ~rights == 0 }
    package func physical(_ request: Request) -> UInt64 { frame | request.address & (pageSize &- 1) }
}

package enum FirstLevelBit {
    package static let present: UInt64 = 1 << 0
    package static let write: UInt64 = 1 << 1
    package static let user: UInt64 = 1 << 2
    package static let pageSize: UInt64 = 1 << 7
    package static let noExecute: UInt64 = 1 << 63
}

package enum SecondLevelBit {
    package static let read: UInt64 = 1 << 0
    package static let write: UInt64 = 1 << 1
    package static let pageSize: UInt64 = 1 << 7
}

package struct PageWalk {
    package let memory: PhysicalMemory
    package let entry: PASIDEntry

    package func translate(_ request: Request) throws(Fault) -> Translation {
        let found: Translation
        if entry.isType(VTD_PGTT_PASS_THROUGH) {
            found = Translation(
                frame: request.page << pageShift,
                rights: VTD_DMA_READ | VTD_DMA_WRITE | VTD_DMA_EXEC)
        } else if entry.isType(VTD_PGTT_SECOND_LEVEL) {
            found = try secondLevel(request.address)
            guard found.allows(request) else { throw Fault(VTD_FAULT_SL_PERMISSION) }
        } else {
            found = try firstLevel(request)
        }
        guard memory.contains(found.frame, pageSize) else { throw Fault(VTD_FAULT_BEYOND) }
        return found
    }

    /// Index of an address in the table of a level, as a byte offset. Level 1 has the pages.
    package static func offset(_ address: UInt64, level: UInt64) -> UInt64 {
        (address >> (pageShift &+ 9 &* (level &- 1)) & 511) &* 8
    }

    package static func isCanonical(_ address: UInt64, levels: UInt64) -> Bool {
        let shift = 64 &- (pageShift &+ 9 &* levels)
        let extended = Int64(bitPattern: address << shift) >> Int64(bitPattern: shift)
        return UInt64(bitPattern: extended) == address
    }

    private func firstLevel(_ request: Request) throws(Fault) -> Translation {
        let levels = entry.firstLevels
        guard PageWalk.isCanonical(request.address, levels: levels) else {
            throw Fault(VTD_FAULT_NOT_CANONICAL)
        }
        var table = entry.firstLevelRoot
        var common = FirstLevelBit.write | FirstLevelBit.user
        var forbidden: UInt64 = 0
        var level = levels
        while true {
            let isRoot = level == levels
            let at = try tableAddress(
                table &+ PageWalk.offset(request.address, level: level), isRoot: isRoot)
            guard let bits = memory.word(at) else {
                throw Fault(isRoot ? VTD_FAULT_FL_ROOT_ACCESS : VTD_FAULT_FL_ACCESS)
            }
            guard bits & FirstLevelBit.present != 0 else {
                throw Fault(VTD_FAULT_FL_NOT_PRESENT)
            }
            common &= bits
            forbidden |= bits & FirstLevelBit.noExecute
            let isLarge = level > 1 && bits & FirstLevelBit.pageSize != 0
            if level == 1 || isLarge {
                let within = (UInt64(1) << (9 &* (level &- 1) &+ pageShift)) &- 1
                // In a large page bit 12 is PAT; those between it and the frame are reserved.
                guard level <= 3, !isLarge || bits & within & addressMask & ~pageSize == 0 else {
                    throw Fault(VTD_FAULT_FL_RESERVED)
                }
                try check(request, common, forbidden)
                let rights = rights(request, common, forbidden)
                return try output(
                    bits & addressMask & ~within | request.address & within, rights, request)
            }
            table = bits & addressMask
            level &-= 1
        }
    }

    private func mayWrite(_ request: Request, _ common: UInt64) -> Bool {
        common & FirstLevelBit.write != 0
            || request.isPrivileged && !entry.protectsFromSupervisor
    }

    private func check(
        _ request: Request, _ common: UInt64, _ forbidden: UInt64
    ) throws(Fault) {
        if !request.isPrivileged && common & FirstLevelBit.user == 0 {
            throw Fault(VTD_FAULT_USER)
        }
        if request.access & VTD_DMA_WRITE != 0 && !mayWrite(request, common) {
            throw Fault(VTD_FAULT_NO_WRITE)
        }
        if request.access & VTD_DMA_EXEC != 0 && forbidden != 0 {
            throw Fault(VTD_FAULT_NO_EXECUTE)
        }
    }

    private func rights(_ request: Request, _ common: UInt64, _ forbidden: UInt64) -> UInt32 {
        VTD_DMA_READ | (mayWrite(request, common) ? VTD_DMA_WRITE : 0)
            | (forbidden == 0 ? VTD_DMA_EXEC : 0)
    }

    /// What the first level gave is a physical address, or a guest's: then the second follows.
    private func output(
        _ address: UInt64, _ rights: UInt32, _ request: Request
    ) throws(Fault) -> Translation {
        guard entry.isType(VTD_PGTT_NESTED) else {
            return Translation(frame: address & addressMask, rights: rights)
        }
        let below = try secondLevel(address)
        guard below.allows(request) else { throw Fault(VTD_FAULT_SL_PERMISSION) }
        return Translation(frame: below.frame, rights: rights & below.rights)
    }

    /// Where a first-level entry is in physical memory.
    private func tableAddress(_ address: UInt64, isRoot: Bool) throws(Fault) -> UInt64 {
        guard entry.isType(VTD_PGTT_NESTED) else { return address }
        do {
            let below = try secondLevel(address)
            return below.frame | address & (pageSize &- 1)
        } catch {
            if error.reason == VTD_FAULT_BEYOND.rawValue { throw Fault(VTD_FAULT_NESTED_BEYOND) }
            guard error.reason == VTD_FAULT_SL_PERMISSION.rawValue else { throw error }
            throw Fault(isRoot ? VTD_FAULT_NESTED_ROOT_READ : VTD_FAULT_NESTED_TABLE_READ)
        }
    }

    private func secondLevel(_ address: UInt64) throws(Fault) -> Translation {
        let levels = entry.secondLevels
        guard address >> (pageShift &+ 9 &* levels) == 0 else { throw Fault(VTD_FAULT_BEYOND) }
        var table = entry.secondLevelRoot
        var common = SecondLevelBit.read | SecondLevelBit.write
        var level = levels
        while true {
            guard let bits = memory.word(table &+ PageWalk.offset(address, level: level)) else {
                throw Fault(level == levels ? VTD_FAULT_SL_POINTER : VTD_FAULT_SL_ACCESS)
            }
            common &= bits
            // Neither readable nor writable is how "not present" is said here.
            guard common != 0 else { throw Fault(VTD_FAULT_SL_PERMISSION) }
            let isLarge = level > 1 && bits & SecondLevelBit.pageSize != 0
            if level == 1 || isLarge {
                let within = (UInt64(1) << (9 &* (level &- 1) &+ pageShift)) &- 1
                guard level <= 3, !isLarge || bits & within & addressMask == 0 else {
                    throw Fault(VTD_FAULT_SL_RESERVED)
                }
                let physical = bits & addressMask & ~within | address & within
                var rights: UInt32 = 0
                if common & SecondLevelBit.read != 0 { rights |= VTD_DMA_READ | VTD_DMA_EXEC }
                if common & SecondLevelBit.write != 0 { rights |= VTD_DMA_WRITE }
                return Translation(frame: physical & addressMask, rights: rights)
            }
            table = bits & addressMask
            level &-= 1
        }
    }
}
