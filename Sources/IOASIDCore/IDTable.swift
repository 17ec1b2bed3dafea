// SPDX-License-Identifier: MIT
// Where the ids live: ids of the default allocator in one flat table, all others by hash.

import CIOASID
import CIOASIDCore
import CIOASIDMemory
import CIOASIDRuntime
import IOASIDMemory
import IOASIDRuntime
import Synchronization

/// The one namespace of ids. Who allocated an id decides where it lives: the default allocator's
/// ids are numbers below the capacity and index the flat table; a custom allocator's may be any
/// number, and have a record of their own. A number is in use at most once.
package enum IDTable {
    // A stretch: 4096 slots, then their 4096 links.
    private static let flat = Region(recordShift: 12, byteShift: 17)
    private static var linksOffset: UInt { 1 << 16 }
    private static let taken = IDBitmap()
    private static let generation = Cell<UInt32>(0)

    package static var capacity: UInt32 { flat.capacity }
    /// Different in each process, and the same for as long as there are ids.
    package static var seed: UInt32 { UInt32(truncatingIfNeeded: flat.base &>> 12) }

    package static func prepare(capacity: UInt32) -> Bool {
        guard taken.prepare(capacity: capacity) else { return false }
        guard flat.prepare(capacity: capacity) else {
            taken.discard()
            return false
        }
        return true
    }

    /// - Returns: an id in use, active or not; nil if it is not in use.
    /// - Complexity: O(1), no lock
    @inline(__always)
    package static func life(_ id: UInt32) -> Life? {
        flatLife(id) ?? (CustomIDs.isEmpty ? nil : CustomIDs.life(id))
    }

    /// The same for an id of the default allocator.
    @inline(__always)
    package static func flatLife(_ id: UInt32) -> Life? {
        guard id < flat.capacity else { return nil }
        let entry = flatEntry(id)
        let word = entry.word
        return word.isFree ? nil : Life(entry: entry, word: word)
    }

    /// The links of an id that is on a list or chain. A reader without the lock may come with an
    /// id that has left; it gets links that say nothing, or nil.
    @inline(__always)
    package static func links(_ id: UInt32) -> UnsafeMutablePointer<Links>? {
        if CustomIDs.isEmpty, id < flat.capacity { return flatEntry(id).links }
        return life(id)?.entry.links
    }

    /// Has both lines of an id on their way while the caller waits for the lock.
    @inline(__always)
    package static func prefetch(_ id: UInt32) {
        cio_prefetch(slotAddress(id))
        cio_prefetch(slotAddress(id) &+ linksOffset)
    }

    /// The entry of an id of the default allocator.
    @inline(__always)
    package static func flatEntry(_ id: UInt32) -> Entry {
        Entry(slot: slotAddress(id), links: slotAddress(id) &+ linksOffset)
    }

    @inline(__always)
    private static func slotAddress(_ id: UInt32) -> UInt {
        flat.base &+ UInt(id &>> 12) &<< 17 &+ UInt(id & 0xfff) &<< 4
    }

    /// - Returns: the lowest number of `low ... high` that is not in use; nil if there is none.
    package static func lowestFree(from low: UInt32, through high: UInt32) -> UInt32? {
        taken.lowestFree(from: low, through: high)
    }

    /// A custom allocator's number: the default allocator must not hand it out as well.
    package static func exclude(_ id: UInt32) {
        if id < taken.capacity { taken.take(id) }
    }

    package static func include(_ id: UInt32) {
        if id < taken.capacity { taken.release(id) }
    }

    /// Takes a free number for the default allocator.
    /// - Returns: its entry; nil for want of memory.
    @inline(__always)
    package static func occupy(_ id: UInt32) -> Entry? {
        guard flat.occupy(id) else { return nil }
        taken.take(id)
        return flatEntry(id)
    }

    /// Gives a number of the default allocator back. Its slot must be clear.
    @inline(__always)
    package static func vacate(_ id: UInt32) {
        taken.release(id)
        flat.vacate(id)
    }

    /// Never zero in the bits that a word keeps: a life must differ from a free slot.
    @inline(__always)
    package static func nextGeneration() -> UInt32 {
        repeat { generation.increment() } while generation.value & SlotWord.generationMask == 0
        return generation.value
    }
}
