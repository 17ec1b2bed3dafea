// SPDX-License-Identifier: MIT
// Finds records by key in O(1), without a lock: linear hashing, chains threaded through the records.

import Synchronization

/// The records of an index: how to hash one, and where its chain goes on.
///
/// A link is one more than the number of the next record, so that zeroed memory ends a chain.
/// `link` acquires, `setLink` releases.
package protocol IndexedRecords {
    associatedtype Number: Numbered
    static func hash(_ record: Number) -> UInt32
    static func link(_ record: Number) -> UInt32
    static func setLink(_ record: Number, _ link: UInt32)
}

/// Writers hold a lock. Readers hold nothing, and never wait: wherever a writer was stopped, each
/// record that was in the index before and after its change is found, and a miss is an answer.
///
/// The chain of a bucket is in split order: records are sorted by their hash, the lowest bit first.
/// So the records that a larger table has in another bucket are the end of a chain, and the table
/// grows by cutting a chain in two. No record is ever moved:
///
///     2 buckets   0 -> ..00 -> ..00 -> ..10 -> ..110        (hashes, as bits)
///                 1 -> ..01 -> ..11
///
///     split 0     2 -------------------v                    1. the new head
///                 0 -> ..00 -> ..00 -> ..10 -> ..110        2. the number of buckets
///                                  ^                        3. the cut
///     3 buckets   0 -> ..00 -> ..00
///                 1 -> ..01 -> ..11
///                 2 -> ..10 -> ..110
///
/// Guarantees to readers, in the order in which the code keeps them:
///
/// A. A record's own link and key are in place before a link to it is (release, acquire).
/// B. A record that is taken out keeps its link until `removals` has moved: who stands on it goes
///    on rightly. Only then may its owner change it, or give its memory back.
/// C. A new bucket has its head before it is counted, and is counted before the chain is cut.
/// D. A miss is an answer if neither `removals` nor the number of buckets has moved meanwhile.
///    By B nobody was led astray then, and by C no chain was cut before its end was reached.
///    A hit is an answer at once: who matches looks at the record itself.
///
/// D repeats a look-up only if a writer got something done, so a writer that is stopped, or that
/// the reader interrupted, delays nobody. Chains in use by others may lead anywhere, even round in
/// circles: every 256 steps a reader looks whether `removals` has moved.
///
/// It grows a bucket at a time, so that no request pays for all the others, and needs no memory but
/// four bytes a bucket, given back when the last record leaves; in huge pages from the second one on. A refused commit makes chains
/// longer, not requests fail.
package struct HashIndex<Records: IndexedRecords>: ~Copyable, Sendable {
    private static var minBuckets: UInt32 { 1 << 10 }
    private static var maxBuckets: UInt32 { 1 << 22 }
    private static var commitBuckets: UInt32 { 1 << 14 }
    private static var hugePageBuckets: UInt32 { UInt32(Memory.hugePage / 4) }
    private static var stepsUnseen: UInt32 { (1 << 8) - 1 }

    private let heads = Cell<UInt>(0)
    private let buckets = Cell<UInt32>(0)
    private let committed = Cell<UInt32>(0)
    private let records = Cell<UInt32>(0)
    private let removals = Cell<UInt64>(0)

    package init() {}

    #if IOASID_CHECKS
    /// How many records there are.
    package var count: UInt32 { records.value }

    /// How many buckets they are in; 0 before `prepare`.
    package var bucketCount: UInt32 { buckets.value }
    #endif

    /// Makes sure that `insert` can work.
    /// - Returns: false for want of memory; nothing has changed.
    package func prepare() -> Bool {
        guard buckets.value == 0 else { return true }
        if heads.value == 0 {
            guard let memory = Memory.reserve(Int(Self.maxBuckets) &* 4) else { return false }
            heads.value = UInt(bitPattern: memory)
        }
        guard commit(Self.minBuckets) else { return false }
        buckets.release(Self.minBuckets)
        return true
    }

    /// - Returns: a record of this hash that matches, or nil.
    /// - Complexity: O(1), no lock
    @inline(__always)
    package func find(_ hash: UInt32, _ matches: (Records.Number) -> Bool) -> Records.Number? {
        while true {
            let removals = self.removals.acquire()
            let buckets = self.buckets.acquire()
            guard buckets != 0 else { return nil }
            var link = head(HashIndex.bucket(hash, of: buckets)).pointee.acquire()
            var steps: UInt32 = 0
            while link != 0 {
                let record = HashIndex.record(link)
                if matches(record) { return record }
                link = Records.link(record)
                steps &+= 1
                if steps & Self.stepsUnseen == 0, self.removals.value != removals { break }
            }
            // D: the links were acquired, so this looks after them.
            if link == 0, self.removals.value == removals, self.buckets.value == buckets {
                return nil
            }
        }
    }

    /// - Complexity: O(1)
    package func insert(_ record: Records.Number) {
        records.increment()
        if records.value > buckets.value, buckets.value < Self.maxBuckets,
            commit(buckets.value &+ 1)
        {
            split()
        }
        let hash = Records.hash(record)
        let place = place(in: hash) { !HashIndex.precedes(Records.hash($0), hash) }
        Records.setLink(record, place.link)
        point(place, at: HashIndex.link(to: record))  // A
    }

    /// Takes a record out. Its key must still be what it was.
    /// - Complexity: O(1)
    package func remove(_ record: Records.Number) {
        let place = place(in: Records.hash(record)) { $0 == record }
        guard place.link != 0 else { return }
        point(place, at: Records.link(record))
        removals.release(removals.value &+ 1)
        atomicMemoryFence(ordering: .releasing)  // B: later changes are seen after this one
        records.decrement()
        if records.value == 0 { reset() }
    }

    // MARK: Chains

    /// Where on a chain a link is kept: behind a record, or in a bucket.
    private struct Place {
        let head: UnsafeMutablePointer<Cell<UInt32>>
        let before: Records.Number?
        /// What it says now.
        let link: UInt32
    }

    /// - Returns: the first place on the chain of a hash that leads to a record that `isWanted`, or
    ///   ends the chain.
    @inline(__always)
    private func place(in hash: UInt32, _ isWanted: (Records.Number) -> Bool) -> Place {
        let head = head(HashIndex.bucket(hash, of: buckets.value))
        var before: Records.Number?
        var link = head.pointee.value
        while link != 0, !isWanted(HashIndex.record(link)) {
            let record = HashIndex.record(link)
            before = record
            link = Records.link(record)
        }
        return Place(head: head, before: before, link: link)
    }

    @inline(__always)
    private func point(_ place: Place, at link: UInt32) {
        if let before = place.before {
            Records.setLink(before, link)
        } else {
            place.head.pointee.release(link)
        }
    }

    @inline(__always)
    private static func record(_ link: UInt32) -> Records.Number {
        Records.Number(rawValue: link &- 1)
    }

    @inline(__always)
    private static func link(to record: Records.Number) -> UInt32 { record.rawValue &+ 1 }

    /// Split order: at the lowest bit in which two hashes differ, zero comes first.
    @inline(__always)
    private static func precedes(_ one: UInt32, _ other: UInt32) -> Bool {
        let difference = one ^ other
        return one & (difference & (0 &- difference)) == 0 && difference != 0
    }

    @inline(__always)
    private static func bucket(_ hash: UInt32, of buckets: UInt32) -> UInt32 {
        // The smallest power of two that covers the buckets, less one.
        let mask = UInt32.max &>> UInt32(truncatingIfNeeded: (buckets &- 1).leadingZeroBitCount)
        let bucket = hash & mask
        return bucket < buckets ? bucket : bucket & (mask &>> 1)
    }

    // MARK: Size

    /// One bucket more: gets the end of another one's chain.
    private func split() {
        let new = buckets.value
        // The new bucket's records are those of an old one whose hashes have this bit.
        let bit = UInt32(1) &<< UInt32(31 &- new.leadingZeroBitCount)
        let cut = place(in: new) { Records.hash($0) & bit != 0 }
        head(new).pointee.release(cut.link)
        buckets.release(new &+ 1)  // C
        if cut.link != 0 { point(cut, at: 0) }
    }

    /// The last record is gone: so is the memory, but for the first buckets.
    private func reset() {
        guard buckets.value > Self.minBuckets else { return }
        buckets.release(Self.minBuckets)
        let kept = UnsafeMutableRawPointer(head(Self.commitBuckets))
        Memory.decommit(kept, Int(committed.value &- Self.commitBuckets) &* 4)
    }

    private func commit(_ buckets: UInt32) -> Bool {
        guard buckets > committed.value else { return true }
        let start = UnsafeMutableRawPointer(head(committed.value))
        let isLarge = committed.value >= Self.hugePageBuckets
        let more = isLarge ? Self.hugePageBuckets : Self.commitBuckets
        guard Memory.commit(start, Int(more) &* 4) else { return false }
        if isLarge { Memory.wantHugePages(start, Int(more) &* 4, true) }
        committed.value = committed.value &+ more
        return true
    }

    @inline(__always)
    private func head(_ bucket: UInt32) -> UnsafeMutablePointer<Cell<UInt32>> {
        UnsafeMutablePointer(bitPattern: heads.value &+ UInt(bucket) &* 4).unsafelyUnwrapped
    }
}
