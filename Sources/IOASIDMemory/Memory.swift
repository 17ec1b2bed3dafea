// SPDX-License-Identifier: MIT
// The checked allocator: the one place where memory comes from. It fails politely, and on demand.

import CIOASIDMemory
import Synchronization

package enum Memory {
    private static let blocks = Atomic<Int>(0)
    /// Allocations to go until one fails; zero or less: none fails.
    private static let countdown = Atomic<Int>(0)
    private static let attempts = Atomic<UInt>(0)

    package static var blocksInUse: Int { blocks.load(ordering: .relaxed) }

    /// Lets the nth allocation from now fail.
    /// - Returns: how many allocations were tried since the last call.
    package static func failNth(_ nth: UInt) -> UInt {
        countdown.store(Int(clamping: nth), ordering: .relaxed)
        return attempts.exchange(0, ordering: .relaxed)
    }

    /// Every allocation of any kind asks first; so may those whose memory comes from elsewhere.
    package static var isAllowed: Bool {
        attempts.wrappingAdd(1, ordering: .relaxed)
        guard countdown.load(ordering: .relaxed) > 0 else { return true }
        return countdown.wrappingSubtract(1, ordering: .relaxed).newValue != 0
    }

    /// - Returns: zeroed memory, or nil.
    package static func allocate(_ bytes: Int) -> UnsafeMutableRawPointer? {
        guard let block = table(bytes) else { return nil }
        blocks.wrappingAdd(1, ordering: .relaxed)
        return block
    }

    /// Zeroed memory for as long as the library is loaded: not counted as in use.
    package static func table(_ bytes: Int) -> UnsafeMutableRawPointer? {
        isAllowed ? calloc(1, bytes) : nil
    }

    /// For a table that will not be used after all.
    package static func discard(table: UnsafeMutableRawPointer?) { CIOASIDMemory.free(table) }

    /// Room for elements that are valid when zero.
    package static func allocate<Element>(
        _ count: Int, of _: Element.Type
    ) -> UnsafeMutablePointer<Element>? {
        allocate(count &* MemoryLayout<Element>.stride)?.bindMemory(
            to: Element.self, capacity: count)
    }

    /// Room for a structure of C, zeroed.
    package static func allocate<Structure>(_: Structure.Type) -> UnsafeMutablePointer<Structure>? {
        allocate(1, of: Structure.self)
    }

    /// - Returns: a block with this record in it, or nil.
    package static func make<Record: ~Copyable>(_ record: consuming Record) -> Ref<Record>? {
        guard let block = allocate(MemoryLayout<Record>.stride) else { return nil }
        let place = block.bindMemory(to: Record.self, capacity: 1)
        place.initialize(to: record)
        return Ref(place)
    }

    package static func free<Record: ~Copyable>(_ record: Ref<Record>) {
        free(UnsafeMutableRawPointer(record.pointer))
    }

    package static func free(_ block: UnsafeMutableRawPointer?) {
        guard let block else { return }
        CIOASIDMemory.free(block)
        blocks.wrappingSubtract(1, ordering: .relaxed)
    }

    /// Address space that reads as zero and costs nothing until it is committed. Never returned.
    package static func reserve(_ bytes: Int) -> UnsafeMutableRawPointer? {
        guard isAllowed else { return nil }
        return cio_reserve(bytes)
    }

    /// Makes part of a reservation writable. The kernel may refuse, unlike at a page fault.
    package static func commit(_ start: UnsafeMutableRawPointer, _ bytes: Int) -> Bool {
        isAllowed && cio_commit(start, bytes)
    }

    /// Gives the pages of a committed part back; it reads as zero again.
    package static func decommit(_ start: UnsafeMutableRawPointer, _ bytes: Int) {
        cio_decommit(start, bytes)
    }

    package static var hugePage: Int { Int(CIO_HUGE_PAGE) }

    /// Part of a reservation comes in huge pages from now on, or in small ones again.
    package static func wantHugePages(
        _ start: UnsafeMutableRawPointer, _ bytes: Int, _ wanted: Bool
    ) {
        cio_want_huge_pages(start, bytes, wanted)
    }
}
