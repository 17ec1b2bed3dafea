// SPDX-License-Identifier: MIT
// Building page tables of four levels: a domain's, a process's, and a guest's in guest memory.

@preconcurrency import CIOASIDVTDDriver
@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory
import IOASIDVTDHardware

/// A table whose entries are reached, and whose missing tables are made, as its owner says.
struct PageTable {
    static let levels: UInt64 = 4

    let memory: PhysicalMemory
    /// In the address space that the entries are in.
    let root: UInt64
    /// Any of these bits says that an entry is there.
    let presence: UInt64
    /// The bits of an entry that points to a table.
    let link: UInt64

    static func firstLevel(_ memory: PhysicalMemory, root: UInt64) -> PageTable {
        PageTable(
            memory: memory, root: root, presence: FirstLevelBit.present,
            link: FirstLevelBit.present | FirstLevelBit.write | FirstLevelBit.user)
    }

    static func secondLevel(_ memory: PhysicalMemory, root: HPA) -> PageTable {
        PageTable(
            memory: memory, root: root.bits, presence: SecondLevelBit.read | SecondLevelBit.write,
            link: SecondLevelBit.read | SecondLevelBit.write)
    }

    /// - Parameters:
    ///   - physical: turns the address of an entry into a physical one
    ///   - newTable: a zeroed page, or nil: tables are not to be made, or cannot be
    /// - Returns: where the entry of a page is in physical memory, or nil.
    @inline(__always)
    func entryAddress(
        _ address: UInt64, physical: (UInt64) -> HPA?, newTable: () -> UInt64?
    ) -> HPA? {
        var table = root
        var level = PageTable.levels
        while level > 1 {
            guard let at = physical(table &+ TableLevel.offset(address, level: level)),
                let bits = memory.word(at)
            else { return nil }
            if bits & presence == 0 {
                guard let made = newTable() else { return nil }
                memory.setWord(at, made | link)
                table = made
            } else {
                table = bits & addressMask
            }
            level &-= 1
        }
        return physical(table &+ TableLevel.offset(address, level: 1))
    }

    /// For a table in physical memory: the entry of a page that is mapped, or nil.
    func mappedEntry(_ address: UInt64) -> HPA? {
        guard let at = entryAddress(address, physical: { HPA($0) }, newTable: { nil }),
            let bits = memory.word(at), bits & presence != 0
        else { return nil }
        return at
    }

    // MARK: Ranges, of a table in physical memory

    /// - Returns: the first address, not before `address`, where a table of a gigabyte is; `end` if
    ///   there is none before it.
    func firstMapped(_ address: UInt64, _ end: UInt64) -> UInt64 {
        var address = address
        var table = HPA(root)
        var level = PageTable.levels
        while address < end {
            let bits = memory.word(table + TableLevel.offset(address, level: level)) ?? 0
            if bits & presence == 0 {
                let span = PageTable.span(level)
                address = (address | (span &- 1)) &+ 1
                table = HPA(root)
                level = PageTable.levels
            } else if level == PageTable.gigabyteLevel {
                return address
            } else {
                table = HPA(entry: bits)
                level &-= 1
            }
        }
        return end
    }

    private static let gigabyteLevel: UInt64 = 3

    /// How much an entry of a level stands for.
    private static func span(_ level: UInt64) -> UInt64 { pageSize << (9 &* (level &- 1)) }

    /// Clears the entries of a range, and unlinks the tables that are left without any: those of two
    /// megabytes and of a gigabyte.
    func clear(_ address: UInt64, _ size: UInt64, _ cleared: inout Cleared) {
        clear(HPA(root), PageTable.levels, address, address &+ (size &- 1), &cleared)
    }

    /// - Parameter last: the last address of the range, which lies within the table
    private func clear(
        _ table: HPA, _ level: UInt64, _ first: UInt64, _ last: UInt64, _ cleared: inout Cleared
    ) {
        let span = PageTable.span(level)
        var start = first
        while true {
            let stop = min(last, start | (span &- 1))
            let at = table + TableLevel.offset(start, level: level)
            let bits = memory.word(at) ?? 0
            if bits & presence != 0 {
                if level == 1 {
                    memory.setWord(at, 0)
                    cleared.pages &+= 1
                } else {
                    clear(HPA(entry: bits), level &- 1, start, stop, &cleared)
                    let isWhole = start & (span &- 1) == 0 && stop &- start == span &- 1
                    if isWhole && level <= PageTable.gigabyteLevel {
                        memory.setWord(at, 0)
                        cleared.add(HPA(entry: bits), memory)
                    }
                }
            }
            guard stop < last else { return }
            start = stop &+ 1
        }
    }

    /// For a table in physical memory: gives its pages back, not those that it maps.
    func release(to machine: Ref<Machine>) {
        release(HPA(root), PageTable.levels, machine)
    }

    private func release(_ table: HPA, _ level: UInt64, _ machine: Ref<Machine>) {
        if level > 1 {
            for index in UInt64(0)..<512 {
                let bits = memory.word(table + index &* 8) ?? 0
                if bits & presence != 0 { release(HPA(entry: bits), level &- 1, machine) }
            }
        }
        machine.freePages(table, 1)
    }
}

/// What was cleared, and the tables that have become empty, chained through their first words.
struct Cleared {
    var pages: UInt64 = 0
    private(set) var tables = HPA(0)

    mutating func add(_ table: HPA, _ memory: PhysicalMemory) {
        memory.setWord(table, tables.bits)
        tables = table
    }
}

extension Ref<Machine> {
    /// Gives pages back that are chained through their first words; address 0 ends the chain.
    func freeChain(_ first: HPA) {
        var page = first
        while page.bits != 0 {
            let next = HPA(pointee.memory.word(page) ?? 0)
            freePages(page, 1)
            page = next
        }
    }
}

/// What a mapping allows, as bits of a first-level entry.
package func firstLevelBits(_ access: UInt32) -> UInt64 {
    FirstLevelBit.present | (access & VTD_DMA_WRITE != 0 ? FirstLevelBit.write : 0)
        | (access & VTD_DMA_PRIV != 0 ? 0 : FirstLevelBit.user)
}

/// Is this the page of a canonical 48-bit address?
package func isPageOfProcess(_ address: IOVA) -> Bool {
    address.isPage && TableLevel.isCanonical(address.bits, levels: PageTable.levels)
}
