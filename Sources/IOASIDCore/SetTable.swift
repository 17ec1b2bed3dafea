// SPDX-License-Identifier: MIT
// All sets: found by number, by the pointer a user holds, or by token. No pointer is followed on trust.

import CIOASID
import CIOASIDCore
import CIOASIDRuntime
import IOASIDMemory
import IOASIDRuntime
import Synchronization

package typealias SetHandle = UnsafeMutablePointer<ioasid_set>

package enum SetTable {
    /// The set of those who pass NULL: always there, no quota.
    package static let system: UInt32 = 0

    private static let records = Region(recordShift: 9, byteShift: 16)
    private static let taken = IDBitmap()
    private static let cursor = Cell<UInt32>(0)
    private static let uses = Cell<UInt32>(0)
    /// Is the system set there?
    private static let isReady = Cell<UInt32>(0)
    package static let tokens = HashIndex<SetTokens>()
    package static let declared = HashIndex<DeclaredSets>()
    package static let dying = DyingSets()

    /// - Returns: false for want of memory.
    package static func prepare() -> Bool {
        guard isReady.value == 0 else { return true }
        // What there is after a failure is there for the next attempt.
        guard tokens.prepare(), declared.prepare(),
            taken.capacity != 0 || taken.prepare(capacity: SlotWord.setLimit),
            records.capacity != 0 || records.prepare(capacity: SlotWord.setLimit),
            occupy(system)
        else { return false }
        self[system].pointee.state.value = SetState.live
        isReady.release(1)
        return true
    }

    /// The record of a number below the limit; unused records read as zero.
    @inline(__always)
    package static subscript(set: UInt32) -> UnsafeMutablePointer<SetRecord> {
        UnsafeMutablePointer(bitPattern: records.base &+ UInt(set) &<< 7).unsafelyUnwrapped
    }

    /// The pointer that users of a set hold; nil for the system set.
    package static func handle(_ set: UInt32) -> SetHandle? {
        guard set != system else { return nil }
        let declared = self[set].pointee.declared.value
        return SetHandle(bitPattern: declared != 0 ? declared : UInt(bitPattern: self[set]))
    }

    /// Is this the pointer that users of the set hold? Looks at no memory but the set's own.
    @inline(__always)
    package static func isHandle(_ handle: SetHandle?, of set: UInt32) -> Bool {
        let address = UInt(bitPattern: handle)
        return address == UInt(bitPattern: self[set])
            || address != 0 && address == self[set].pointee.declared.value
    }

    /// - Returns: the number of the live set that a user means; nil if it is none.
    /// - Complexity: O(1), no lock
    @inline(__always)
    package static func find(_ handle: SetHandle?) -> UInt32? {
        guard let set = number(handle), self[set].pointee.state.acquire() == SetState.live else {
            return nil
        }
        return set
    }

    /// The same, but a set that is dying will do: it has subscribers until its ids are freed.
    package static func findListed(_ handle: SetHandle?) -> UInt32? {
        guard let set = number(handle) else { return nil }
        let state = self[set].pointee.state.value
        return state == SetState.live || state == SetState.dying ? set : nil
    }

    /// - Returns: the number of the record that a user's pointer leads to, in whatever state.
    @inline(__always)
    private static func number(_ handle: SetHandle?) -> UInt32? {
        guard let handle else { return isReady.acquire() != 0 ? system : nil }
        let address = UInt(bitPattern: handle)
        let offset = address &- records.base
        let set: UInt32
        if offset < UInt(records.capacity) &<< 7 {
            set = UInt32(truncatingIfNeeded: offset &>> 7)
            // The system set has no pointer that users could hold.
            guard offset & 0x7f == 0, set != system else { return nil }
        } else {
            guard let found = DeclaredSets.find(address) else { return nil }
            set = found
        }
        return set
    }

    /// Takes an unused record. Numbers are reused as late as possible, for the sake of those who
    /// still hold the pointer of a set that is gone.
    package static func occupy() throws(Refusal) -> UInt32 {
        let last = SlotWord.setLimit &- 1
        guard let set = taken.lowestFree(from: cursor.value, through: last)
            ?? taken.lowestFree(from: 0, through: last)
        else { throw Refusal(IOASID_REFUSED_CAPACITY, ENOSPC) }
        guard occupy(set) else { throw .memory }
        cursor.value = set &+ 1
        return set
    }

    private static func occupy(_ set: UInt32) -> Bool {
        guard records.occupy(set) else { return false }
        taken.take(set)
        uses.increment()
        self[set].pointee.active = .empty
        self[set].pointee.pending = .empty
        return true
    }

    package static func vacate(_ set: UInt32) {
        self[set].pointee.state.release(SetState.unused)
        taken.release(set)
        uses.decrement()
        records.vacate(set)
    }

    /// Records in use: the system set, live and dead ones.
    package static var count: UInt32 { uses.value }

    /// - Returns: the first set at or after this one that is in use, dead ones included.
    package static func next(from set: UInt32) -> UInt32? { taken.lowestTaken(from: set) }
}

