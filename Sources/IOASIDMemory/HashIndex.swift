// SPDX-License-Identifier: MIT
// Finds records by key in O(1): linear hashing, the chains threaded through the records.

import Synchronization

/// The records of an index: how to hash one, and where its chain goes on.
///
/// `next` acquires, so that a reader which then finds the sequence unchanged saw no change under way.
/// A link is one more than the number of the next record, so that zeroed memory ends a chain.
package protocol IndexedRecords {
    static func hash(_ record: UInt32) -> UInt32
    static func next(_ record: UInt32) -> UInt32
    static func setNext(_ record: UInt32, _ link: UInt32)
}

/// Grows a bucket at a time, so that no request pays for all the others, and needs no memory but
/// four bytes a bucket, given back when the last record leaves. A refused commit makes chains longer, not requests fail.
///
/// Writers hold the core lock. A reader without the lock may miss a record that is being moved; the
/// sequence number tells, odd while a change is under way.
package struct HashIndex<Records: IndexedRecords>: ~Copyable {
    private static var minBuckets: UInt32 { 1 << 10 }
    private static var maxBuckets: UInt32 { 1 << 22 }
    private static var commitBuckets: UInt32 { 1 << 14 }
    /// A reader that has followed more links than this looks whether they are in motion.
    private static var longChain: UInt32 { (1 << 8) - 1 }

    private let heads = Cell<UInt>(0)
    private let buckets = Cell<UInt32>(0)
    private let committed = Cell<UInt32>(0)
    private let count = Cell<UInt32>(0)
    private let sequence = Cell<UInt32>(0)

    package init() {}

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
    /// - Complexity: O(1); no lock, but asks again while a writer moves records
    @inline(__always)
    package func find(_ hash: UInt32, _ matches: (UInt32) -> Bool) -> UInt32? {
        while true {
            let version = sequence.acquire()
            let buckets = self.buckets.acquire()
            guard buckets != 0 else { return nil }
            var link = head(HashIndex.bucket(hash, of: buckets)).pointee.acquire()
            var steps: UInt32 = 0
            while link != 0 {
                if matches(link &- 1) { return link &- 1 }
                link = Records.next(link &- 1)
                steps &+= 1
                // Links in motion could lead round in circles; a chain at rest ends.
                if steps & Self.longChain == 0, sequence.value != version { break }
            }
            if version & 1 == 0, sequence.value == version { return nil }
        }
    }

    /// - Complexity: O(1)
    package func insert(_ record: UInt32) {
        count.increment()
        // Readers that miss wait for a change to end: the system call comes before it.
        let grows = count.value > buckets.value && buckets.value < Self.maxBuckets
            && commit(buckets.value &+ 1)
        change {
            if grows { split() }
            push(record, to: head(HashIndex.bucket(Records.hash(record), of: buckets.value)))
        }
    }

    /// - Complexity: O(1)
    package func remove(_ record: UInt32) {
        change {
            let head = head(HashIndex.bucket(Records.hash(record), of: buckets.value))
            let next = Records.next(record)
            var link = head.pointee.value
            if link == record &+ 1 {
                head.pointee.release(next)
            } else {
                while link != 0, Records.next(link &- 1) != record &+ 1 {
                    link = Records.next(link &- 1)
                }
                guard link != 0 else { return }
                Records.setNext(link &- 1, next)
            }
            count.decrement()
        }
        if count.value == 0 { reset() }
    }

    @inline(__always)
    private static func bucket(_ hash: UInt32, of buckets: UInt32) -> UInt32 {
        // The smallest power of two that covers the buckets, less one.
        let mask = UInt32.max &>> UInt32(truncatingIfNeeded: (buckets &- 1).leadingZeroBitCount)
        let bucket = hash & mask
        return bucket < buckets ? bucket : bucket & (mask &>> 1)
    }

    private func push(_ record: UInt32, to head: UnsafeMutablePointer<Cell<UInt32>>) {
        Records.setNext(record, head.pointee.value)
        head.pointee.release(record &+ 1)
    }

    /// One bucket more: takes its records from the one they are in.
    private func split() {
        let buckets = self.buckets.value
        let source = head(HashIndex.bucket(buckets, of: buckets))
        self.buckets.release(buckets &+ 1)
        var link = source.pointee.value
        source.pointee.value = 0
        while link != 0 {
            let record = link &- 1
            link = Records.next(record)
            push(record, to: head(HashIndex.bucket(Records.hash(record), of: buckets &+ 1)))
        }
    }

    /// The last record is gone: so is the memory, but for the first buckets.
    private func reset() {
        guard buckets.value > Self.minBuckets else { return }
        change { buckets.release(Self.minBuckets) }
        let kept = UnsafeMutableRawPointer(head(Self.commitBuckets))
        Memory.decommit(kept, Int(committed.value &- Self.commitBuckets) &* 4)
    }

    private func commit(_ buckets: UInt32) -> Bool {
        guard buckets > committed.value else { return true }
        let more = Int(Self.commitBuckets) &* 4
        guard Memory.commit(UnsafeMutableRawPointer(head(committed.value)), more) else {
            return false
        }
        committed.value = committed.value &+ Self.commitBuckets
        return true
    }

    @inline(__always)
    private func head(_ bucket: UInt32) -> UnsafeMutablePointer<Cell<UInt32>> {
        UnsafeMutablePointer(bitPattern: heads.value &+ UInt(bucket) &* 4).unsafelyUnwrapped
    }

    @inline(__always)
    private func change(_ body: () -> Void) {
        sequence.value = sequence.value &+ 1
        atomicMemoryFence(ordering: .releasing)
        body()
        sequence.release(sequence.value &+ 1)
    }
}
