// SPDX-License-Identifier: MIT
// The range of addresses that is for interrupt messages (section 3.14): no memory, even if there is.

package enum Interrupts {
    private static let first: UInt64 = 0xfee0_0000
    private static let count: UInt64 = 0x0010_0000

    static func contain(_ address: UInt64) -> Bool { address &- first < count }
}
