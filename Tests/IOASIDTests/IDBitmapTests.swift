// SPDX-License-Identifier: MIT
// The bitmap of taken ids against a naive model, and at every place where a level begins or ends.

import Testing

@testable import IOASIDMemory

/// `#expect` cannot hold a noncopyable value: this can, and gives its memory back.
private final class Bitmap {
    private let bitmap = IDBitmap()

    init(capacity: UInt32) throws { try #require(prepare(capacity)) }
    deinit { discard() }

    func prepare(_ capacity: UInt32) -> Bool { bitmap.prepare(capacity: capacity) }
    var capacity: UInt32 { bitmap.capacity }
    func discard() { bitmap.discard() }
    func take(_ number: UInt32) { bitmap.take(number) }
    func release(_ number: UInt32) { bitmap.release(number) }
    func isTaken(_ number: UInt32) -> Bool { bitmap.isTaken(number) }
    func lowestTaken(from low: UInt32) -> UInt32? { bitmap.lowestTaken(from: low) }

    func takeLowest(from low: UInt32 = 0, through high: UInt32 = .max) -> UInt32? {
        bitmap.takeLowest(from: low, through: high)
    }

    /// What `takeLowest` would take.
    func lowestFree(from low: UInt32 = 0, through high: UInt32 = .max) -> UInt32? {
        let found = takeLowest(from: low, through: high)
        if let found { release(found) }
        return found
    }
}

@Suite("IDBitmap")
struct IDBitmapTests {
    /// Sizes around the words and levels of a 64-ary tree.
    static let smallCapacities: [UInt32] = [
        1, 2, 63, 64, 65, 127, 128, 4095, 4096, 4097, 8191,
    ]
    static let largeCapacities: [UInt32] = [
        1 << 18 - 1, 1 << 18, 1 << 18 + 1, 1 << 20, 1 << 31, .max,
    ]

