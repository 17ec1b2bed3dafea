// SPDX-License-Identifier: MIT
// Walking page tables: first-level (section 9.7), second-level (9.8), and one inside the other.

@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory

/// Where a page leads, and what may be done there.
struct Translation {
    /// Of the 4-KiB page.
    let frame: HPA
    /// What the tables allow: VTD_DMA_READ, VTD_DMA_WRITE, VTD_DMA_EXEC.
    let allowed: UInt32
    /// What a cache may answer. A page that is not marked dirty yet is not to be written from there:
    /// the first write walks the tables, and marks it.
    let rights: UInt32
    /// The mapping has 2^order pages: to invalidate one of them is to invalidate all.
    let order: UInt64

    func allows(_ request: Request) -> Bool { request.rights & ~rights == 0 }
    /// In caching mode: nothing is mapped there.
    static let absent = Translation(frame: HPA(0), allowed: 0, rights: 0, order: 0)
    var isAbsent: Bool { allowed == 0 }
    func physical(_ request: Request) -> HPA { frame + request.address.inPage }
}

package enum FirstLevelBit {
    package static let present: UInt64 = 1 << 0
    package static let write: UInt64 = 1 << 1
    package static let user: UInt64 = 1 << 2
    static let accessed: UInt64 = 1 << 5
    static let dirty: UInt64 = 1 << 6
    static let pageSize: UInt64 = 1 << 7
    static let extendedAccessed: UInt64 = 1 << 10
    static let noExecute: UInt64 = 1 << 63
}

package enum SecondLevelBit {
    package static let read: UInt64 = 1 << 0
    package static let write: UInt64 = 1 << 1
    static let pageSize: UInt64 = 1 << 7
    static let accessed: UInt64 = 1 << 8
    static let dirty: UInt64 = 1 << 9
    /// Snoop and transient mapping, which no unit here can do.
    static let reserved: UInt64 = 1 << 11 | 1 << 62
}

/// What both kinds of tables have in common.
package enum TableLevel {
    /// Index of an address in the table of a level, as a byte offset. Level 1 has the pages.
    package static func offset(_ address: UInt64, level: UInt64) -> UInt64 {
        (address >> (pageShift &+ 9 &* (level &- 1)) & 511) &* 8
    }

    /// A leaf of a level maps 2^order pages.
    static func order(_ level: UInt64) -> UInt64 { 9 &* (level &- 1) }

    /// The bits of an address within a leaf of a level.
    static func within(_ level: UInt64) -> UInt64 {
        (UInt64(1) << (order(level) &+ pageShift)) &- 1
    }

    package static func isCanonical(_ address: UInt64, levels: UInt64) -> Bool {
        let shift = 64 &- (pageShift &+ 9 &* levels)
        let extended = Int64(bitPattern: address << shift) >> Int64(bitPattern: shift)
        return UInt64(bitPattern: extended) == address
    }
}

struct PageWalk {
    let memory: PhysicalMemory
    let entry: PASIDEntry
    /// Accessed and dirty bits are set on the way, and second-level leaves found in its cache. nil
    /// to look at the tables as they are.
    let unit: Ref<Unit>?

    private static let all = VTD_DMA_READ | VTD_DMA_WRITE | VTD_DMA_EXEC

    func translate(_ request: Request) throws(Fault) -> Translation {
        let found: Translation
        if entry.isType(VTD_PGTT_PASS_THROUGH) {
            found = Translation(
                frame: HPA(request.address.page << pageShift),
                allowed: PageWalk.all, rights: PageWalk.all, order: 0)
        } else if entry.isType(VTD_PGTT_SECOND_LEVEL) {
            found = try secondLevel(GPA(request.address.bits), isWrite: request.isWrite)
            try check(found, request)
        } else {
            found = try firstLevel(request)
        }
        guard !Interrupts.contain(found.frame.bits) else { throw Fault(VTD_FAULT_INTERRUPT) }
        guard memory.contains(found.frame, pageSize) else { throw Fault(VTD_FAULT_BEYOND) }
        return found
    }

    /// What a second-level table does not allow. If it allows nothing, the walk has said so.
    private func check(_ found: Translation, _ request: Request) throws(Fault) {
        guard request.rights & ~found.allowed != 0 else { return }
        let isReadOnly = request.isWrite && found.allowed & VTD_DMA_WRITE == 0
        throw Fault(isReadOnly ? VTD_FAULT_NO_WRITE : VTD_FAULT_NO_READ)
    }

    // MARK: First level

