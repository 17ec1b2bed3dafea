// SPDX-License-Identifier: MIT
// Custom allocators: who picks the ids, and who gets them back.

import CIOASID
import CIOASIDCore
import CIOASIDRuntime
import IOASIDMemory
import IOASIDRuntime
import Synchronization

package typealias AllocatorOps = UnsafeMutablePointer<ioasid_allocator_ops>

/// One registered allocator.
package struct Sharer: ~Copyable {
    package var ops: AllocatorOps
    package var next: UnsafeMutablePointer<Sharer>?
}

/// Allocators with the same two functions: they share one space of ids. Outlives its last sharer
/// while it has ids, so that these can still be freed.
package struct AllocatorGroup: ~Copyable {
    package var alloc: ioasid_alloc_fn_t
    package var free: ioasid_free_fn_t
    package var sharers: UnsafeMutablePointer<Sharer>?
    /// Ids in use, and requests under way.
    package var uses: UInt32
    package var next: UnsafeMutablePointer<AllocatorGroup>?
}

package enum Allocators {
    package typealias Group = UnsafeMutablePointer<AllocatorGroup>

    /// In order of registration; the first one that has a sharer is active.
    nonisolated(unsafe) private static var groups: Group?

    /// Who picks ids; nil for the default allocator.
    @inline(__always)
    package static var active: Group? {
        var group = groups
        while let one = group, one.pointee.sharers == nil { group = one.pointee.next }
        return group
    }

    package static func register(_ ops: AllocatorOps?) throws(Refusal) {
        guard let ops, let alloc = ops.pointee.alloc, let free = ops.pointee.free else {
            throw .argument
        }
        guard find(ops) == nil else { throw .exists }
        guard active != nil || Population.live == UInt64(CustomIDs.number) else {
            throw Refusal(IOASID_REFUSED_BUSY, EAGAIN)
        }
        guard let sharer = Memory.allocate(Sharer.self) else { throw .memory }
        guard let group = findGroup(alloc, free) ?? makeGroup(alloc, free) else {
            Memory.free(sharer)
            throw .memory
        }
        // Orphans have lost their turn.
        if group.pointee.sharers == nil {
            unlink(group)
            append(group)
        }
        sharer.initialize(to: Sharer(ops: ops, next: nil))
        var place: UnsafeMutablePointer<UnsafeMutablePointer<Sharer>?> =
            stable(&group.pointee.sharers)
        while let other = place.pointee { place = stable(&other.pointee.next) }
        place.pointee = sharer
    }

    package static func unregister(_ ops: AllocatorOps?) throws(Refusal) {
        guard let ops, let (group, place) = find(ops), let sharer = place.pointee else {
            throw .unknown(ENOENT)
        }
        place.pointee = sharer.pointee.next
        Memory.free(sharer)
        let isOrphaned = group.pointee.sharers == nil && group.pointee.uses != 0
        destroyIfUnused(group)
        // Last: a log sink may free the last of these ids, and the group with it.
        if isOrphaned { Log.warn("allocator unregistered with ids in use; they stay until freed") }
    }

    /// Asks the active allocator for an id and makes its entry. What cannot be used is handed back.
    package static func place(
        _ low: UInt32, _ high: UInt32, _ group: Group, _ set: UInt32
    ) throws(Refusal) -> (UInt32, Entry) {
        guard CustomIDs.prepare(), let sharer = group.pointee.sharers else { throw .memory }
        let data = sharer.pointee.ops.pointee.pdata
        // It may unregister itself meanwhile.
        group.pointee.uses &+= 1
        let id = group.pointee.alloc(low, high, data)
        do throws(Refusal) {
            return (id, try accept(id, low, high, group, set))
        } catch {
            // A live id of its own, handed out again, must stay what it is.
            if id != noID, CustomIDs.group(id) != group {
                takeBack(id, group)
            } else {
                drop(group)
            }
            throw error
        }
    }

    private static func accept(
        _ id: UInt32, _ low: UInt32, _ high: UInt32, _ group: Group, _ set: UInt32
    ) throws(Refusal) -> Entry {
        guard id != noID, id >= low, id <= high, IDTable.life(id) == nil else {
            throw Refusal(IOASID_REFUSED_ALLOCATOR, ENOSPC)
        }
        guard SetTable[set].pointee.state.value == SetState.live else { throw .noSet }
        guard let entry = CustomIDs.occupy(id, group) else { throw .memory }
        return entry
    }

    /// An id is out of the table: its allocator may have it, whichever sharer that is now.
    package static func takeBack(_ id: UInt32, _ group: Group) {
        if let sharer = group.pointee.sharers {
            group.pointee.free(id, sharer.pointee.ops.pointee.pdata)
        }
        drop(group)
    }

    // MARK: The groups

    /// A use of the group is over.
    private static func drop(_ group: Group) {
        group.pointee.uses &-= 1
        destroyIfUnused(group)
    }

    private typealias SharerPlace = UnsafeMutablePointer<UnsafeMutablePointer<Sharer>?>

    /// - Returns: the group of an allocator, and where on its list it is.
    private static func find(_ ops: AllocatorOps) -> (Group, SharerPlace)? {
        var group = groups
        while let one = group {
            var place: SharerPlace = stable(&one.pointee.sharers)
            while let sharer = place.pointee {
                if sharer.pointee.ops == ops { return (one, place) }
                place = stable(&sharer.pointee.next)
            }
            group = one.pointee.next
        }
        return nil
    }

    private static func findGroup(
        _ alloc: ioasid_alloc_fn_t, _ free: ioasid_free_fn_t
    ) -> Group? {
        var group = groups
        while let one = group {
            if address(one.pointee.alloc) == address(alloc),
                address(one.pointee.free) == address(free) { return one }
            group = one.pointee.next
        }
        return nil
    }

    private static func address(_ function: ioasid_alloc_fn_t) -> UInt {
        unsafeBitCast(function, to: UInt.self)
    }

    private static func address(_ function: ioasid_free_fn_t) -> UInt {
        unsafeBitCast(function, to: UInt.self)
    }

    private static func makeGroup(
        _ alloc: ioasid_alloc_fn_t, _ free: ioasid_free_fn_t
    ) -> Group? {
        guard let new = Memory.allocate(AllocatorGroup.self) else { return nil }
        new.initialize(
            to: AllocatorGroup(alloc: alloc, free: free, sharers: nil, uses: 0, next: nil))
        append(new)
        return new
    }

    private static func destroyIfUnused(_ group: Group) {
        guard group.pointee.sharers == nil, group.pointee.uses == 0 else { return }
        unlink(group)
        Memory.free(group)
    }

    private static func append(_ group: Group) {
        var place: UnsafeMutablePointer<Group?> = stable(&groups)
        while let other = place.pointee { place = stable(&other.pointee.next) }
        group.pointee.next = nil
        place.pointee = group
    }

    private static func unlink(_ group: Group) {
        var place: UnsafeMutablePointer<Group?> = stable(&groups)
        while let other = place.pointee, other != group { place = stable(&other.pointee.next) }
        if place.pointee == group { place.pointee = group.pointee.next }
    }
}
