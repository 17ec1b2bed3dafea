// SPDX-License-Identifier: MIT
// Memory of a guest, and the page tables that the guest builds in it.

@preconcurrency import CIOASIDVTDDriver
@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory
import IOASIDVTDHardware

package struct GuestMemory {
    let domain: Ref<Domain>
    let pages: UInt64
    /// Guest address of the next page that nobody has. Page 0 is never given out.
    private var nextPage: UInt64 = pageSize

    private init(domain: Ref<Domain>, pages: UInt64) {
        self.domain = domain
        self.pages = pages
    }

    private var memory: PhysicalMemory { domain.pointee.memory }
    private var size: UInt64 { pages << pageShift }

    /// With the hardware lock held, as everything here. Page by page: a machine's free memory need
    /// not be in one piece.
    package static func create(_ domain: Ref<Domain>, pages: UInt64) -> (Ref<GuestMemory>?, CInt) {
        let value = GuestMemory(domain: domain, pages: pages)
        guard let guest = Memory.make(value) else { return (nil, -ENOMEM) }
        domain.pointee.users &+= 1
        for index in 0..<pages {
            let error = guest.pointee.addPage(index << pageShift)
            guard error == 0 else {
                guest.pointee.release(index)
                domain.pointee.users &-= 1
                Memory.free(guest)
                return (nil, error == -EEXIST ? -EINVAL : error)
            }
        }
        return (guest, 0)
    }

    package static func destroy(_ guest: Ref<GuestMemory>) {
        let domain = guest.pointee.domain
        guest.pointee.release(guest.pointee.pages)
        domain.pointee.users &-= 1
        Memory.free(guest)
    }

    private func addPage(_ address: UInt64) -> CInt {
        let machine = domain.pointee.machine
        guard let page = machine.allocatePages(1) else { return -ENOMEM }
        let bits = SecondLevelBit.read | SecondLevelBit.write
        let error = domain.pointee.map(address, page, pageSize, bits)
        if error != 0 { machine.freePages(page, 1) }
        return error
    }

    private func release(_ count: UInt64) {
        let machine = domain.pointee.machine
        // Pages may go back only when no cache leads to them; but unmapping forgets where they are.
        for index in 0..<count {
            guard let page = domain.pointee.translate(index << pageShift) else { continue }
            _ = domain.pointee.unmap(index << pageShift, pageSize)
            machine.freePages(page, 1)
        }
    }

    package mutating func takePage() -> UInt64? {
        guard nextPage < size else { return nil }
        defer { nextPage &+= pageSize }
        return nextPage
    }

    private func contains(_ address: UInt64, _ length: UInt64) -> Bool {
        address <= size && length <= size &- address
    }

    func translate(_ address: UInt64) -> UInt64? {
        contains(address, 1) ? domain.pointee.translate(address) : nil
    }

    private func table(_ root: UInt64) -> PageTable { PageTable.firstLevel(memory, root: root) }

    package mutating func map(root: UInt64, _ address: UInt64, _ page: UInt64, _ bits: UInt64) -> CInt {
        guard isPageOfProcess(address), page & (pageSize &- 1) == 0, translate(root) != nil else {
            return -EINVAL
        }
        let domain = domain
        let at = table(root).entryAddress(
            address, physical: { domain.pointee.translate($0) }, newTable: { takePage() })
        guard let at else { return -ENOMEM }
        memory.setWord(at, page & addressMask | bits)
        return 0
    }

    package func unmap(root: UInt64, _ address: UInt64) -> CInt {
        guard isPageOfProcess(address), translate(root) != nil else { return -EINVAL }
        let at = table(root).entryAddress(
            address, physical: { domain.pointee.translate($0) }, newTable: { nil })
        guard let at, let bits = memory.word(at), bits & FirstLevelBit.present != 0 else {
            return -ENOENT
        }
        memory.setWord(at, 0)
        return 0
    }

    /// Runs over the physical pieces of a range of guest memory.
    /// - Returns: false if the range is not within it.
    @inline(__always)
    package func forEachPiece(
        _ address: UInt64, _ length: UInt64,
        _ body: (PhysicalMemory, _ physical: UInt64, _ offset: Int, _ length: UInt64) -> Void
    ) -> Bool {
        guard contains(address, length) else { return false }
        var done: UInt64 = 0
        while done < length {
            let piece = min(length &- done, pageSize &- (address &+ done) % pageSize)
            guard let physical = domain.pointee.translate(address &+ done) else { return false }
            body(memory, physical, Int(truncatingIfNeeded: done), piece)
            done &+= piece
        }
        return true
    }
}
