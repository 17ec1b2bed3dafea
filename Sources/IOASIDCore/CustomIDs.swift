// SPDX-License-Identifier: MIT
// Ids of custom allocators: any 32-bit number, found by hash, each with a record of its own.

import CIOASID
import CIOASIDCore
import CIOASIDRuntime
import IOASIDMemory
import IOASIDRuntime
import Synchronization

/// The record of one id. 64 bytes, never unmapped.
package struct CustomID: ~Copyable {
    package let slot: Slot
    package var links: Links
    /// The id plus one: a record whose memory went back is nobody's.
    package let key: Cell<UInt32>
    package let chain: Cell<UInt32>
    /// Who gets the id back; guarded by the core lock.
    package var group: UnsafeMutablePointer<AllocatorGroup>?
}

package enum CustomIDs: IndexedRecords {
    private static let records = Region(recordShift: 10, byteShift: 16)
    private static let taken = IDBitmap()
    private static let index = HashIndex<CustomIDs>()
    private static let count = Cell<UInt32>(0)
    private static let capacity: UInt32 = 1 << 22

    package static var isEmpty: Bool { count.acquire() == 0 }
    package static var number: UInt32 { count.value }

    /// - Returns: false for want of memory.
    package static func prepare() -> Bool {
        guard index.prepare() else { return false }
        guard taken.capacity == 0 else { return true }
        guard taken.prepare(capacity: capacity) else { return false }
        guard records.prepare(capacity: capacity) else {
            taken.discard()
            return false
        }
        return true
    }

    /// - Returns: an id in use.
    /// - Complexity: O(1), no lock
    package static func life(_ id: UInt32) -> Life? {
        while let record = find(id) {
            let entry = entry(of: record)
            let word = entry.word
            // The record may have become another id's; that one was written before its word.
            if memory(record).pointee.key.value == id &+ 1 {
                return word.isFree ? nil : Life(entry: entry, word: word)
            }
        }
        return nil
    }

    /// Makes a record for an id that has none.
    /// - Returns: its entry; nil for want of memory.
    package static func occupy(_ id: UInt32, _ group: UnsafeMutablePointer<AllocatorGroup>) -> Entry? {
        guard let record = taken.lowestFree(from: 0, through: capacity &- 1),
            records.occupy(record)
        else { return nil }
        taken.take(record)
        let memory = memory(record)
        memory.pointee.key.value = id &+ 1
        memory.pointee.group = group
        count.release(count.value &+ 1)
        index.insert(record)
        IDTable.exclude(id)
        return entry(of: record)
    }

    /// Gives the record of an id back. Its slot must be clear.
    /// - Returns: who gets the number.
    package static func vacate(_ id: UInt32) -> UnsafeMutablePointer<AllocatorGroup>? {
        guard let record = find(id) else { return nil }
        let group = memory(record).pointee.group
        IDTable.include(id)
        index.remove(record)
        memory(record).pointee.group = nil
        memory(record).pointee.key.value = 0
        count.release(count.value &- 1)
        taken.release(record)
        records.vacate(record)
        return group
    }

    package static func group(_ id: UInt32) -> UnsafeMutablePointer<AllocatorGroup>? {
        guard let record = find(id) else { return nil }
        return memory(record).pointee.group
    }

    private static func find(_ id: UInt32) -> UInt32? {
        index.find(hash(of: id)) { memory($0).pointee.key.value == id &+ 1 }
    }

    private static func hash(of id: UInt32) -> UInt32 { id &* 0x9e37_79b1 ^ id &>> 15 }

    package static func hash(_ record: UInt32) -> UInt32 { hash(of: memory(record).pointee.key.value &- 1) }
    package static func next(_ record: UInt32) -> UInt32 { memory(record).pointee.chain.acquire() }
    package static func setNext(_ record: UInt32, _ link: UInt32) {
        memory(record).pointee.chain.value = link
    }

    private static func memory(_ record: UInt32) -> UnsafeMutablePointer<CustomID> {
        UnsafeMutablePointer(bitPattern: records.base &+ UInt(record) &<< 6).unsafelyUnwrapped
    }

    private static func entry(of record: UInt32) -> Entry {
        let slot = records.base &+ UInt(record) &<< 6
        return Entry(slot: slot, links: slot &+ 16)
    }
}
