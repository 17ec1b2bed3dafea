// SPDX-License-Identifier: MIT
// The linear-hash index: every record is found while buckets split, chains shrink, memory goes back.

import Testing

@testable import IOASIDCore
@testable import IOASIDMemory

/// Records whose key is a function of their number; the index threads its chains through `links`.
private enum Numbers: IndexedRecords {
    static let capacity = 20_000
    nonisolated(unsafe) static var links = [UInt32](repeating: 0, count: capacity)

    /// Few different hashes, so that chains have several records before and after a split.
    static func hash(_ record: UInt32) -> UInt32 { (record / 3) &* 0x9e37_79b1 }
    static func next(_ record: UInt32) -> UInt32 { links[Int(record)] }
    static func setNext(_ record: UInt32, _ link: UInt32) { links[Int(record)] = link }
}

/// All in one bucket.
private enum Alike: IndexedRecords {
    nonisolated(unsafe) static var links = [UInt32](repeating: 0, count: 3000)

    static func hash(_ record: UInt32) -> UInt32 { 7 }
    static func next(_ record: UInt32) -> UInt32 { links[Int(record)] }
    static func setNext(_ record: UInt32, _ link: UInt32) { links[Int(record)] = link }
}

/// `#expect` cannot hold a noncopyable value: this can.
private final class Index {
    private let index = HashIndex<Numbers>()

    init() throws { try #require(prepare()) }

    private func prepare() -> Bool { index.prepare() }
    func insert(_ record: UInt32) { index.insert(record) }
    func remove(_ record: UInt32) { index.remove(record) }

    func contains(_ record: UInt32) -> Bool {
        index.find(Numbers.hash(record)) { $0 == record } == record
    }
}

@Suite("HashIndex", .serialized)
struct HashIndexTests {
    @Test("does what a set of records does", arguments: [1, 2, 3] as [UInt64])
    func agreesWithModel(seed: UInt64) throws {
        let index = try Index()
        var random = SeededGenerator(seed: seed)
        var model = Set<UInt32>()
        for step in 0..<60_000 {
            let record = UInt32.random(in: 0..<UInt32(Numbers.capacity), using: &random)
            // Mostly insertions first, mostly removals later: it grows and then drains.
            let inserts = Int.random(in: 0..<60_000, using: &random) > step
            if inserts, model.insert(record).inserted {
                index.insert(record)
            } else if !inserts, model.remove(record) != nil {
                index.remove(record)
            }
            #expect(index.contains(record) == model.contains(record), "step \(step)")
        }
        for record in 0..<UInt32(Numbers.capacity) {
            #expect(index.contains(record) == model.contains(record))
        }
        for record in model { index.remove(record) }
        for record in model { #expect(!index.contains(record)) }
    }

    @Test("finds nothing before it has memory")
    func unprepared() {
        let index = HashIndex<Numbers>()
        let found = index.find(0) { _ in true }
        #expect(found == nil)
    }

    @Test("finds the last record of a chain, however long")
    func longChain() throws {
        let index = HashIndex<Alike>()
        let isPrepared = index.prepare()
        try #require(isPrepared)
        for record in 0..<UInt32(Alike.links.count) { index.insert(record) }
        for record in 0..<UInt32(Alike.links.count) {
            let found = index.find(7) { $0 == record }
            #expect(found == record)
        }
    }
}