    private func firstLevel(_ request: Request) throws(Fault) -> Translation {
        let address = request.address.bits
        let levels = entry.firstLevels
        guard TableLevel.isCanonical(address, levels: levels) else {
            throw Fault(VTD_FAULT_NOT_CANONICAL)
        }
        var table = entry.firstLevelRoot
        var common = FirstLevelBit.write | FirstLevelBit.user
        var forbidden: UInt64 = 0
        var level = levels
        while true {
            let isRoot = level == levels
            let place = try tableWord(
                table &+ TableLevel.offset(address, level: level), isRoot: isRoot)
            let bits = place.bits
            guard bits & FirstLevelBit.present != 0 else { throw Fault(VTD_FAULT_FL_NOT_PRESENT) }
            let isLarge = level > 1 && bits & FirstLevelBit.pageSize != 0
            guard bits & reserved(level, isLarge: isLarge) == 0 else {
                throw Fault(VTD_FAULT_FL_RESERVED)
            }
            common &= bits
            forbidden |= bits & FirstLevelBit.noExecute
            guard level == 1 || isLarge else {
                try mark(place, FirstLevelBit.accessed)
                table = bits & addressMask
                level &-= 1
                continue
            }
            try check(request, common, forbidden)
            let dirty = request.isWrite ? FirstLevelBit.dirty : 0
            try mark(place, FirstLevelBit.accessed | dirty)
            let allowed = allowed(request, common, forbidden)
            let isDirty = (bits | dirty) & FirstLevelBit.dirty != 0
            let within = TableLevel.within(level)
            let reached = bits & addressMask & ~within | address & within
            let found = Translation(
                frame: HPA(reached & ~(pageSize &- 1)), allowed: allowed,
                rights: isDirty ? allowed : allowed & ~VTD_DMA_WRITE,
                order: TableLevel.order(level))
            return entry.isType(VTD_PGTT_NESTED) ? try nested(found, request) : found
        }
    }

    private func reserved(_ level: UInt64, isLarge: Bool) -> UInt64 {
        var bits: UInt64 = entry.hasNoExecute ? 0 : FirstLevelBit.noExecute
        // In a large page bit 12 is PAT; those between it and the frame are reserved.
        if isLarge { bits |= TableLevel.within(min(level, 3)) & addressMask & ~pageSize }
        if level > 3 { bits |= FirstLevelBit.pageSize }
        return bits
    }

    /// Sets bits of a first-level entry; a guest's table must then be writable (section 3.7.2).
    private func mark(_ place: Place, _ wanted: UInt64) throws(Fault) {
        let wanted = wanted | (entry.marksExtended ? FirstLevelBit.extendedAccessed : 0)
        guard unit != nil, place.bits & wanted != wanted else { return }
        guard place.isWritable else { throw Fault(VTD_FAULT_NESTED_TABLE_WRITE) }
        if entry.isType(VTD_PGTT_NESTED) { _ = try secondLevel(GPA(place.gpa), isWrite: true) }
        memory.setBits(place.address, wanted)
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
        if request.isWrite && !mayWrite(request, common) { throw Fault(VTD_FAULT_NO_WRITE) }
        if request.isExecute && forbidden != 0 { throw Fault(VTD_FAULT_NO_EXECUTE) }
    }

    private func allowed(
        _ request: Request, _ common: UInt64, _ forbidden: UInt64
    ) -> UInt32 {
        VTD_DMA_READ | (mayWrite(request, common) ? VTD_DMA_WRITE : 0)
            | (forbidden == 0 ? VTD_DMA_EXEC : 0)
    }

    /// What the first level gave is a guest's address: then the second follows.
    private func nested(_ found: Translation, _ request: Request) throws(Fault) -> Translation {
        let below: Translation
        do {
            below = try secondLevel(GPA(found.frame.bits), isWrite: request.isWrite)
        } catch {
            throw error.is(VTD_FAULT_BEYOND) ? Fault(VTD_FAULT_NESTED_ADDRESS) : error
        }
        try check(below, request)
        return Translation(
            frame: below.frame, allowed: found.allowed & below.allowed,
            rights: found.rights & below.rights, order: min(found.order, below.order))
    }

    /// A first-level entry, where it is in physical memory and in the guest's.
    private struct Place {
        let address: HPA
        let gpa: UInt64
        let bits: UInt64
        let isWritable: Bool
    }

    private func tableWord(_ address: UInt64, isRoot: Bool) throws(Fault) -> Place {
        var at = HPA(address)
        var isWritable = true
        if entry.isType(VTD_PGTT_NESTED) {
            let below = try guestTable(GPA(address), isRoot: isRoot)
            at = below.frame + GPA(address).inPage
            isWritable = below.allowed & VTD_DMA_WRITE != 0
        }
        guard let bits = memory.word(at) else {
            throw Fault(isRoot ? VTD_FAULT_FL_ROOT_ACCESS : VTD_FAULT_FL_ACCESS)
        }
        return Place(address: at, gpa: address, bits: bits, isWritable: isWritable)
    }

