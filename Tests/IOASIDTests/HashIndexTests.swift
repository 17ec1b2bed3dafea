// SPDX-License-Identifier: MIT
// The linear-hash index: every record is found, whatever a writer was stopped in.

import Testing

@testable import IOASIDMemory

/// What records are: a hash and a link, in arrays that do not move.
private struct Table {
    let hashes: UnsafeMutablePointer<UInt32>
    let links: UnsafeMutablePointer<UInt32>

    init(_ count: Int, _ hash: (UInt32) -> UInt32 = { _ in 0 }) {
        hashes = .allocate(capacity: count)
        links = .allocate(capacity: count)
        for index in 0..<count {
            (hashes + index).initialize(to: hash(UInt32(index)))
            (links + index).initialize(to: 0)
        }
    }
}

private typealias Number = RecordNumber<Table>

private func number(_ value: UInt32) -> Number { Number(rawValue: value) }

/// Few different hashes, so that chains have several records before and after a split.
private enum Thirds: IndexedRecords {
    static let capacity: UInt32 = 36_000
    nonisolated(unsafe) static let table = Table(Int(capacity)) { ($0 / 3) &* 0x9e37_79b1 }

    static func hash(_ record: Number) -> UInt32 { table.hashes[Int(record.rawValue)] }
    static func link(_ record: Number) -> UInt32 { table.links[Int(record.rawValue)] }
    static func setLink(_ record: Number, _ link: UInt32) {
        table.links[Int(record.rawValue)] = link
    }
}

/// All in one bucket.
private enum Alike: IndexedRecords {
    nonisolated(unsafe) static let table = Table(3000)

    static func hash(_ record: Number) -> UInt32 { 7 }
    static func link(_ record: Number) -> UInt32 { table.links[Int(record.rawValue)] }
    static func setLink(_ record: Number, _ link: UInt32) {
        table.links[Int(record.rawValue)] = link
    }
}

/// Stops before and after every step: those who look, and those who change.
private enum Stopping: IndexedRecords {
    static let capacity: UInt32 = 40_000
    nonisolated(unsafe) static let table = Table(Int(capacity))

    static func hash(_ record: Number) -> UInt32 { table.hashes[Int(record.rawValue)] }
    static func link(_ record: Number) -> UInt32 {
        Coroutine.pause()
        return table.links[Int(record.rawValue)]
    }
    static func setLink(_ record: Number, _ link: UInt32) {
        Coroutine.pause()
        table.links[Int(record.rawValue)] = link
        Coroutine.pause()
    }
}

/// `#expect` cannot hold a noncopyable value: this can.
private final class Index<Records: IndexedRecords> where Records.Number == Number {
    private let index = HashIndex<Records>()

    init() throws { try #require(prepare()) }

    func prepare() -> Bool { index.prepare() }
    func insert(_ record: UInt32) { index.insert(number(record)) }
    func remove(_ record: UInt32) { index.remove(number(record)) }
    var count: UInt32 { index.count }
    var bucketCount: UInt32 { index.bucketCount }

    func contains(_ record: UInt32) -> Bool {
        let record = number(record)
        return index.find(Records.hash(record)) {
            Coroutine.pause()
            return $0 == record
        } == record
    }
}

@Suite("HashIndex", .serialized)
struct HashIndexTests {
    @Test("does what a set of records does", arguments: [1, 2, 3] as [UInt64])
    func agreesWithModel(seed: UInt64) throws {
        let index = try Index<Thirds>()
        var random = SeededGenerator(seed: seed)
        var model = Set<UInt32>()
        for step in 0..<30_000 {
            let record = UInt32.random(in: 0..<20_000, using: &random)
            // Mostly insertions first, mostly removals later: it grows and then drains.
            let inserts = Int.random(in: 0..<30_000, using: &random) > step
            if inserts, model.insert(record).inserted {
                index.insert(record)
            } else if !inserts, model.remove(record) != nil {
                index.remove(record)
            }
            if step % 16 == 0 {
                #expect(index.contains(record) == model.contains(record), "step \(step)")
                #expect(index.count == UInt32(model.count))
            }
        }
        #expect(
            (0..<20_000 as Range<UInt32>).allSatisfy {
                index.contains($0) == model.contains($0)
            })
        for record in model { index.remove(record) }
        #expect(model.allSatisfy { !index.contains($0) })
        #expect(index.count == 0)
    }

