// SPDX-License-Identifier: MIT
// The machine: physical memory, which of its pages are taken, and the units in it.

@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory

package struct Machine: Listed {
    package var next: Ref<Machine>?
    package let memory: PhysicalMemory
    /// A bit a page, in the block of what is watched. Page 0 is never given out: address 0 means "none" in root and context entries.
    fileprivate let taken: UnsafeMutablePointer<UInt64>
    package fileprivate(set) var pagesUsed: UInt64 = 0
    fileprivate var searchStart: UInt64 = 1
    package var units = List<Unit>()
    /// How many objects of a driver lie in it, which must go before the machine does.
    package var tenants = 0

    private init(memory: PhysicalMemory, taken: UnsafeMutablePointer<UInt64>) {
        self.memory = memory
        self.taken = taken
    }

    /// Every machine there is: how a pointer from outside is told from nonsense.
    nonisolated(unsafe) package static var all = List<Machine>()

    package static let sizeLimit: UInt64 = 1 << 40

    package static func create(size: UInt64) -> Ref<Machine>? {
        // A bit a page, twice.
        let words = (Int(truncatingIfNeeded: size >> pageShift) &+ 63) / 64
        let head = Int(civtd_watch_head)
        guard let watched = Memory.allocate(head &+ 2 &* words, of: UInt64.self) else {
            return nil
        }
        guard Memory.isAllowed, let base = civtd_reserve(Int(truncatingIfNeeded: size)) else {
            Memory.free(watched)
            return nil
        }
        let memory = PhysicalMemory(base: base, size: size, watched: watched)
        guard let machine = Memory.make(Machine(memory: memory, taken: watched + head + words))
        else {
            civtd_unreserve(base, Int(truncatingIfNeeded: size))
            Memory.free(watched)
            return nil
        }
        all.prepend(machine)
        return machine
    }

    package static func destroy(_ machine: Ref<Machine>) {
        all.remove(machine)
        let memory = machine.pointee.memory
        civtd_unreserve(memory.base, Int(truncatingIfNeeded: memory.size))
        Memory.free(memory.watched)
        Memory.free(machine)
    }
}

extension Ref<Machine> {
    /// The program writes memory by itself from now on: whether a table has changed cannot be told.
    package func showMemory() -> UnsafeMutableRawPointer {
        let memory = pointee.memory
        civtd_is_untold(memory.watched)
        return memory.base
    }
}

// Objects that threads share are changed through their pointer, a field at a time: a mutating
// method would claim the whole of them, constants included.
extension Ref<Machine> {
    private func isTaken(_ page: UInt64) -> Bool {
        pointee.taken[Int(truncatingIfNeeded: page / 64)] & (1 << (page & 63)) != 0
    }

    private func flip(_ page: UInt64) {
        pointee.taken[Int(truncatingIfNeeded: page / 64)] ^= 1 << (page & 63)
    }

    /// - Returns: the address of `count` adjacent zeroed pages, or nil.
    /// - Complexity: O(pages) at worst; usually the next ones are free
    package func allocatePages(_ count: UInt64) -> HPA? {
        guard count > 0, Memory.isAllowed else { return nil }
        let near = run(of: count, from: pointee.searchStart)
        guard let first = near ?? run(of: count, from: 1) else { return nil }
        for page in first..<first &+ count { flip(page) }
        pointee.searchStart = first &+ count
        pointee.pagesUsed &+= count
        let address = HPA(first << pageShift)
        pointee.memory.clear(address, count << pageShift)
        return address
    }

    private func run(of count: UInt64, from start: UInt64) -> UInt64? {
        let end = pointee.memory.size >> pageShift
        var first = start
        var page = start
        while page < end {
            if isTaken(page) { first = page &+ 1 }
            page &+= 1
            if page &- first == count { return first }
        }
        return nil
    }

    package func freePages(_ address: HPA, _ count: UInt64) {
        guard address.isPage, count <= pointee.memory.size >> pageShift,
            pointee.memory.contains(address, count << pageShift)
        else { return }
        for page in address.page..<address.page &+ count where isTaken(page) {
            flip(page)
            pointee.pagesUsed &-= 1
        }
        pointee.searchStart = max(1, min(pointee.searchStart, address.page))
    }
}
