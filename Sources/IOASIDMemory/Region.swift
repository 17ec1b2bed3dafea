// SPDX-License-Identifier: MIT
// Type-stable memory: a reserved part of the address space that holds numbered records.

import Synchronization

/// Records 0 ..< capacity in stretches of 2^recordShift records and 2^byteShift bytes.
///
/// Nothing is ever unmapped, so a reader may look at any record at any time; one that was never
/// used, or whose memory went back, reads as zero. Memory is committed and given back by the
/// stretch. The last few that became empty are kept, so that ids which come and go cost no system
/// call.
package struct Region: ~Copyable {
    private static var keptLimit: Int { 4 }
    private static var firstUse: Int { keptLimit &+ 1 }
    private static var committed: UInt32 { 1 << 31 }

    private let start = Cell<UInt>(0)
    private let limit = Cell<UInt32>(0)
    /// One block, apart from what look-ups read. Which stretches are kept though empty, as numbers
    /// plus one; where the next one goes; then for each stretch: is it committed, and how many of
    /// its records are in use.
    private let uses = Cell<UInt>(0)
    private let recordShift: UInt
    private let byteShift: UInt

    package init(recordShift: UInt, byteShift: UInt) {
        self.recordShift = recordShift
        self.byteShift = byteShift
    }

    /// How many records there are; 0 before `prepare`.
    @inline(__always)
    package var capacity: UInt32 { limit.acquire() }

    /// Where record 0 is.
    @inline(__always)
    package var base: UInt { start.value }

    /// - Returns: false for want of memory; nothing has changed.
    package func prepare(capacity: UInt32) -> Bool {
        let stretches = (UInt(capacity) &>> recordShift) &+ 1
        let words = Region.firstUse &+ Int(bitPattern: stretches)
        guard let table = Memory.table(words &* 4) else { return false }
        guard let memory = Memory.reserve(Int(bitPattern: stretches &<< byteShift)) else {
            Memory.discard(table: table)
            return false
        }
        uses.value = UInt(bitPattern: table)
        start.value = UInt(bitPattern: memory)
        limit.release(capacity)
        return true
    }

    /// Makes a record writable. It is zero unless it was used before.
    /// - Returns: false for want of memory.
    /// - Complexity: O(1); a system call when it is the first of its stretch
    @inline(__always)
    package func occupy(_ number: UInt32) -> Bool {
        let stretch = UInt(number) &>> recordShift
        let use = use(of: stretch)
        // Committed, and with other records in use.
        guard use.pointee > Region.committed || begin(stretch) else { return false }
        use.pointee &+= 1
        return true
    }

    /// Says that a record is no longer used; its memory may go back.
    /// - Complexity: O(1); a system call when a stretch becomes empty beyond those kept
    @inline(__always)
    package func vacate(_ number: UInt32) {
        let stretch = UInt(number) &>> recordShift
        let use = use(of: stretch)
        use.pointee &-= 1
        if use.pointee == Region.committed { end(stretch) }
    }

    /// The first record of a stretch comes.
    @inline(never)
    private func begin(_ stretch: UInt) -> Bool {
        let use = use(of: stretch)
        if use.pointee == Region.committed {
            let kept = kept
            for place in 0..<Region.keptLimit where kept[place] == UInt32(truncatingIfNeeded: stretch &+ 1) {
                kept[place] = 0
            }
            return true
        }
        guard Memory.commit(memory(of: stretch), 1 &<< byteShift) else { return false }
        use.pointee = Region.committed
        return true
    }

    /// The last record of a stretch has gone: it is kept, in place of the one kept longest.
    @inline(never)
    private func end(_ stretch: UInt) {
        // A constant: TSan takes writing through the property for writing to all of `self`.
        let kept = kept
        let place = Int(kept[Region.keptLimit]) % Region.keptLimit
        kept[Region.keptLimit] &+= 1
        if kept[place] != 0 {
            let oldest = UInt(kept[place] &- 1)
            Memory.decommit(memory(of: oldest), 1 &<< byteShift)
            use(of: oldest).pointee = 0
        }
        kept[place] = UInt32(truncatingIfNeeded: stretch &+ 1)
    }

    private var kept: UnsafeMutablePointer<UInt32> {
        UnsafeMutablePointer(bitPattern: uses.value).unsafelyUnwrapped
    }

    @inline(__always)
    private func use(of stretch: UInt) -> UnsafeMutablePointer<UInt32> {
        let first = uses.value &+ UInt(Region.firstUse &* 4)
        return UnsafeMutablePointer(bitPattern: first &+ stretch &* 4).unsafelyUnwrapped
    }

    private func memory(of stretch: UInt) -> UnsafeMutableRawPointer {
        UnsafeMutableRawPointer(bitPattern: start.value &+ stretch &<< byteShift).unsafelyUnwrapped
    }
}
