// SPDX-License-Identifier: MIT
// What the memory of records relies on: their sizes, where their fields are, and chunks of whole pages.

import CIOASIDCore
import Testing

@testable import IOASIDCore
@testable import IOASIDMemory

@Suite("Layout")
struct LayoutTests {
    /// The largest page of the machines that this runs on.
    static let page = 64 << 10

    @Test("a record is as large as the arithmetic of its table says")
    func sizes() {
        #expect(MemoryLayout<Slot>.size == 16 && MemoryLayout<Slot>.stride == 16)
        #expect(MemoryLayout<Links>.size == 16 && MemoryLayout<Links>.stride == 16)
        #expect(MemoryLayout<CustomID>.size == 64 && MemoryLayout<CustomID>.stride == 64)
        #expect(MemoryLayout<SetRecord>.stride == 128)
    }

    @Test("chunks are whole pages, however large these are")
    func chunks() {
        #expect(CustomIDs.records.chunkBytes % Self.page == 0)
        #expect(SetTable.records.chunkBytes % Self.page == 0)
        let split = SplitRegion<Slot, Links>.chunkShift
        #expect((MemoryLayout<Slot>.stride << split) % Self.page == 0)
        #expect((MemoryLayout<Links>.stride << split) % Self.page == 0)
    }

    @Test("no record crosses a line of the cache")
    func lines() {
        #expect(64 % MemoryLayout<Slot>.stride == 0)
        #expect(64 % MemoryLayout<Links>.stride == 0)
        #expect(MemoryLayout<CustomID>.stride % 64 == 0)
        #expect(MemoryLayout<SetRecord>.stride % 64 == 0)
    }

    @Test("the pointer that users hold is the record's, so what they see lies first")
    func seen() {
        let record = UnsafeMutablePointer<SetRecord>.allocate(capacity: 1)
        defer { record.deallocate() }
        let seen = withUnsafeMutablePointer(to: &record.pointee.seen) { UInt(bitPattern: $0) }
        #expect(seen == UInt(bitPattern: record))
        #expect(MemoryLayout<SetRecord>.alignment >= MemoryLayout<ioasid_set>.alignment)
    }
}
