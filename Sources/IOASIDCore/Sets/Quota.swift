// SPDX-License-Identifier: MIT
// How many ids there may be: the capacity, what sets reserve of it, and what is held back by hand.

import CIOASIDCore
import IOASIDMemory
import IOASIDRuntime
import Synchronization

/// Reservations of sets, ids of sets without quota, and what was held back by hand never exceed
/// the capacity together.
package enum Quota {
    private static var standard: UInt32 { 1 << 20 }
    private static let total = Cell<UInt32>(standard)
    private static let taken = Cell<UInt32>(0)
    private static let heldBack = Cell<UInt32>(0)

    package static var capacity: UInt32 { total.value }
    @inline(__always)
    static var available: UInt32 { total.value &- taken.value }
    static var heldBackByHand: UInt32 { heldBack.value }

    // MARK: The capacity

    /// Makes the table of ids, of the default size if no other was asked for.
    static func prepare() throws(RequestError) {
        guard IDTable.capacity == 0 else { return }
        guard IDTable.prepare(capacity: total.value) else { throw .memory }
    }

    package static func install(_ capacity: UInt32) throws(RequestError) {
        guard capacity != 0 else { throw .argument }
        // Every id is counted, by itself or with its set's quota.
        guard taken.value == 0 else {
            throw RequestError.busy.because(
                "the capacity is in use", asked: capacity, available: taken.value)
        }
        guard IDTable.prepare(capacity: capacity) else { throw .memory }
        total.value = capacity
    }

    /// As nobody had installed a capacity, and reserved nothing. There are no ids.
    static func reset() {
        giveBack(heldBack.value)
        heldBack.value = 0
        IDTable.discard()
        total.value = standard
    }

    @inline(__always)
    static func take(_ ids: UInt32, _ set: SetRef? = nil) throws(RequestError) {
        guard ids <= available else { throw .capacity(ids, set) }
        taken.value = taken.value &+ ids
    }

    @inline(__always)
    static func giveBack(_ ids: UInt32) { taken.value = taken.value &- ids }

    // MARK: Of sets

    /// Counts an id in, within the quota, or the capacity for sets that have none.
    @inline(__always)
    static func charge(_ set: SetRef) throws(RequestError) {
        let count = set.pointee.count
        if set.pointee.quota == 0 {
            try take(1, set)
        } else if count >= set.pointee.quota {
            throw .quota(set)
        }
        set.pointee.setCount(count &+ 1)
    }

    /// Counts an id out.
    @inline(__always)
    static func uncharge(_ set: SetRef) {
        set.pointee.setCount(set.pointee.count &- 1)
        if set.pointee.quota == 0 { giveBack(1) }
    }

    /// Changes a quota. What the set has must fit.
    static func adjust(_ set: SetRef, _ quota: UInt32) throws(RequestError) {
        guard quota >= set.pointee.count else {
            throw RequestError.argument.because(
                "the set has more ids than that", SetTable.number(of: set),
                asked: quota, available: set.pointee.count)
        }
        let charge = set.pointee.charge
        if quota > charge {
            try take(quota &- charge, set)
        } else {
            giveBack(charge &- quota)
        }
        set.pointee.setQuota(quota)
    }

    // MARK: By hand

    /// - Returns: how many were reserved; how many there are to reserve if none were asked for.
    package static func reserve(_ ids: UInt32) throws(RequestError) -> CInt {
        guard let count = CInt(exactly: ids) else {
            throw RequestError.argument.because("more than INT_MAX", asked: ids, available: .max)
        }
        guard ids != 0 else { return CInt(clamping: available) }
        try take(ids)
        heldBack.value = heldBack.value &+ ids
        return count
    }

    /// - Returns: how many there are now to reserve.
    package static func cancel(_ ids: UInt32) throws(RequestError) -> CInt {
        guard ids <= heldBack.value else {
            throw RequestError.argument.because(
                "fewer ids are reserved", asked: ids, available: heldBack.value)
        }
        heldBack.value = heldBack.value &- ids
        giveBack(ids)
        return CInt(clamping: available)
    }
}

/// Counters of ids, changed with the core lock held.
package enum Population {
    package static var live: UInt64 { IDTable.allocations &- reclaims.value }
    package static let pending = Cell<UInt64>(0)
    package static let reclaims = Cell<UInt64>(0)
}
