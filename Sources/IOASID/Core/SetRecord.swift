// SPDX-License-Identifier: MIT
// What is kept of a set: the part its users see, and the truth behind it.

import CIOASID
import Synchronization

/// Life of a set. A zeroed record is unused.
enum SetState {
    static var unused: UInt32 { 0 }
    static var live: UInt32 { 1 }
    /// The last reference is gone; its ids are being freed.
    static var dying: UInt32 { 2 }
    /// Gone for its users; the record stays until the last id is reclaimed.
    static var dead: UInt32 { 3 }
}

/// Ids of a set in one state, linked through their entries in the order they came.
struct IDList {
    var first: UInt32
    var last: UInt32

    static var empty: IDList { IDList(first: noID, last: noID) }

    @inline(__always)
    mutating func append(_ id: UInt32, _ links: UnsafeMutablePointer<Links>) {
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
    mutating func remove(_ links: UnsafeMutablePointer<Links>) {
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
struct SetRecord: ~Copyable {
    /// Written for users, never read back.
    var seen: ioasid_set
    /// Where a declared set is, which is not in this record; 0 for others.
    let declared: Cell<UInt>
    let state: Cell<UInt32>
    let references: Cell<UInt32>
    let token: Cell<UInt>
    let tokenChain: Cell<UInt32>
    /// The set that was dying when this one began to: they nest.
    var nextDying: UInt32
    let declaredChain: Cell<UInt32>
    var type: UInt32
    var quota: UInt32
    /// Ids not reclaimed, pending ones included.
    var count: UInt32
    var active: IDList
    var pending: IDList
    /// Subscribers, highest priority first.
    var subscribers: UnsafeMutablePointer<Subscriber>?
    /// The creator's reference was dropped by ioasid_set_free().
    var isReleased: Bool
    var isPinned: Bool
}

extension SetRecord {
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
