// SPDX-License-Identifier: MIT
// How many ids there are, and how many of them are spoken for.

import CIOASID
import CIOASIDCore
import CIOASIDRuntime
import IOASIDMemory
import IOASIDRuntime
import Synchronization

/// Reservations of sets, ids of sets without quota, and what was held back by hand never exceed
/// the capacity together.
package enum Capacity {
    private static let total = Cell<UInt32>(1 << 20)
    private static let isInstalled = Cell<UInt32>(0)
    private static let taken = Cell<UInt32>(0)
    private static let heldBack = Cell<UInt32>(0)

    package static var value: UInt32 { total.value }
    package static var available: UInt32 { total.value &- taken.value }
    package static var heldBackByHand: UInt32 { heldBack.value }

    /// Makes the table of ids, of the default size if no other was asked for.
    @inline(__always)
    package static func prepare() throws(Refusal) {
        guard IDTable.capacity == 0 else { return }
        guard IDTable.prepare(capacity: total.value) else { throw .memory }
    }

    package static func install(_ capacity: UInt32) throws(Refusal) {
        guard capacity != 0 else { throw .argument }
        guard isInstalled.value == 0, IDTable.capacity == 0, taken.value == 0 else {
            throw Refusal(IOASID_REFUSED_BUSY, EBUSY)
        }
        guard IDTable.prepare(capacity: capacity) else { throw .memory }
        total.value = capacity
        isInstalled.value = 1
    }

    @inline(__always)
    package static func take(_ ids: UInt32) throws(Refusal) {
        guard ids <= available else { throw Refusal(IOASID_REFUSED_CAPACITY, ENOSPC) }
        taken.value = taken.value &+ ids
    }

    @inline(__always)
    package static func giveBack(_ ids: UInt32) { taken.value = taken.value &- ids }

    /// - Returns: how many were reserved; how many there are to reserve if none were asked for.
    package static func reserve(_ ids: UInt32) throws(Refusal) -> CInt {
        guard let count = CInt(exactly: ids) else { throw .argument }
        guard ids != 0 else { return CInt(clamping: available) }
        try take(ids)
        heldBack.value = heldBack.value &+ ids
        return count
    }

    /// - Returns: how many there are now to reserve.
    package static func cancel(_ ids: UInt32) throws(Refusal) -> CInt {
        guard ids <= heldBack.value else { throw .argument }
        heldBack.value = heldBack.value &- ids
        giveBack(ids)
        return CInt(clamping: available)
    }
}
