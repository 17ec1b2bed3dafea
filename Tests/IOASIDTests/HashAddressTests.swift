// SPDX-License-Identifier: MIT
// Tokens are any numbers: whichever bits they differ in, no chain of the index gets long.

import Testing

@testable import IOASIDCore

@Suite("hashAddress")
struct HashAddressTests {
    /// The longest chain of as many buckets as there are addresses. By chance it would be 8 or so.
    private func longestChain(_ addresses: some Collection<UInt>) -> Int {
        let mask = UInt32(addresses.count - 1)
        var chains = [UInt32: Int]()
        for address in addresses { chains[hashAddress(address) & mask, default: 0] += 1 }
        return chains.values.max() ?? 0
    }

    @Test("spreads numbers that differ in 14 bits, wherever these are", arguments: 0...50)
    func spreads(shift: UInt) {
        #expect(longestChain((0..<1 << 14).map { UInt($0) << shift }) < 16)
    }

    @Test("spreads numbers a stride apart", arguments: [3, 24, 48, 4096, 1 << 20 + 1] as [UInt])
    func strides(stride: UInt) {
        #expect(longestChain((0..<1 << 14).map { 0x7f00_0000_0000 &+ UInt($0) &* stride }) < 16)
    }

    @Test("is the same for the same, and no one-to-one of a few")
    func stays() {
        #expect(hashAddress(42) == hashAddress(42))
        #expect(Set((0..<1000).map { hashAddress($0) }).count == 1000)
    }
}
