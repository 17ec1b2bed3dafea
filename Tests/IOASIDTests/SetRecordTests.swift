// SPDX-License-Identifier: MIT
// The life of a set, and how addresses are spread over buckets.

import CIOASIDCore
import Testing

@testable import IOASIDCore
@testable import IOASIDMemory

@Suite("SetRecord")
struct SetRecordTests {
    static let states: [cio_set_state] = [
        CIO_SET_UNUSED, CIO_SET_LIVE, CIO_SET_DYING, CIO_SET_DEAD, CIO_SET_LENT,
    ]
    static let lives: [[cio_set_state]] = [
        [CIO_SET_UNUSED, CIO_SET_LIVE, CIO_SET_DYING, CIO_SET_DEAD, CIO_SET_UNUSED],
        [CIO_SET_UNUSED, CIO_SET_LENT, CIO_SET_UNUSED],
    ]

    @Test("a set's life goes round in one direction")
    func round() {
        for this in Self.states {
            for that in Self.states {
                let isStep = Self.lives.contains { life in
                    zip(life, life.dropFirst()).contains { $0 == (this, that) }
                }
                #expect(SetRecord.mayGo(from: this, to: that) == isStep)
            }
        }
    }

    /// What programs pass for tokens: numbers, and addresses of things that lie in steps.
    static let steps: [UInt] = [1, 8, 64, 4096, 1 << 20, 1 << 32, 1 << 48]

    @Test("addresses in steps of any size fill the buckets evenly", arguments: steps)
    func spread(step: UInt) {
        let buckets: UInt32 = 1 << 10
        var sizes = [UInt32](repeating: 0, count: Int(buckets))
        for index in 0..<UInt(4 * buckets) {
            sizes[Int(hashAddress(index &* step) % buckets)] += 1
        }
        // Four each are expected. Where only 16 bits of the address move, thousands are the same.
        #expect(sizes.max()! <= 24, "\(sizes.max()!) of one bucket")
        #expect(sizes.count { $0 == 0 } < 100)
    }

    @Test("two tokens that differ in one bit have different hashes")
    func bits() {
        for base in [0, 0x5555_0000_1000, UInt.max] as [UInt] {
            let hashes = (0..<64).map { hashAddress(base ^ 1 << UInt($0)) & 0xffff }
            #expect(Set(hashes).count > 60)
        }
    }
}