    @Test("has a bucket a record, and the first ones alone when it is empty")
    func size() throws {
        let index = try Index<Thirds>()
        let first = index.bucketCount
        for round in 1...2 {
            for record in 0..<Thirds.capacity {
                index.insert(record)
                if index.bucketCount != max(first, record + 1) {
                    Issue.record("round \(round): \(record)")
                    return
                }
            }
            for record in 1..<Thirds.capacity { index.remove(record) }
            #expect(index.bucketCount == Thirds.capacity)
            #expect(index.contains(0))
            index.remove(0)
            #expect(index.bucketCount == first && index.count == 0)
        }
    }

    @Test("is not disturbed by a record that is not there, or by being prepared again")
    func nothingToDo() throws {
        let index = try Index<Thirds>()
        for record in 0..<2000 as Range<UInt32> { index.insert(record) }
        index.remove(3000)
        #expect(index.count == 2000)
        #expect(index.prepare())
        #expect(index.bucketCount == 2000)
        #expect((0..<2000 as Range<UInt32>).allSatisfy { index.contains($0) })
        #expect(!index.contains(3000))
        for record in 0..<2000 as Range<UInt32> { index.remove(record) }
    }

    @Test("finds nothing before it has memory")
    func unprepared() {
        let index = HashIndex<Thirds>()
        let found = index.find(0) { _ in true }
        #expect(found == nil)
        #expect(index.count == 0)
    }

    @Test("finds the last record of a chain, however long")
    func longChain() throws {
        let index = try Index<Alike>()
        for record in 0..<3000 as Range<UInt32> { index.insert(record) }
        #expect((0..<3000 as Range<UInt32>).allSatisfy { index.contains($0) })
        for record in 0..<3000 as Range<UInt32> { index.remove(record) }
    }
}

// MARK: - Stopped in the middle

/// An index with one chain to look at, in the bucket that is split next.
private final class Chain {
    let index: Index<Stopping>
    /// The records of the chain are 0, 1, 2 ...; these are in other buckets, or where they like.
    private var fillers: [UInt32] = []
    private var unused: [UInt32]
    private var chain: [UInt32] = []

    init() throws {
        index = try Index<Stopping>()
        unused = (100..<Stopping.capacity).reversed()
    }

    /// A record of the bucket that is split next; it goes to the new one if it `isMoved`.
    func setHash(_ record: UInt32, isMoved: Bool) {
        let buckets = index.bucketCount
        let high = UInt32(1) << UInt32(31 - buckets.leadingZeroBitCount)
        let split = buckets - high
        Stopping.table.hashes[Int(record)] =
            split + (isMoved ? high : 0) + 2 * high * (record + 1)
    }

    /// - Parameters:
    ///   - moves: for each record of the chain, whether the next split moves it.
    ///   - splits: whether the next insertion splits.
    func begin(_ moves: [Bool], splits: Bool) {
        for (record, isMoved) in moves.enumerated() {
            setHash(UInt32(record), isMoved: isMoved)
            chain.append(UInt32(record))
        }
        setHash(UInt32(moves.count), isMoved: false)
        let wanted = index.bucketCount - UInt32(chain.count) - (splits ? 0 : 1)
        while fillers.count < wanted {
            let filler = unused.removeLast()
            // Not in the bucket that is looked at.
            let buckets = index.bucketCount
            let high = UInt32(1) << UInt32(31 - buckets.leadingZeroBitCount)
            let bucket = (buckets - high + 1 + filler) % high
            Stopping.table.hashes[Int(filler)] = bucket == buckets - high ? bucket + 1 : bucket
            index.insert(filler)
            fillers.append(filler)
        }
        while fillers.count > wanted { index.remove(fillers.removeLast()) }
        chain.forEach { index.insert($0) }
    }

    func end() {
        for record in chain + [UInt32(chain.count)] { index.remove(record) }
        chain = []
    }
}

/// What a writer does with the chain.
private enum Change: CaseIterable {
    case insertWithoutSplit, insertWithSplit, insertMoved, removeFirst, removeMiddle, removeLast
    case takeOutAndReuse, removeAndPutBack

