// SPDX-License-Identifier: MIT
// Ids of custom allocators: any 32-bit number, found by hash, each with a record of its own.

import IOASIDMemory
import Synchronization

/// The record of one id, never unmapped. A unit test holds it to 64 bytes.
package struct CustomID: ~Copyable {
    var slot: Slot
    var links: Links
    /// The id plus one: a record whose memory went back is nobody's.
    let key: Cell<UInt32>
    let chain: Cell<UInt32>
    /// Who gets the id back; guarded by the core lock. In a cell all the same: TSan takes a change of
    /// a part for a write to the first word, which readers look at without the lock.
    private let groupCell: Cell<UInt>
    private let padding: (UInt64, UInt64)
}

extension CustomID {
    var group: Ref<AllocatorGroup>? { groupCell.value == 0 ? nil : Ref(at: groupCell.value) }

    func setGroup(_ group: Ref<AllocatorGroup>?) { groupCell.value = group?.address ?? 0 }
}

enum CustomIDs: IndexedRecords {
    typealias Number = RecordNumber<CustomID>

    static let records = Region<CustomID>(chunkShift: 10)
    private static let taken = IDBitmap()
    private static let index = HashIndex<CustomIDs>()
    private static let population = Cell<UInt32>(0)
    private static let capacity: UInt32 = 1 << 22

    @inline(__always)
    static var isEmpty: Bool { population.acquire() == 0 }
    static var count: UInt32 { population.value }

    /// - Returns: false for want of memory.
    static func prepare() -> Bool {
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
    static func incarnation(of id: ID) -> Incarnation? {
        while let record = find(id) {
            let ref = ref(record)
            let word = ref.word
            // The record may have become another id's; that one was written before its word.
            guard records[record].pointee.key.acquire() == id.rawValue &+ 1 else { continue }
            return word.isFree ? nil : Incarnation(id: id, ref: ref, word: word)
        }
        return nil
    }

    /// Makes a record for an id that has none.
    /// - Returns: its place; nil for want of memory.
    static func insert(_ id: ID, _ group: Ref<AllocatorGroup>) -> IDRef? {
        guard let number = taken.takeLowest(from: 0, through: capacity &- 1) else { return nil }
        let record = Number(rawValue: number)
        guard records.occupy(record) else {
            taken.release(number)
            return nil
        }
        records[record].pointee.key.release(id.rawValue &+ 1)
        records[record].pointee.setGroup(group)
        population.release(population.value &+ 1)
        index.insert(record)
        return ref(record)
    }

    #if IOASID_CHECKS
    /// Records in use, counted.
    static var takenCount: UInt32 {
        guard capacity != 0 else { return 0 }
        var count: UInt32 = 0
        var next = taken.lowestTaken(from: 0)
        while let number = next {
            count &+= 1
            next = taken.lowestTaken(from: number &+ 1)
        }
        return count
    }
    #endif

    /// Gives the record of an id back. Its slot must be clear.
    static func remove(_ id: ID) {
        guard let record = find(id) else { return }
        index.remove(record)
        records[record].pointee.setGroup(nil)
        records[record].pointee.key.release(0)
        population.release(population.value &- 1)
        taken.release(record.rawValue)
        records.vacate(record)
    }

    /// Who gets an id back; nil if it is not a custom allocator's.
    static func group(of id: ID) -> Ref<AllocatorGroup>? {
        guard let record = find(id) else { return nil }
        return records[record].pointee.group
    }

    private static func find(_ id: ID) -> Number? {
        index.find(hash(of: id.rawValue)) { records[$0].pointee.key.acquire() == id.rawValue &+ 1 }
    }

    private static func ref(_ record: Number) -> IDRef {
        let record = records[record].pointer
        return IDRef(
            slot: Ref(stable(&record.pointee.slot)), links: Ref(stable(&record.pointee.links)))
    }

    // MARK: The index

    private static func hash(of id: UInt32) -> UInt32 { id &* 0x9e37_79b1 ^ id &>> 15 }

    static func hash(_ record: Number) -> UInt32 {
        hash(of: records[record].pointee.key.value &- 1)
    }
    static func link(_ record: Number) -> UInt32 { records[record].pointee.chain.acquire() }
    static func setLink(_ record: Number, _ link: UInt32) {
        records[record].pointee.chain.release(link)
    }
}
