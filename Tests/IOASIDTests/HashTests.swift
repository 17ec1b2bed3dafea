// SPDX-License-Identifier: MIT
// Tokens and SPIDs are any numbers: whichever bits they differ in, no chain of an index gets long.

import Testing

@testable import IOASIDCore

/// The longest chain of as many buckets as there are hashes, a power of two. By chance it would be 8 or so.
private func longestChain(_ hashes: [UInt32]) -> Int {
    let mask = UInt32(hashes.count - 1)
    var chains = [UInt32: Int]()
    for hash in hashes { chains[hash & mask, default: 0] += 1 }
    return chains.values.max() ?? 0
}

@Suite("hashAddress")
struct HashAddressTests {
    @Test("spreads numbers that differ in 14 bits, wherever these are", arguments: 0...50)
    func spreads(shift: UInt) {
        #expect(longestChain((0..<1 << 14).map { hashAddress(UInt($0) << shift) }) < 16)
    }

    @Test("spreads numbers a stride apart", arguments: [3, 24, 48, 4096, 1 << 20 + 1] as [UInt])
    func strides(stride: UInt) {
        let hashes = (0..<1 << 14).map { hashAddress(0x7f00_0000_0000 &+ UInt($0) &* stride) }
        #expect(longestChain(hashes) < 16)
    }

    @Test("is the same for the same, and no one-to-one of a few")
    func stays() {
        #expect(hashAddress(42) == hashAddress(42))
        #expect(Set((0..<1000).map { hashAddress($0) }).count == 1000)
    }
}

@Suite("SPIDIndex.hash")
struct SPIDHashTests {
    private let seed: UInt32 = 0x07f3_2a51

    private func hash(_ set: UInt32, _ spid: UInt32) -> UInt32 {
        SPIDIndex.hash(SetNumber(rawValue: set), SPID(rawValue: spid), seed: seed)
    }

    @Test("spreads numbers that differ in 14 bits, wherever these are", arguments: 0...18)
    func spreads(shift: UInt32) {
        #expect(longestChain((0..<1 << 14).map { hash(7, $0 << shift) }) < 16)
    }

    @Test("spreads numbers a stride apart", arguments: [3, 15, 17, 48, 4097] as [UInt32])
    func strides(stride: UInt32) {
        #expect(longestChain((0..<1 << 14).map { hash(7, $0 &* stride) }) < 16)
    }

    @Test("spreads the same numbers of many sets")
    func sets() {
        #expect(longestChain((0..<1 << 14).map { hash($0 / 4, $0 % 4) }) < 16)
    }

    @Test("gives 16 numbers in sequence the 16 buckets of one cache line")
    func neighbours() {
        for first in stride(from: UInt32(0), to: 1 << 20, by: 16) {
            let hashes = (first..<first + 16).map { hash(7, $0) }
            #expect(Set(hashes.map { $0 >> 4 }).count == 1)
            #expect(Set(hashes).count == 16)
        }
    }

    @Test("depends on where the process has its table")
    func seeded() {
        let one = SetNumber(rawValue: 7)
        let hashes = (0..<1000).map { SPIDIndex.hash(one, SPID(rawValue: 16), seed: $0) }
        #expect(Set(hashes).count == 1000)
    }
}
