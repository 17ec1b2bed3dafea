// SPDX-License-Identifier: MIT
// All sets: found by number, by the pointer a user holds, or by token. No pointer is followed on trust.

import CIOASIDCore
import IOASIDMemory
import IOASIDRuntime
import Synchronization

package enum SetTable {
    /// The set of those who pass NULL: always there, no quota.
    @inline(__always)
    package static var system: SetNumber { SetNumber(rawValue: 0) }

    static let records = Region<SetRecord>(chunkShift: 9)
    private static let taken = IDBitmap()
    private static let cursor = Cell<UInt32>(0)
    private static let uses = Cell<UInt32>(0)
    /// Is the system set there?
    private static let isReady = Cell<UInt32>(0)

    /// - Returns: false for want of memory.
    package static func prepare() -> Bool {
        guard isReady.value == 0 else { return true }
        // What there is after a failure is there for the next attempt.
        guard SetTokens.prepare(), DeclaredSets.prepare(),
            taken.capacity != 0 || taken.prepare(capacity: SlotWord.setLimit),
            records.capacity != 0 || records.prepare(capacity: SlotWord.setLimit),
            taken.isTaken(system.rawValue)
                || taken.takeLowest(from: system.rawValue, through: system.rawValue) != nil,
            begin(system)
        else { return false }
        self[system].pointee.become(CIO_SET_LIVE)
        isReady.release(1)
        return true
    }

    /// The record of a number below the limit; unused records read as zero.
    @inline(__always)
    package static subscript(set: SetNumber) -> SetRef { records[set] }

    // MARK: Pointers of users

    /// The pointer that users of a set hold; nil for the system set.
    package static func handle(_ set: SetNumber) -> SetHandle? {
        guard set != system else { return nil }
        let declared = self[set].pointee.declared.value
        return SetHandle(bitPattern: declared != 0 ? declared : self[set].address)
    }

    /// Is this the pointer that users of the set hold? The system set has none. Looks at no memory
    /// but the set's own.
    @inline(__always)
    package static func isHandle(_ handle: SetHandle, of set: SetNumber) -> Bool {
        let address = UInt(bitPattern: handle)
        let record = self[set]
        return set != system
            && (address == record.address || address == record.pointee.declared.value)
    }

    /// Does a pointer lead to the records, whether to a set or not?
    static func isOfRecords(_ handle: SetHandle) -> Bool {
        if case .outside = records.lookUp(UInt(bitPattern: handle)) { false } else { true }
    }

    /// - Returns: the live set that a user means; nil if it is none.
    /// - Complexity: O(1), no lock
    @inline(__always)
    package static func find(_ handle: SetHandle?) -> SetRef? {
        guard let handle else { return isReady.acquire() != 0 ? self[system] : nil }
        guard let set = record(handle), set.pointee.isLive else { return nil }
        return set
    }

    /// The same, but a set that is dying will do: it has subscribers until its ids are freed.
    static func findListed(_ handle: SetHandle) -> SetNumber? {
        guard let set = record(handle) else { return nil }
        let state = set.pointee.state
        return set.pointee.isLive || state == CIO_SET_DYING ? number(of: set) : nil
    }

    /// Is it a live set that somebody created: not the system set, and not a declared one?
    static func isOwned(_ set: SetNumber) -> Bool {
        set != system && self[set].pointee.declared.value == 0 && self[set].pointee.isLive
    }

    /// - Returns: the record that a user's pointer leads to, in whatever state.
    @inline(__always)
    private static func record(_ handle: SetHandle) -> SetRef? {
        switch records.lookUp(UInt(bitPattern: handle)) {
        case .record(let set): set == self[system] ? nil : set
        case .inside: nil
        case .outside: DeclaredSets.find(UInt(bitPattern: handle)).map { self[$0] }
        }
    }

    @inline(__always)
    static func number(of set: SetRef) -> SetNumber { records.number(of: set) }

    // MARK: Records

    /// Takes an unused record. Numbers are reused as late as possible, for the sake of those who
    /// still hold the pointer of a set that is gone.
    static func take() throws(RequestError) -> SetNumber {
        let last = SlotWord.setLimit &- 1
        guard
            let number = taken.takeLowest(from: cursor.value, through: last)
                ?? taken.takeLowest(from: 0, through: last)
        else {
            throw .tooManySets
        }
        let set = SetNumber(rawValue: number)
        guard begin(set) else {
            taken.release(number)
            throw .memory
        }
        cursor.value = number &+ 1
        return set
    }

    private static func begin(_ set: SetNumber) -> Bool {
        guard records.occupy(set) else { return false }
        uses.increment()
        self[set].pointee.generation &+= 1
        self[set].pointee.active = .empty
        self[set].pointee.pending = .empty
        return true
    }

    static func release(_ set: SetNumber) {
        let record = self[set]
        if record.pointee.name != 0 { SetNames.forget(set) }
        record.pointee.become(CIO_SET_UNUSED)
        // LeakSanitizer looks here: a token that nobody else has would pass for reachable. No index
        // has the set any more, and nobody reads a token without the lock. The address of a lent set
        // is read without (`handle`, `isHandle`): it stays.
        record.pointee.token.value = 0
        record.pointee.seen.token = nil
        taken.release(set.rawValue)
        uses.decrement()
        records.vacate(set)
    }

    /// Records in use: the system set, live and dead ones.
    static var count: UInt32 { uses.value }

    /// - Returns: the first set at or after this one that is in use, dead ones included.
    static func next(from set: SetNumber) -> SetNumber? {
        taken.lowestTaken(from: set.rawValue).map { SetNumber(rawValue: $0) }
    }

    /// Visits every set in use, dead ones included, in the order of their numbers.
    static func forEach(_ body: (SetNumber) -> Void) {
        var next = count == 0 ? nil : next(from: system)
        while let set = next {
            body(set)
            next = self.next(from: set.next)
        }
    }
}

/// One life of a set: after handlers ran, its record may be another set's.
struct SetIncarnation {
    let set: SetNumber
    private let generation: UInt32

    init(_ set: SetNumber) {
        self.set = set
        generation = SetTable[set].pointee.generation
    }

    var record: SetRef { SetTable[set] }

    /// Is the set still the one it was, and not dead?
    var isCurrent: Bool {
        let state = record.pointee.state
        return record.pointee.generation == generation
            && (record.pointee.isLive || state == CIO_SET_DYING)
    }

    var isLive: Bool { isCurrent && record.pointee.isLive }

    /// Is anything left of it, its ids that others hold included?
    var isThere: Bool {
        record.pointee.generation == generation && record.pointee.state != CIO_SET_UNUSED
    }
}
