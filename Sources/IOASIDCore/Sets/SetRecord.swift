// SPDX-License-Identifier: MIT
// What is kept of a set: the part its users see, and the truth behind it.

import CIOASIDCore
import IOASIDMemory
import IOASIDRuntime
import Synchronization

package typealias SetNumber = RecordNumber<SetRecord>
package typealias SetRef = Ref<SetRecord>
extension SetNumber {
    /// No set: there are not as many.
    static var none: SetNumber { SetNumber(rawValue: .max) }
}

package typealias SetHandle = UnsafeMutablePointer<ioasid_set>

/// The record of a set, 128 bytes. What a user holds is the address of `seen`, the first field.
package struct SetRecord: ~Copyable {
    /// Written for users, never read back.
    var seen: ioasid_set
    /// Where a declared or lent set is, which is not in this record; 0 for others.
    let declared: Cell<UInt>
    let token: Cell<UInt>
    private let stateCell: Cell<UInt32>
    let references: Cell<UInt32>
    let tokenChain: Cell<UInt32>
    let declaredChain: Cell<UInt32>
    /// Counts the sets that had this record: tells one from the next.
    var generation: UInt32
    /// The set that was dying when this one began to (they nest), or the next one whose end was put
    /// off; as a link, the number plus one.
    var nextEnding: UInt32
    var type: UInt32
    var quota: UInt32
    /// Ids not reclaimed, pending ones included.
    private(set) var count: UInt32
    var active: MemberList
    var pending: MemberList
    /// In the order in which they are told.
    var subscribers: List<Subscriber>
    /// The creator's reference was dropped by ioasid_set_free().
    var isReleased: Bool
    var isPinned: Bool
    /// SET_FREE was sent.
    var isEndTold: Bool
    /// Its name, see `SetNames`; 0 for none.
    var name: UInt
    /// To a power of two: the way from a word to its set's address is a shift.
    private let padding: UInt64
}

extension SetRecord {
    // MARK: State

    /// Acquires, for look-ups without the lock.
    @inline(__always)
    package var state: cio_set_state { cio_set_state(rawValue: stateCell.acquire()) }

    /// Under the core lock. docs/architecture.md draws the life of a set.
    func become(_ next: cio_set_state) {
        #if IOASID_CHECKS
        check(SetRecord.mayGo(from: state, to: next), "a step of a set's life")
        #endif
        stateCell.release(next.rawValue)
    }

    #if IOASID_CHECKS
    static func mayGo(from state: cio_set_state, to next: cio_set_state) -> Bool {
        switch (state, next) {
        case (CIO_SET_UNUSED, CIO_SET_LIVE), (CIO_SET_LIVE, CIO_SET_DYING),
            (CIO_SET_DYING, CIO_SET_DEAD), (CIO_SET_DEAD, CIO_SET_UNUSED),
            (CIO_SET_UNUSED, CIO_SET_LENT), (CIO_SET_LENT, CIO_SET_UNUSED):
            true
        default: false
        }
    }
    #endif

    @inline(__always)
    var isLive: Bool { state.rawValue >= CIO_SET_LIVE.rawValue }

    /// Does it go when its last id does?
    var isLent: Bool { state == CIO_SET_LENT }

    // MARK: Counts

    /// What this set takes out of the capacity.
    var charge: UInt32 { quota != 0 ? quota : count }

    /// Changes how many ids there are, and lets the users see it.
    @inline(__always)
    mutating func setCount(_ count: UInt32) {
        self.count = count
        cio_store_int(&seen.nr_ioasids, Int32(truncatingIfNeeded: count))
    }

    mutating func setQuota(_ quota: UInt32) {
        self.quota = quota
        cio_store_int(&seen.quota, Int32(truncatingIfNeeded: quota))
    }
}