    var splits: Bool { self == .insertWithSplit || self == .insertMoved }

    /// - Returns: the record that comes or goes.
    func record(_ length: UInt32) -> UInt32 {
        switch self {
        case .insertWithoutSplit, .insertWithSplit, .insertMoved: length
        case .removeFirst: 0
        case .removeMiddle, .takeOutAndReuse, .removeAndPutBack: length / 2
        case .removeLast: length - 1
        }
    }

    func make(_ chain: Chain, _ record: UInt32) {
        switch self {
        case .insertWithoutSplit, .insertWithSplit, .insertMoved: chain.index.insert(record)
        case .removeFirst, .removeMiddle, .removeLast: chain.index.remove(record)
        case .takeOutAndReuse:
            chain.index.remove(record)
            // Its owner uses the link for something else: it may even lead back to itself.
            Stopping.setLink(number(record), record + 1)
        case .removeAndPutBack:
            chain.index.remove(record)
            Stopping.setLink(number(record), 0)
            Stopping.table.hashes[Int(record)] ^= 1
            chain.index.insert(record)
        }
    }
}

@Suite("HashIndex, stopped in the middle", .serialized)
struct HashIndexStepsTests {
    static let chains: [[Bool]] = [
        [false, true, false, true], [true, true], [false],
    ]
    /// Nobody takes so many.
    static let enough = 2000

    /// One reader and one writer, each stopped once.
    /// - Returns: whether both had ended before they were to be stopped.
    private func run(
        _ chain: Chain, _ moves: [Bool], _ change: Change, _ target: UInt32,
        _ order: (Coroutine, Coroutine) -> Void
    ) throws {
        chain.begin(moves, splits: change.splits)
        defer { chain.end() }
        let record = change.record(UInt32(moves.count))
        if change == .insertMoved { chain.setHash(record, isMoved: true) }
        let isThereBefore = chain.index.contains(target)
        nonisolated(unsafe) var found: Bool?
        let reader = Coroutine { found = chain.index.contains(target) }
        let writer = Coroutine { change.make(chain, record) }
        order(reader, writer)
        try #require(reader.finish(within: Self.enough), "\(change) \(moves): \(target)")
        try #require(writer.finish(within: Self.enough))
        // A record that comes, goes or changes may be found or not; all others must be as they are.
        if target != record {
            #expect(found == isThereBefore, "\(change) \(moves): \(target)")
            #expect(chain.index.contains(target) == isThereBefore)
        }
        for other in 0..<UInt32(moves.count) where other != record {
            #expect(chain.index.contains(other))
        }
    }

    @Test(
        "each record is found by who is stopped anywhere, and by who comes meanwhile",
        arguments: Change.allCases, chains)
    fileprivate func oneStop(change: Change, moves: [Bool]) throws {
        let chain = try Chain()
        for target in 0...UInt32(moves.count) {
            var readerSteps = 0
            var readerEnded = false
            while !readerEnded {
                var writerSteps = 0
                var writerEnded = false
                while !writerEnded {
                    // The reader goes on while the writer is stopped, and the other way round.
                    for readerFirst in [true, false] {
                        try run(chain, moves, change, target) { reader, writer in
                            for _ in 0..<readerSteps { reader.resume() }
                            for _ in 0..<writerSteps { writer.resume() }
                            readerEnded = reader.hasEnded
                            writerEnded = writer.hasEnded
                            if !readerFirst { _ = writer.finish(within: Self.enough) }
                        }
                    }
                    writerSteps += 1
                }
                readerSteps += 1
            }
        }
    }

    @Test("each record is found whoever runs when", arguments: 1...10 as ClosedRange<UInt64>)
    func randomOrders(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let chain = try Chain()
        for _ in 0..<20 {
            let change = Change.allCases.randomElement(using: &random)!
            let moves = Self.chains.randomElement(using: &random)!
            let target = UInt32.random(in: 0...UInt32(moves.count), using: &random)
            var turns = (0..<30).map { _ in Bool.random(using: &random) }
            try run(chain, moves, change, target) { reader, writer in
                while let turn = turns.popLast() { (turn ? reader : writer).resume() }
            }
        }
    }
}
