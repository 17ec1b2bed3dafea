// SPDX-License-Identifier: MIT
// The bitmap of taken ids against a naive model, and at every place where a level begins or ends.

import Testing

@testable import IOASID

@Suite("IDBitmap")
struct IDBitmapTests {
    /// Sizes around the words and levels of a 64-ary tree.
    static let smallCapacities: [UInt32] = [
        1, 2, 63, 64, 65, 127, 128, 4095, 4096, 4097, 8191,
    ]
    static let largeCapacities: [UInt32] = [
        1 << 18 - 1, 1 << 18, 1 << 18 + 1, 1 << 20, 1 << 31, .max,
    ]

    /// A bitmap that must give its memory back, or the test crashes on what it still holds.
    private func withBitmap(_ capacity: UInt32, _ body: (borrowing IDBitmap) -> Void) {
        let bitmap = IDBitmap()
        guard bitmap.prepare(capacity: capacity) else {
            Issue.record("no memory for \(capacity) numbers")
            return
        }
        body(bitmap)
        bitmap.discard()
        #expect(bitmap.capacity == 0)
        #expect(bitmap.lowestFree(from: 0, through: .max) == nil)
    }

    @Test("does what a set of numbers does", arguments: smallCapacities)
    func agreesWithModel(capacity: UInt32) {
        var random = SeededGenerator(seed: UInt64(capacity))
        var model = Set<UInt32>()
        withBitmap(capacity) { bitmap in
            for step in 0..<2000 {
                let number = UInt32.random(in: 0..<capacity, using: &random)
                // Drift from nearly empty to nearly full and back, so that words fill and drain.
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
    }

    @Test("hands out every number once, in order", arguments: smallCapacities)
    func fillsInOrder(capacity: UInt32) {
        withBitmap(capacity) { bitmap in
            for number in 0..<capacity {
                #expect(bitmap.lowestFree(from: 0, through: .max) == number)
                bitmap.take(number)
            }
            #expect(bitmap.lowestFree(from: 0, through: .max) == nil)
            for number in (0..<capacity).reversed() {
                bitmap.release(number)
                #expect(bitmap.lowestFree(from: 0, through: .max) == number)
            }
            #expect(bitmap.lowestTaken(from: 0) == nil)
        }
    }

    @Test("finds one free number among taken ones", arguments: smallCapacities)
    func findsTheOnlyHole(capacity: UInt32) {
        withBitmap(capacity) { bitmap in
            (0..<capacity).forEach { bitmap.take($0) }
            for hole in stride(from: 0, to: capacity, by: 61) {
                bitmap.release(hole)
                #expect(bitmap.lowestFree(from: 0, through: .max) == hole)
                #expect(bitmap.lowestFree(from: hole, through: hole) == hole)
                #expect(bitmap.lowestFree(from: hole + 1, through: .max) == nil)
                if hole > 0 { #expect(bitmap.lowestFree(from: 0, through: hole - 1) == nil) }
                bitmap.take(hole)
            }
        }
    }

    @Test("keeps to its capacity and the range asked for", arguments: largeCapacities)
    func boundaries(capacity: UInt32) {
        let last = capacity - 1
        let places: [UInt32] = [0, 1, 63, 64, 4095, 4096, 1 << 18 - 2, last / 2, last]
        withBitmap(capacity) { bitmap in
            for number in places {
                #expect(bitmap.lowestFree(from: number, through: number) == number)
                bitmap.take(number)
                #expect(bitmap.isTaken(number))
                #expect(bitmap.lowestFree(from: number, through: number) == nil)
                #expect(bitmap.lowestTaken(from: number) == number)
                if number > 0 { #expect(bitmap.lowestFree(from: number, through: number - 1) == nil) }
            }
            #expect(!bitmap.isTaken(capacity))
            #expect(bitmap.lowestFree(from: capacity, through: .max) == nil)
            #expect(bitmap.lowestFree(from: last, through: .max) == nil)
            #expect(bitmap.lowestTaken(from: capacity) == nil)

            var walked: [UInt32] = []
            var next = bitmap.lowestTaken(from: 0)
            while let number = next {
                walked.append(number)
                next = bitmap.lowestTaken(from: number + 1)
            }
            #expect(walked == Array(Set(places)).sorted())
        }
    }
}
