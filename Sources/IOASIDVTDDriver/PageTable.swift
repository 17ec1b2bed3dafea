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

/// What a mapping allows, as bits of a first-level entry.
package func firstLevelBits(_ access: UInt32) -> UInt64 {
    FirstLevelBit.present | (access & VTD_DMA_WRITE != 0 ? FirstLevelBit.write : 0)
        | (access & VTD_DMA_PRIV != 0 ? 0 : FirstLevelBit.user)
}

/// Is this the page of a canonical 48-bit address?
package func isPageOfProcess(_ address: IOVA) -> Bool {
    address.isPage && TableLevel.isCanonical(address.bits, levels: PageTable.levels)
}
