// SPDX-License-Identifier: MIT
// Numbers that nobody is to get: the host's own, those of a guest that is on its way.

import CIOASIDCore
import IOASIDMemory
import IOASIDRuntime
import Synchronization

/// A number that is set aside is taken in the bitmap and is no id. So this needs no memory, parts of
/// a range can be given back, and an allocation does not know of it. It counts as used capacity.
package enum SetAside {
    private static let population = Cell<UInt32>(0)

    static var count: UInt32 { population.value }

    @inline(never)
    static func contains(_ id: ID) -> Bool {
        FlatIDs.isTaken(id.rawValue) && IDTable.incarnation(of: id) == nil
    }

    /// - Complexity: linear in the numbers of the range
    package static func add(_ range: IDRange) throws(RequestError) {
        guard !range.isEmpty else {
            throw reversed(range)
        }
        guard range.high < Quota.capacity else {
            throw RequestError(IOASID_REFUSED_RANGE, EINVAL).because(
                "the range is beyond the capacity", range)
        }
        try Quota.prepare()
        if let number = FlatIDs.nextTaken(from: range.low), number <= range.high {
            let id = ID(rawValue: number)
            guard contains(id) else {
                throw RequestError.busy.because("a number of the range is in use", range, id)
            }
            throw RequestError.exists.because("a number of the range is set aside", range, id)
        }
        try Quota.take(range.count)
        forEach(range) { FlatIDs.setAside($0) }
        population.value = population.value &+ range.count
    }

    /// Gives numbers back; all of them, or none if one is not set aside.
    @inline(never)
    package static func remove(_ range: IDRange) throws(RequestError) {
        guard !range.isEmpty else {
            throw reversed(range)
        }
        guard let first = next(from: range.low), first.low == range.low, first.high >= range.high
        else {
            throw RequestError.argument.because("a number of the range is not set aside", range)
        }
        forEach(range) { FlatIDs.restore($0) }
        population.value = population.value &- range.count
        Quota.giveBack(range.count)
    }

    static func removeAll() {
        while let range = next(from: 0) { try? remove(range) }
    }

    /// - Returns: the first run of numbers set aside, at or after this one.
    @inline(never)
    package static func next(from number: UInt32) -> IDRange? {
        guard count != 0, var low = FlatIDs.nextTaken(from: number) else { return nil }
        while !contains(ID(rawValue: low)) {
            guard let next = FlatIDs.nextTaken(from: low &+ 1) else { return nil }
            low = next
        }
        var high = low
        while contains(ID(rawValue: high &+ 1)) { high &+= 1 }
        return IDRange(low, through: high)
    }

    static func forEachRange(_ body: (IDRange) -> Void) {
        var range = next(from: 0)
        while let one = range {
            body(one)
            range = next(from: one.high &+ 1)
        }
    }

    private static func reversed(_ range: IDRange) -> RequestError {
        RequestError(IOASID_REFUSED_RANGE, EINVAL).because("the range is reversed", range)
    }

    private static func forEach(_ range: IDRange, _ body: (UInt32) -> Void) {
        var number = range.low
        while number <= range.high {
            body(number)
            number &+= 1
        }
    }
}
