// SPDX-License-Identifier: MIT
// Memory of a guest, and the page tables that the guest builds in it.

@preconcurrency import CIOASIDVTDDriver
@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory
import IOASIDVTDHardware

package struct GuestMemory: Listed {
    package var next: Ref<GuestMemory>?
    let domain: Ref<Domain>
    let pages: UInt64
    /// Guest address of the next page that nobody has. Page 0 is never given out.
    private var nextPage = GPA(pageSize)

    private init(domain: Ref<Domain>, pages: UInt64) {
        self.domain = domain
        self.pages = pages
    }

    /// All there are: how a pointer from outside is told from nonsense.
    nonisolated(unsafe) private static var all = List<GuestMemory>()

    /// Runs `body`, with the hardware lock, on the memory that a handle stands for.
    /// - Returns: nil if it stands for none.
    @inline(__always)
    package static func with<Result>(
        _ handle: OpaquePointer?, _ body: (Ref<GuestMemory>) -> Result
    ) -> Result? {
        guard let handle else { return nil }
        let wanted = Ref<GuestMemory>(handle)
        return Lock.hardware {
            guard let guest = all.find({ $0 == wanted }) else { return nil }
            return body(guest)
        }
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
            let error = guest.pointee.addPage(GPA(index << pageShift))
            guard error == 0 else {
                guest.pointee.release(index)
                domain.pointee.users &-= 1
                Memory.free(guest)
                return (nil, error == -EEXIST ? -EINVAL : error)
            }
        }
        domain.pointee.flushAbsence()
        all.prepend(guest)
        return (guest, 0)
    }

    package static func destroy(_ guest: Ref<GuestMemory>) {
        let domain = guest.pointee.domain
        all.remove(guest)
        guest.pointee.release(guest.pointee.pages)
        domain.pointee.users &-= 1
        Memory.free(guest)
    }

    private func addPage(_ address: GPA) -> CInt {
        let machine = domain.pointee.machine
        guard let page = machine.allocatePages(1) else { return -ENOMEM }
        let bits = SecondLevelBit.read | SecondLevelBit.write
        let error = domain.pointee.mapPage(address, page, bits)
        if error != 0 { machine.freePages(page, 1) }
        return error
    }

    private func release(_ count: UInt64) {
        let machine = domain.pointee.machine
        guard count > 0 else { return }
        // Pages may go back only when no cache leads to them; but unmapping forgets where they are.
        var pages = Cleared()
        for index in 0..<count {
            guard let page = domain.pointee.translate(GPA(index << pageShift)) else { continue }
            pages.add(page, memory)
        }
        domain.pointee.unmapNow(GPA(0), count << pageShift)
        machine.freeChain(pages.tables)
    }

    package mutating func takePage() -> GPA? {
        guard nextPage.bits < size else { return nil }
        defer { nextPage = nextPage + pageSize }
        return nextPage
    }

    private func contains(_ address: GPA, _ length: UInt64) -> Bool {
        address.bits <= size && length <= size &- address.bits
    }

    func translate(_ address: GPA) -> HPA? {
        contains(address, 1) ? domain.pointee.translate(address) : nil
    }

    private func table(_ root: GPA) -> PageTable { PageTable.firstLevel(memory, root: root.bits) }

    package mutating func map(root: GPA, _ address: IOVA, _ page: GPA, _ bits: UInt64) -> CInt {
        guard isPageOfProcess(address), page.isPage, translate(root) != nil else {
            return -EINVAL
        }
        let domain = domain
        let at = table(root).entryAddress(
            address.bits, physical: { domain.pointee.translate(GPA($0)) },
            newTable: { takePage()?.bits })
        guard let at else { return -ENOMEM }
        memory.setWord(at, page.bits & addressMask | bits)
        return 0
    }

    package func unmap(root: GPA, _ address: IOVA) -> CInt {
        guard isPageOfProcess(address), translate(root) != nil else { return -EINVAL }
        let at = table(root).entryAddress(
            address.bits, physical: { domain.pointee.translate(GPA($0)) }, newTable: { nil })
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
        _ address: GPA, _ length: UInt64,
        _ body: (PhysicalMemory, _ physical: HPA, _ offset: Int, _ length: UInt64) -> Void
    ) -> Bool {
        guard contains(address, length) else { return false }
        var done: UInt64 = 0
        while done < length {
            let piece = min(length &- done, pageSize &- (address + done).inPage)
            guard let physical = domain.pointee.translate(address + done) else { return false }
            body(memory, physical, Int(truncatingIfNeeded: done), piece)
            done &+= piece
        }
        return true
    }
}
