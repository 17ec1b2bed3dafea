// SPDX-License-Identifier: MIT
// Chunks of reserved memory: writable while in use, kept for a while, then zero again.

import Testing

@testable import IOASIDMemory

/// `#expect` cannot hold a noncopyable value: this can. Marks are written to both parts.
private final class Memories {
    static let bytes = 64 << 10
    static let secondBytes = 128 << 10
    static let count = 40
    private let chunks: Chunks
    private let hasSecond: Bool

    init(hasSecond: Bool = true) throws {
        self.hasSecond = hasSecond
        chunks = Chunks(bytes: Self.bytes, secondBytes: hasSecond ? Self.secondBytes : 0)
        try #require(prepare())
    }

    private func prepare() -> Bool { chunks.prepare(Self.count) }

    func occupy(_ chunk: Int) -> Bool { chunks.occupy(chunk) }
    func vacate(_ chunk: Int) { chunks.vacate(chunk) }
    func inUse(_ chunk: Int) -> UInt32 { chunks.inUse(chunk) }

    private func places(_ chunk: Int) -> [UnsafeMutablePointer<UInt64>] {
        let first = chunks.base + UInt(chunk * Self.bytes)
        let second = chunks.secondBase + UInt(chunk * Self.secondBytes)
        let ends = [first, first + UInt(Self.bytes) - 8]
        let all = hasSecond ? ends + [second, second + UInt(Self.secondBytes) - 8] : ends
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
}