    private func guestTable(_ address: GPA, isRoot: Bool) throws(Fault) -> Translation {
        do throws(Fault) {
            let below = try secondLevel(address, isWrite: false)
            guard below.allowed & VTD_DMA_READ != 0 else { throw Fault(VTD_FAULT_SL_PERMISSION) }
            return below
        } catch {
            if error.is(VTD_FAULT_BEYOND) { throw Fault(VTD_FAULT_NESTED_BEYOND) }
            guard error.is(VTD_FAULT_SL_PERMISSION) else { throw error }
            throw Fault(isRoot ? VTD_FAULT_NESTED_ROOT_READ : VTD_FAULT_NESTED_TABLE_READ)
        }
    }

    // MARK: Second level

    /// Of a nested translation, leaves are cached on their own, by domain: a guest's tables and its
    /// pages are reached through the same ones.
    private func secondLevel(_ address: GPA, isWrite: Bool) throws(Fault) -> Translation {
        guard let unit, entry.isType(VTD_PGTT_NESTED) else {
            return try walkSecondLevel(address, isWrite: isWrite)
        }
        let tag = CachedLeaf.Tag(domain: entry.domain, page: address.page)
        if let hit = unit.pointee.leaves.lookUp(tag) {
            guard !hit.translation.isAbsent else { throw Fault(VTD_FAULT_SL_PERMISSION) }
            if !isWrite || hit.translation.rights & VTD_DMA_WRITE != 0 { return hit.translation }
        }
        do throws(Fault) {
            let found = try walkSecondLevel(address, isWrite: isWrite)
            unit.pointee.leaves.insert(CachedLeaf(tag, found), tag)
            return found
        } catch {
            if error.isAbsent && unit.can(VTD_CAP_CM) {
                unit.pointee.leaves.insert(CachedLeaf(tag, .absent), tag)
            }
            throw error
        }
    }

    private func walkSecondLevel(_ address: GPA, isWrite: Bool) throws(Fault) -> Translation {
        let levels = entry.secondLevels
        guard address.bits >> (pageShift &+ 9 &* levels) == 0 else {
            throw Fault(VTD_FAULT_BEYOND)
        }
        var table = entry.secondLevelRoot
        var common = SecondLevelBit.read | SecondLevelBit.write
        var level = levels
        while true {
            let at = table + TableLevel.offset(address.bits, level: level)
            guard let bits = memory.word(at) else {
                throw Fault(level == levels ? VTD_FAULT_SL_POINTER : VTD_FAULT_SL_ACCESS)
            }
            common &= bits
            guard common != 0 else {
                var fault = Fault(VTD_FAULT_SL_PERMISSION)
                fault.isAbsent = true
                throw fault
            }
            let isLarge = level > 1 && bits & SecondLevelBit.pageSize != 0
            guard bits & reservedBelow(level, isLarge: isLarge) == 0 else {
                throw Fault(VTD_FAULT_SL_RESERVED)
            }
            guard level == 1 || isLarge else {
                markBelow(at, bits, SecondLevelBit.accessed)
                table = HPA(entry: bits)
                level &-= 1
                continue
            }
            let dirty =
                isWrite && common & SecondLevelBit.write != 0 ? SecondLevelBit.dirty : 0
            markBelow(at, bits, SecondLevelBit.accessed | dirty)
            let isDirty = !entry.marksSecondLevel || (bits | dirty) & SecondLevelBit.dirty != 0
            return leaf(address, level, bits, common, isDirty: isDirty)
        }
    }

    private func leaf(
        _ address: GPA, _ level: UInt64, _ bits: UInt64, _ common: UInt64, isDirty: Bool
    ) -> Translation {
        let within = TableLevel.within(level)
        var allowed: UInt32 = 0
        if common & SecondLevelBit.read != 0 { allowed |= VTD_DMA_READ | VTD_DMA_EXEC }
        if common & SecondLevelBit.write != 0 { allowed |= VTD_DMA_WRITE }
        return Translation(
            frame: HPA(entry: bits & ~within | address.bits & within), allowed: allowed,
            rights: isDirty ? allowed : allowed & ~VTD_DMA_WRITE, order: TableLevel.order(level))
    }

    private func reservedBelow(_ level: UInt64, isLarge: Bool) -> UInt64 {
        var bits = SecondLevelBit.reserved
        if isLarge { bits |= TableLevel.within(min(level, 3)) & addressMask }
        if level > 3 { bits |= SecondLevelBit.pageSize }
        return bits
    }

    /// Only where the entry asks for it (SLADE).
    private func markBelow(_ at: HPA, _ bits: UInt64, _ wanted: UInt64) {
        guard unit != nil, entry.marksSecondLevel, bits & wanted != wanted else { return }
        memory.setBits(at, wanted)
    }
}
