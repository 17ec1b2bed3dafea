// SPDX-License-Identifier: MIT
// Chunks of reserved memory: writable while in use, kept for a while, then zero again.

import Testing

@testable import IOASIDMemory

/// `#expect` cannot hold a noncopyable value: this can. Marks are written to both parts.
private final class Memories {
    static let bytes = 64 << 10
    static let count = 100
    private let secondBytes: Int
    private let chunks: Chunks
    private let hasSecond: Bool

    /// Parts of different sizes, but with huge pages, where they must be the same.
    init(hasSecond: Bool = true, crowd: UInt32 = 0) throws {
        self.hasSecond = hasSecond
        secondBytes = crowd != 0 ? Self.bytes : 2 * Self.bytes
        chunks = Chunks(
            bytes: Self.bytes, secondBytes: hasSecond ? secondBytes : 0, crowd: crowd)
        try #require(prepare())
    }

    private func prepare() -> Bool { chunks.prepare(Self.count) }

    func occupy(_ chunk: Int) -> Bool { chunks.occupy(chunk) }
    func vacate(_ chunk: Int) { chunks.vacate(chunk) }
    func inUse(_ chunk: Int) -> UInt32 { chunks.inUse(chunk) }

    private func places(_ chunk: Int) -> [UnsafeMutablePointer<UInt64>] {
        let first = chunks.base + UInt(chunk * Self.bytes)
        let second = chunks.secondBase + UInt(chunk * secondBytes)
        let ends = [first, first + UInt(Self.bytes) - 8]
        let all = hasSecond ? ends + [second, second + UInt(secondBytes) - 8] : ends
        return all.map { UnsafeMutablePointer(bitPattern: $0)! }
    }

    /// Uses a chunk once, and writes to its first and last words.
    func mark(_ chunk: Int) throws {
        try #require(occupy(chunk))
        places(chunk).forEach { $0.pointee = UInt64(chunk) + 1 }
    }

    func isMarked(_ chunk: Int) -> Bool {
        places(chunk).allSatisfy { $0.pointee == UInt64(chunk) + 1 }
    }

    func isZero(_ chunk: Int) -> Bool { places(chunk).allSatisfy { $0.pointee == 0 } }
}

@Suite("Chunks")
struct ChunksTests {
    @Test("read as zero where nothing was used, first and last", arguments: [true, false])
    func untouched(hasSecond: Bool) throws {
        let chunks = try Memories(hasSecond: hasSecond)
        #expect(chunks.isZero(0) && chunks.isZero(Memories.count - 1))
        #expect(chunks.inUse(0) == 0 && chunks.inUse(Memories.count - 1) == 0)
    }

    @Test("lie side by side", arguments: [true, false])
    func apart(hasSecond: Bool) throws {
        let chunks = try Memories(hasSecond: hasSecond)
        for chunk in 0..<Memories.count { try chunks.mark(chunk) }
        #expect((0..<Memories.count).allSatisfy { chunks.isMarked($0) })
    }

    @Test("count their uses, and stay while there is one")
    func uses() throws {
        let chunks = try Memories()
        for _ in 0..<3 { try chunks.mark(7) }
        #expect(chunks.inUse(7) == 3 && chunks.inUse(6) == 0 && chunks.inUse(8) == 0)
        chunks.vacate(7)
        chunks.vacate(7)
        #expect(chunks.inUse(7) == 1)
        // Others that come and go do not drive it out.
        for chunk in 10..<30 {
            try chunks.mark(chunk)
            chunks.vacate(chunk)
        }
        #expect(chunks.isMarked(7))
        chunks.vacate(7)
        #expect(chunks.inUse(7) == 0)
    }

    @Test(
        "are kept, the four that became empty last, and are zero after that",
        arguments: [true, false])
    func kept(hasSecond: Bool) throws {
        let chunks = try Memories(hasSecond: hasSecond)
        for chunk in 0..<10 { try chunks.mark(chunk) }
        for chunk in 0..<10 {
            chunks.vacate(chunk)
            for other in 0..<10 {
                let isKept = other + 4 > chunk
                #expect(isKept ? chunks.isMarked(other) : chunks.isZero(other), "\(chunk) \(other)")
            }
        }
    }

