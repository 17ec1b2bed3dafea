// SPDX-License-Identifier: MIT
// The machine: physical memory, which of its pages are taken, and the units and domains in it.

import CIOASIDVTD

struct Machine: Listed {
    var next: Ref<Machine>?
    let memory: PhysicalMemory
    /// A bit a page. Page 0 is never given out: address 0 means "none" in root and context entries.
    fileprivate let taken: Ref<UInt64>
    fileprivate(set) var pagesUsed: UInt64 = 0
    fileprivate var searchStart: UInt64 = 1
    var units = List<Unit>()
    var domains = List<Domain>()

    private init(memory: PhysicalMemory, taken: Ref<UInt64>) {
        self.memory = memory
        self.taken = taken
    }

    /// Every machine there is: how a pointer from outside is told from nonsense.
    nonisolated(unsafe) static var all = List<Machine>()

    static let sizeLimit: UInt64 = 1 << 40

    static func create(size: UInt64) -> Ref<Machine>? {
        let pages = Int(truncatingIfNeeded: size >> pageShift)
        guard let taken = Memory.zeroed((pages &+ 63) / 64, of: UInt64.self) else { return nil }
        guard Memory.mayAllocate(), let base = civtd_reserve(Int(truncatingIfNeeded: size)) else {
            Memory.release(taken)
            return nil
        }
        let memory = PhysicalMemory(base: base, size: size)
        guard let machine = Memory.make(Machine(memory: memory, taken: taken)) else {
            munmap(base, Int(truncatingIfNeeded: size))
            Memory.release(taken)
            return nil
        }
        all.add(machine)
        return machine
    }

    static func destroy(_ machine: Ref<Machine>) {
        all.remove(machine)
        let memory = machine.pointee.memory
        munmap(memory.base, Int(truncatingIfNeeded: memory.size))
        Memory.release(machine.pointee.taken)
        Memory.release(machine)
    }
}

// Objects that threads share are changed through their pointer, a field at a time: a mutating
// method would claim the whole of them, constants included.
extension UnsafeMutablePointer<Machine> {
    private func isTaken(_ page: UInt64) -> Bool {
        pointee.taken[Int(truncatingIfNeeded: page / 64)] & (1 << (page & 63)) != 0
    }

    private func flip(_ page: UInt64) {
        pointee.taken[Int(truncatingIfNeeded: page / 64)] ^= 1 << (page & 63)
    }

    /// - Returns: the address of `count` adjacent zeroed pages, or nil.
    /// - Complexity: O(pages) at worst; usually the next ones are free
    func allocatePages(_ count: UInt64) -> UInt64? {
        guard count > 0, Memory.mayAllocate() else { return nil }
        let near = run(of: count, from: pointee.searchStart)
        guard let first = near ?? run(of: count, from: 1) else { return nil }
        for page in first..<first &+ count { flip(page) }
        pointee.searchStart = first &+ count
        pointee.pagesUsed &+= count
        pointee.memory.clear(first << pageShift, count << pageShift)
        return first << pageShift
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

    func freePages(_ address: UInt64, _ count: UInt64) {
        guard address & (pageSize &- 1) == 0, count <= pointee.memory.size >> pageShift,
            pointee.memory.contains(address, count << pageShift)
        else { return }
        let first = address >> pageShift
        for page in first..<first &+ count where isTaken(page) {
            flip(page)
            pointee.pagesUsed &-= 1
        }
        pointee.searchStart = max(1, min(pointee.searchStart, first))
    }
}
