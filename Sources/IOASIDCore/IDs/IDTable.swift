// SPDX-License-Identifier: MIT
// The one door to the ids: who looks for one need not know where it lives.

import CIOASIDMemory
import IOASIDMemory
import IOASIDRuntime
import Synchronization

/// The one namespace of ids. Who allocated an id decides where it lives: the default allocator's
/// ids are numbers below the capacity and index the flat table; a custom allocator's may be any
/// number, and have a record of their own. A number is in use at most once.
package enum IDTable {
    private static let births = Cell<UInt64>(0)

    package static var capacity: UInt32 { FlatIDs.capacity }

    /// How many ids have a record of their own.
    static var customCount: UInt32 { CustomIDs.count }

    /// Different in each process, and the same for as long as there are ids.
    static var seed: UInt32 { UInt32(truncatingIfNeeded: FlatIDs.base &>> 12) }

    /// Makes the flat table.
    /// - Returns: false for want of memory.
    static func prepare(capacity: UInt32) -> Bool { FlatIDs.prepare(capacity: capacity) }

    /// Without an id in use: there is no table until the next `prepare`.
    static func discard() { FlatIDs.discard() }

    // MARK: Looking up, without a lock

    /// - Returns: an id in use, in whatever state; nil if it is not in use.
    /// - Complexity: O(1)
    @inline(__always)
    package static func incarnation(of id: ID) -> Incarnation? {
        flatIncarnation(of: id) ?? (CustomIDs.isEmpty ? nil : CustomIDs.incarnation(of: id))
    }

    /// The same for what is nearly always asked for: an id of the default allocator.
    @inline(__always)
    package static func flatIncarnation(of id: ID) -> Incarnation? { FlatIDs.incarnation(of: id) }

    /// The links of an id that is on a list or chain. A reader without the lock may come with an
    /// id that has left; it gets links that say nothing, or nil.
    @inline(__always)
    static func links(of id: ID) -> Ref<Links>? {
        if CustomIDs.isEmpty, id.rawValue < FlatIDs.capacity { return FlatIDs.links(id) }
        return incarnation(of: id)?.ref.links
    }

    /// The links of an id in use. With the core lock.
    @inline(__always)
    static func memberLinks(of id: ID, isFlat: Bool = false) -> Ref<Links> {
        if isFlat || CustomIDs.isEmpty { return FlatIDs.links(id) }
        return links(of: id) ?? FlatIDs.links(id)
    }

    /// Has both lines of an id on their way while the caller waits for the lock.
    @inline(__always)
    package static func prefetch(_ id: ID) {
        let ref = FlatIDs.ref(id)
        cio_prefetch(ref.slot.address)
        cio_prefetch(ref.links.address)
    }

    // MARK: Taking and giving back, with the core lock

    /// Takes the lowest free number of a range for the default allocator.
    /// - Returns: it; nil if there is none.
    @inline(__always)
    static func take(_ range: IDRange) throws(RequestError) -> (ID, IDRef)? {
        guard let id = try FlatIDs.take(range) else { return nil }
        return (id, FlatIDs.ref(id))
    }

    /// Takes a number that a custom allocator chose. It is not in use.
    /// - Returns: its place; nil for want of memory.
    static func adopt(_ id: ID, for group: Ref<AllocatorGroup>) -> IDRef? {
        guard let ref = CustomIDs.insert(id, group) else { return nil }
        FlatIDs.exclude(id)
        return ref
    }

    /// The custom allocators that get an id back; nil for one of the default allocator.
    @inline(__always)
    static func allocator(of id: ID) -> Ref<AllocatorGroup>? {
        CustomIDs.isEmpty ? nil : CustomIDs.group(of: id)
    }

    /// Gives a number of the default allocator back. Its slot must be clear.
    @inline(__always)
    static func release(_ id: ID) { FlatIDs.release(id) }

    /// Forgets the number of a custom allocator. Its slot must be clear.
    static func forget(_ id: ID) {
        FlatIDs.include(id)
        CustomIDs.remove(id)
    }

    // MARK: Generations

    /// How many lives began.
    static var allocations: UInt64 { births.value &- births.value &>> 22 }

    /// Never zero in the bits that a word keeps: a life must differ from a free slot. The numbers
    /// left out are those that end in 22 zeroes.
    @inline(__always)
    static func nextGeneration() -> UInt64 {
        var next = births.value &+ 1
        if next & SlotWord.generationMask == 0 { next &+= 1 }
        births.value = next
        return next
    }
}
