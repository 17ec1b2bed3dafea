// SPDX-License-Identifier: MIT
// Custom allocators: which are registered, and which of them picks ids. Nothing here calls them.

import CIOASIDCore
import IOASIDMemory
import IOASIDRuntime

package typealias AllocatorOps = UnsafeMutablePointer<ioasid_allocator_ops>

/// One registered allocator.
struct Allocator: ~Copyable, Listed {
    var next: Ref<Allocator>?
    let ops: AllocatorOps
}

/// Allocators with the same two functions: they share one space of ids. Outlives its last allocator
/// while it has ids, so that these can still be freed.
package struct AllocatorGroup: ~Copyable, Listed {
    package var next: Ref<AllocatorGroup>?
    let alloc: ioasid_alloc_fn_t
    let free: ioasid_free_fn_t
    var allocators = List<Allocator>()
    /// Ids in use, and requests under way.
    var uses: UInt32 = 0

    /// Of the function, for people.
    var address: UInt { unsafeBitCast(alloc, to: UInt.self) }

    func has(_ alloc: ioasid_alloc_fn_t, _ free: ioasid_free_fn_t) -> Bool {
        unsafeBitCast(self.alloc, to: UInt.self) == unsafeBitCast(alloc, to: UInt.self)
            && unsafeBitCast(self.free, to: UInt.self) == unsafeBitCast(free, to: UInt.self)
    }
}

package enum Allocators {
    /// In order of registration.
    nonisolated(unsafe) private static var groups = List<AllocatorGroup>()

    /// Groups are there as long as they have allocators, or ids.
    private static func note() { Attention.set(Attention.custom, !groups.isEmpty) }

    /// Who picks ids: the first group that has an allocator; nil for the default allocator.
    @inline(__always)
    static var active: Ref<AllocatorGroup>? {
        groups.isEmpty ? nil : groups.find { !$0.pointee.allocators.isEmpty }
    }

    package static func register(_ ops: AllocatorOps?) throws(RequestError) {
        guard let ops, let alloc = ops.pointee.alloc, let free = ops.pointee.free else {
            throw .argument
        }
        guard find(ops) == nil else {
            throw RequestError.exists.because(
                "the allocator is registered", ops)
        }
        guard active != nil || Population.live == UInt64(IDTable.customCount) else {
            throw RequestError(IOASID_REFUSED_BUSY, EAGAIN).because(
                "the default allocator has ids out",
                available: UInt32(truncatingIfNeeded: Population.live) &- IDTable.customCount)
        }
        guard let allocator = Memory.make(Allocator(next: nil, ops: ops)) else { throw .memory }
        guard let group = groups.find({ $0.pointee.has(alloc, free) }) ?? makeGroup(alloc, free)
        else {
            Memory.free(allocator)
            throw .memory
        }
        // A group without allocators has lost its turn.
        if group.pointee.allocators.isEmpty {
            groups.remove(group)
            groups.append(group)
        }
        group.pointee.allocators.append(allocator)
    }

    /// - Returns: whether it was the last of its group, and ids of theirs are in use.
    package static func unregister(_ ops: AllocatorOps?) throws(RequestError) -> Bool {
        guard let ops, let (group, allocator) = find(ops) else {
            throw RequestError.unknown(ENOENT).because(
                "no such allocator", ops)
        }
        group.pointee.allocators.remove(allocator)
        Memory.free(allocator)
        let leavesIDs = group.pointee.allocators.isEmpty && group.pointee.uses != 0
        destroyIfUnused(group)
        return leavesIDs
    }

    /// Groups whose ids are in use stay until these are gone.
    static func unregisterAll() {
        groups.forEach { group in
            while let allocator = group.pointee.allocators.first {
                group.pointee.allocators.remove(allocator)
                Memory.free(allocator)
            }
            destroyIfUnused(group)
        }
    }

    /// Registered ones, for the dump.
    static var count: UInt32 {
        var count: UInt32 = 0
        forEach { _, _, _ in count &+= 1 }
        return count
    }

    @inline(never)
    static func forEach(_ body: (AllocatorOps, UInt, UInt32) -> Void) {
        groups.forEach { group in
            group.pointee.allocators.forEach {
                body($0.pointee.ops, group.pointee.address, group.pointee.uses)
            }
        }
    }

    // MARK: Uses of a group

    /// One more use: the group stays, whoever leaves it.
    static func retain(_ group: Ref<AllocatorGroup>) { group.pointee.uses &+= 1 }

    static func release(_ group: Ref<AllocatorGroup>) {
        group.pointee.uses &-= 1
        destroyIfUnused(group)
    }

    // MARK: Groups

    private static func find(_ ops: AllocatorOps) -> (Ref<AllocatorGroup>, Ref<Allocator>)? {
        var found: Ref<Allocator>?
        let group = groups.find {
            found = $0.pointee.allocators.find { $0.pointee.ops == ops }
            return found != nil
        }
        guard let group, let found else { return nil }
        return (group, found)
    }

    private static func makeGroup(
        _ alloc: ioasid_alloc_fn_t, _ free: ioasid_free_fn_t
    ) -> Ref<AllocatorGroup>? {
        guard let new = Memory.make(AllocatorGroup(next: nil, alloc: alloc, free: free)) else {
            return nil
        }
        groups.append(new)
        note()
        return new
    }

    private static func destroyIfUnused(_ group: Ref<AllocatorGroup>) {
        guard group.pointee.allocators.isEmpty, group.pointee.uses == 0 else { return }
        groups.remove(group)
        note()
        Memory.free(group)
    }
}
