// SPDX-License-Identifier: MIT
// The bitmap of taken ids against a naive model, and at every place where a level begins or ends.

import Testing

@testable import IOASIDCore
@testable import IOASIDMemory

/// `#expect` cannot hold a noncopyable value: this can, and gives its memory back.
private final class Bitmap {
    private let bitmap = IDBitmap()

    init(capacity: UInt32) throws { try #require(prepare(capacity)) }
    deinit { discard() }

    private func prepare(_ capacity: UInt32) -> Bool { bitmap.prepare(capacity: capacity) }
    func discard() { bitmap.discard() }
    func take(_ number: UInt32) { bitmap.take(number) }
    func release(_ number: UInt32) { bitmap.release(number) }
    func isTaken(_ number: UInt32) -> Bool { bitmap.isTaken(number) }
    func lowestTaken(from low: UInt32) -> UInt32? { bitmap.lowestTaken(from: low) }

    func lowestFree(from low: UInt32 = 0, through high: UInt32 = .max) -> UInt32? {
        bitmap.lowestFree(from: low, through: high)
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

            let bounds = [number, UInt32.random(in: 0..<capacity, using: &random)].sorted()
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
        for number in 0..<capacity {
            #expect(bitmap.lowestFree() == number)
            bitmap.take(number)
        }
        #expect(bitmap.lowestFree() == nil)
        for number in (0..<capacity).reversed() {
            bitmap.release(number)
            #expect(bitmap.lowestFree() == number)
        }
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

        var walked: [UInt32] = []
        var next = bitmap.lowestTaken(from: 0)
        while let number = next {
            walked.append(number)
            next = bitmap.lowestTaken(from: number + 1)
        }
        #expect(walked == places)
    }
}
