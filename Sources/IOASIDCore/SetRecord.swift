// SPDX-License-Identifier: MIT
// What is kept of a set: the part its users see, and the truth behind it.

import CIOASID
import CIOASIDCore
import CIOASIDRuntime
import IOASIDMemory
import IOASIDRuntime
import Synchronization

/// Life of a set. A zeroed record is unused.
package enum SetState {
    package static var unused: UInt32 { 0 }
    package static var live: UInt32 { 1 }
    /// The last reference is gone; its ids are being freed.
    package static var dying: UInt32 { 2 }
    /// Gone for its users; the record stays until the last id is reclaimed.
    package static var dead: UInt32 { 3 }
}

/// Ids of a set in one state, linked through their entries in the order they came.
package struct IDList {
    package var first: UInt32
    package var last: UInt32

    package static var empty: IDList { IDList(first: noID, last: noID) }

    @inline(__always)
    package mutating func append(_ id: UInt32, _ links: UnsafeMutablePointer<Links>) {
        links.pointee.previous = last
        links.pointee.next = noID
        if last == noID {
            first = id
        } else {
            IDTable.links(last)?.pointee.next = id
        }
        last = id
    }

    @inline(__always)
    package mutating func remove(_ links: UnsafeMutablePointer<Links>) {
        let previous = links.pointee.previous
        let next = links.pointee.next
        if previous == noID {
            first = next
        } else {
            IDTable.links(previous)?.pointee.next = next
        }
        if next == noID {
            last = previous
        } else {
            IDTable.links(next)?.pointee.previous = previous
        }
    }
}

/// The record of a set. What a user holds is the address of `seen`, the first field.
package struct SetRecord: ~Copyable {
    /// Written for users, never read back.
    package var seen: ioasid_set
    /// Where a declared set is, which is not in this record; 0 for others.
    package let declared: Cell<UInt>
    package let state: Cell<UInt32>
    package let references: Cell<UInt32>
    package let token: Cell<UInt>
    package let tokenChain: Cell<UInt32>
    /// The set that was dying when this one began to: they nest.
    package var nextDying: UInt32
    package let declaredChain: Cell<UInt32>
    package var type: UInt32
    package var quota: UInt32
    /// Ids not reclaimed, pending ones included.
    package var count: UInt32
    package var active: IDList
    package var pending: IDList
    /// Subscribers, highest priority first.
    package var subscribers: UnsafeMutablePointer<Subscriber>?
    /// The creator's reference was dropped by ioasid_set_free().
    package var isReleased: Bool
    package var isPinned: Bool
}

extension SetRecord {
    /// What this set takes out of the capacity.
    package var charge: UInt32 { quota != 0 ? quota : count }

    /// Changes how many ids there are, and lets the users see it.
    @inline(__always)
    package mutating func setCount(_ count: UInt32) {
        self.count = count
        cio_store_int(&seen.nr_ioasids, Int32(truncatingIfNeeded: count))
    }

    package mutating func setQuota(_ quota: UInt32) {
        self.quota = quota
        cio_store_int(&seen.quota, Int32(truncatingIfNeeded: quota))
    }
}