    @Test("that were kept and are used again are no longer among those to go")
    func usedAgain() throws {
        let chunks = try Memories()
        for chunk in 0..<4 { try chunks.mark(chunk) }
        for chunk in 0..<4 { chunks.vacate(chunk) }
        for chunk in 0..<4 {
            #expect(chunks.isMarked(chunk))
            #expect(chunks.occupy(chunk))
            #expect(chunks.inUse(chunk) == 1)
        }
        for chunk in 10..<20 {
            try chunks.mark(chunk)
            chunks.vacate(chunk)
        }
        #expect((0..<4).allSatisfy { chunks.isMarked($0) })
        #expect((10..<16).allSatisfy { chunks.isZero($0) })
        #expect((16..<20).allSatisfy { chunks.isMarked($0) })
    }

    @Test("one that comes and goes does not drive the others out")
    func comesAndGoes() throws {
        let chunks = try Memories()
        for chunk in 0..<3 { try chunks.mark(chunk) }
        for chunk in 0..<3 { chunks.vacate(chunk) }
        for _ in 0..<3 {
            try chunks.mark(0)
            chunks.vacate(0)
            #expect(chunks.isMarked(0))
        }
    }

    @Test("are writable again after they were given back, as often as one likes")
    func again() throws {
        let chunks = try Memories()
        for _ in 0..<3 {
            for chunk in 0..<Memories.count {
                try chunks.mark(chunk)
                #expect(chunks.isMarked(chunk))
            }
            for chunk in 0..<Memories.count { chunks.vacate(chunk) }
            #expect((0..<Memories.count - 4).allSatisfy { chunks.isZero($0) })
        }
    }

    // MARK: Huge pages

    /// Blocks of 32 chunks; a crowd is 20 records.
    private static func crowdedUp(to chunk: Int) throws -> Memories {
        let chunks = try Memories(crowd: 20)
        for one in 0..<chunk { try chunks.mark(one) }
        return chunks
    }

    @Test("beside a crowd come and go by the block")
    func block() throws {
        let chunks = try Self.crowdedUp(to: 32)
        try chunks.mark(40)
        try chunks.mark(63)
        #expect(chunks.isMarked(40) && chunks.isMarked(63) && chunks.isZero(32))
        for one in 0..<20 { chunks.vacate(one) }
        // Not yet: 63 is in use. What went back by itself would read as zero.
        chunks.vacate(40)
        #expect(chunks.isMarked(40) && chunks.isMarked(63))
        chunks.vacate(63)
        #expect(chunks.isZero(40) && chunks.isZero(63))
        try chunks.mark(40)
        #expect(chunks.isMarked(40))
    }

    @Test("that are empty stay while there is a crowd before them, and go with it")
    func keptBesideCrowd() throws {
        let chunks = try Self.crowdedUp(to: 32)
        try chunks.mark(32)
        chunks.vacate(32)
        #expect(chunks.isMarked(32))
        for one in 0..<12 { chunks.vacate(one) }
        #expect(chunks.isMarked(32))
        chunks.vacate(12)
        #expect(chunks.isZero(32))
    }

    @Test("go though the crowd was in a block that went itself")
    func oneAfterTheOther() throws {
        let chunks = try Self.crowdedUp(to: Memories.count)
        for one in (0..<Memories.count).reversed() { chunks.vacate(one) }
        #expect((32..<Memories.count).allSatisfy { chunks.isZero($0) })
        #expect((0..<4).allSatisfy { chunks.isMarked($0) })
    }

    @Test("are not asked for where few are in use")
    func few() throws {
        let chunks = try Self.crowdedUp(to: 19)
        for one in 32..<40 { try chunks.mark(one) }
        for one in 32..<40 { chunks.vacate(one) }
        #expect((32..<36).allSatisfy { chunks.isZero($0) })
        #expect((36..<40).allSatisfy { chunks.isMarked($0) })
    }
}