    @Test("does what a set of numbers does", arguments: smallCapacities)
    func agreesWithModel(capacity: UInt32) throws {
        var random = SeededGenerator(seed: UInt64(capacity))
        var model = Set<UInt32>()
        let bitmap = try Bitmap(capacity: capacity)
        // Full words to begin with, in several levels; then it fills, drains and fills again.
        for number in 0..<capacity / 4 * 3 {
            bitmap.take(number)
            model.insert(number)
        }
        for step in 0..<2000 {
            let number = UInt32.random(in: 0..<capacity, using: &random)
            let fills = Int.random(in: 0..<2000, using: &random) < abs(step * 2 - 2000)
            if fills, model.insert(number).inserted {
                bitmap.take(number)
            } else if !fills, model.remove(number) != nil {
                bitmap.release(number)
            }
            #expect(bitmap.isTaken(number) == model.contains(number), "step \(step)")

            // Often the same range again: the search goes on where it ended.
            let bounds =
                step % 3 != 0
                ? [0, capacity - 1]
                : [number, UInt32.random(in: 0..<capacity, using: &random)].sorted()
            #expect(
                bitmap.lowestFree(from: bounds[0], through: bounds[1])
                    == (bounds[0]...bounds[1]).first { !model.contains($0) },
                "step \(step): free in \(bounds)")
            #expect(
                bitmap.lowestTaken(from: number) == model.filter { $0 >= number }.min(),
                "step \(step): taken from \(number)")
        }
    }

    @Test("hands out every number once, in order", arguments: smallCapacities)
    func fillsInOrder(capacity: UInt32) throws {
        let bitmap = try Bitmap(capacity: capacity)
        #expect((0..<capacity).allSatisfy { bitmap.takeLowest() == $0 && bitmap.isTaken($0) })
        #expect(bitmap.takeLowest() == nil)
        #expect(
            (0..<capacity).reversed().allSatisfy {
                bitmap.release($0)
                return bitmap.lowestFree() == $0
            })
        #expect(bitmap.lowestTaken(from: 0) == nil)
    }

    @Test("finds one free number among taken ones", arguments: smallCapacities)
    func findsTheOnlyHole(capacity: UInt32) throws {
        let bitmap = try Bitmap(capacity: capacity)
        (0..<capacity).forEach { bitmap.take($0) }
        for hole in stride(from: 0, to: capacity, by: 61) {
            bitmap.release(hole)
            #expect(bitmap.lowestFree() == hole)
            #expect(bitmap.lowestFree(from: hole, through: hole) == hole)
            #expect(bitmap.lowestFree(from: hole + 1) == nil)
            if hole > 0 { #expect(bitmap.lowestFree(through: hole - 1) == nil) }
            bitmap.take(hole)
        }
    }

    @Test("is empty after its memory went back")
    func discarded() throws {
        let bitmap = try Bitmap(capacity: 100)
        bitmap.take(0)
        bitmap.discard()
        #expect(!bitmap.isTaken(0))
        #expect(bitmap.lowestFree() == nil)
        #expect(bitmap.lowestTaken(from: 0) == nil)
    }

    @Test("keeps to its capacity and the range asked for", arguments: largeCapacities)
    func boundaries(capacity: UInt32) throws {
        let last = capacity - 1
        let places = Set([0, 1, 63, 64, 4095, 4096, 1 << 18 - 2, last / 2, last]).sorted()
        let bitmap = try Bitmap(capacity: capacity)
        for number in places {
            #expect(bitmap.lowestFree(from: number, through: number) == number)
            bitmap.take(number)
            #expect(bitmap.isTaken(number))
            #expect(bitmap.lowestFree(from: number, through: number) == nil)
            #expect(bitmap.lowestTaken(from: number) == number)
            if number > 0 { #expect(bitmap.lowestFree(from: number, through: number - 1) == nil) }
        }
        #expect(!bitmap.isTaken(capacity))
        #expect(bitmap.lowestFree(from: capacity) == nil)
        #expect(bitmap.lowestFree(from: last) == nil)
        #expect(bitmap.lowestTaken(from: capacity) == nil)

        // A walk looks at each word.
        guard capacity <= 1 << 20 else { return }
        var walked: [UInt32] = []
        var next = bitmap.lowestTaken(from: 0)
        while let number = next {
            walked.append(number)
            next = bitmap.lowestTaken(from: number + 1)
        }
        #expect(walked == places)
    }

    @Test("takes what is lowest, in whatever ranges and order is asked", arguments: smallCapacities)
    func ranges(capacity: UInt32) throws {
        var random = SeededGenerator(seed: UInt64(capacity) + 1)
        let bitmap = try Bitmap(capacity: capacity)
        var model = [Bool](repeating: false, count: Int(capacity))
        var ranges = (0..<4).map { _ in
            UInt32.random(in: 0..<capacity, using: &random)
        }.sorted()
        ranges.append(capacity - 1)
        for step in 0..<1000 {
            let low = ranges[Int.random(in: 0..<4, using: &random)]
            let high = ranges[Int.random(in: 0..<5, using: &random)]
            if Int.random(in: 0..<5, using: &random) < 3 {
                let expected = low > high ? nil : (low...high).first { !model[Int($0)] }
                let taken = bitmap.takeLowest(from: low, through: high)
                if taken != expected { Issue.record("step \(step): \(low) \(high)") }
                if let expected { model[Int(expected)] = true }
            } else {
                let number = UInt32.random(in: 0..<capacity, using: &random)
                if model[Int(number)] {
                    bitmap.release(number)
                } else {
                    bitmap.take(number)
                }
                model[Int(number)].toggle()
            }
        }
    }

    @Test(
        "fills to the last number and drains, as often as one likes",
        arguments: [64, 65, 4096, 4097] as [UInt32])
    func filledAndDrained(capacity: UInt32) throws {
        let bitmap = try Bitmap(capacity: capacity)
        for _ in 0..<2 {
            while bitmap.takeLowest() != nil {}
            #expect((0..<capacity).allSatisfy { bitmap.isTaken($0) })
            for number in 0..<capacity { bitmap.release(number) }
            #expect(bitmap.lowestTaken(from: 0) == nil)
            #expect(bitmap.lowestFree() == 0)
        }
    }

    @Test("can be prepared again after its memory went back")
    func again() throws {
        let bitmap = try Bitmap(capacity: 200)
        for number in 0..<200 as Range<UInt32> { #expect(bitmap.takeLowest() == number) }
        bitmap.discard()
        #expect(bitmap.capacity == 0)
        #expect(bitmap.prepare(100))
        #expect(bitmap.capacity == 100)
        for number in 0..<100 as Range<UInt32> { #expect(bitmap.takeLowest() == number) }
        #expect(bitmap.takeLowest() == nil)
    }
}