/// Live sets by type and token.
package enum SetTokens: IndexedRecords {
    package static func find(_ token: UInt, _ type: UInt32) -> UInt32? {
        SetTable.tokens.find(hash(token, type)) {
            SetTable[$0].pointee.token.value == token && SetTable[$0].pointee.type == type
        }
    }

    private static func hash(_ token: UInt, _ type: UInt32) -> UInt32 {
        hashAddress(token) &+ type
    }

    package static func hash(_ set: UInt32) -> UInt32 {
        hash(SetTable[set].pointee.token.value, SetTable[set].pointee.type)
    }
    package static func next(_ set: UInt32) -> UInt32 { SetTable[set].pointee.tokenChain.acquire() }
    package static func setNext(_ set: UInt32, _ link: UInt32) {
        SetTable[set].pointee.tokenChain.value = link
    }
}

/// Declared sets by address. Once adopted they are never given up.
package enum DeclaredSets: IndexedRecords {
    @inline(never)
    package static func find(_ address: UInt) -> UInt32? {
        SetTable.declared.find(hashAddress(address)) {
            SetTable[$0].pointee.declared.value == address
        }
    }

    package static func hash(_ set: UInt32) -> UInt32 {
        hashAddress(SetTable[set].pointee.declared.value)
    }
    package static func next(_ set: UInt32) -> UInt32 { SetTable[set].pointee.declaredChain.acquire() }
    package static func setNext(_ set: UInt32, _ link: UInt32) {
        SetTable[set].pointee.declaredChain.value = link
    }
}

/// Spreads addresses, whose low bits say little.
package func hashAddress(_ address: UInt) -> UInt32 {
    UInt32(truncatingIfNeeded: (UInt64(address) &* 0x9e37_79b9_7f4a_7c15) &>> 32)
}

/// Sets whose ids are being freed, the latest first. A handler may end another set meanwhile.
package struct DyingSets: ~Copyable {
    /// As a link: the number plus one.
    private let first = Cell<UInt32>(0)

    package init() {}

    package func push(_ set: UInt32) {
        SetTable[set].pointee.nextDying = first.value
        first.value = set &+ 1
    }

    package func pop() { first.value = SetTable[first.value &- 1].pointee.nextDying }

    /// - Returns: the subscription of a block to one of them by this mm, and the list it is on.
    package func subscriber(_ block: Block?, _ mm: UInt) -> (SubscriberPointer, SubscriberList)? {
        var link = first.value
        while link != 0 {
            let list = Subscribers.of(link &- 1)
            if let one = Subscribers.find(block, mm, in: list) { return (one, list) }
            link = SetTable[link &- 1].pointee.nextDying
        }
        return nil
    }
}
