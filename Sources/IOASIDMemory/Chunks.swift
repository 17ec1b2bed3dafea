// SPDX-License-Identifier: MIT
// Reserved address space that is committed and given back by the chunk.

import Synchronization

/// Nothing is ever unmapped, so a reader may look at any address of the reservation at any time;
/// what was never used, or went back, reads as zero.
///
///     reserved    | chunk 0 | chunk 1 | chunk 2 | chunk 3 | ...
///     writable      yes       yes       no        yes
///     in use        17        0 (kept)  -         4096
///
/// The last few chunks that became empty are kept, so that records which come and go cost no
/// system call. Writers hold a lock; `base` and `count` may be read without.
package struct Chunks: ~Copyable, Sendable {
    private static var keptLimit: Int { 4 }
    private static var firstUse: Int { keptLimit &+ 1 }
    private static var committed: UInt32 { 1 << 31 }

    private let start = Cell<UInt>(0)
    /// A chunk may have a second part, in an array of its own behind all the first ones.
    private let secondStart = Cell<UInt>(0)
    /// One block, apart from what look-ups read. Which chunks are kept though empty, as numbers
    /// plus one; where the next one goes; then for each chunk: is it committed, and how many of
    /// its records are in use.
    private let uses = Cell<UInt>(0)
    package let bytes: Int
    private let secondBytes: Int

    /// - Parameters:
    ///   - bytes: of a chunk, a multiple of the page size.
    ///   - secondBytes: of its second part, too; 0 if it has none.
    package init(bytes: Int, secondBytes: Int = 0) {
        self.bytes = bytes
        self.secondBytes = secondBytes
    }

    /// Where the reservation begins; 0 before `prepare`.
    @inline(__always)
    package var base: UInt { start.value }

    @inline(__always)
    package var secondBase: UInt { secondStart.value }

    /// Reserves room. Again if no record is in use and more room is needed: what was reserved before
    /// stays mapped, for readers who look there still, and has no memory.
    /// - Returns: false for want of memory; nothing has changed.
    package func prepare(_ count: Int) -> Bool {
        guard let table = Memory.table((Chunks.firstUse &+ count) &* 4) else { return false }
        guard let memory = Memory.reserve(count &* (bytes &+ secondBytes)) else {
            Memory.discard(table: table)
            return false
        }
        if uses.value != 0 { abandon() }
        uses.value = UInt(bitPattern: table)
        secondStart.value = UInt(bitPattern: memory) &+ UInt(bitPattern: count &* bytes)
        start.value = UInt(bitPattern: memory)
        return true
    }

    /// One more record of a chunk is in use: makes the chunk writable.
    /// - Returns: false for want of memory.
    /// - Complexity: O(1); a system call when it is the first of its chunk
    @inline(__always)
    package func occupy(_ chunk: Int) -> Bool {
        let use = use(of: chunk)
        // Committed, and with other records in use.
        guard use.pointee > Chunks.committed || begin(chunk) else { return false }
        use.pointee &+= 1
        return true
    }

    /// A record of the chunk is no longer in use; its memory may go back.
    /// - Complexity: O(1); a system call when a chunk becomes empty beyond those kept
    @inline(__always)
    package func vacate(_ chunk: Int) {
        let use = use(of: chunk)
        use.pointee &-= 1
        if use.pointee == Chunks.committed { end(chunk) }
    }

    #if IOASID_CHECKS
    /// How many records of a chunk are in use.
    package func inUse(_ chunk: Int) -> UInt32 { use(of: chunk).pointee & ~Chunks.committed }
    #endif

    /// The first record of a chunk comes.
    @inline(never)
    private func begin(_ chunk: Int) -> Bool {
        let use = use(of: chunk)
        if use.pointee == Chunks.committed {
            let kept = kept
            for place in 0..<Chunks.keptLimit
            where kept[place] == UInt32(truncatingIfNeeded: chunk &+ 1) {
                kept[place] = 0
            }
            return true
        }
        guard Memory.commit(memory(of: chunk), bytes),
            secondBytes == 0 || Memory.commit(secondMemory(of: chunk), secondBytes)
        else { return false }
        use.pointee = Chunks.committed
        return true
    }

    /// The last record of a chunk has gone: it is kept, in place of the one kept longest.
    @inline(never)
    private func end(_ chunk: Int) {
        // A constant: TSan takes writing through the property for writing to all of `self`.
        let kept = kept
        let place = Int(kept[Chunks.keptLimit]) % Chunks.keptLimit
        kept[Chunks.keptLimit] &+= 1
        if kept[place] != 0 {
            let oldest = Int(kept[place] &- 1)
            decommit(oldest)
            use(of: oldest).pointee = 0
        }
        kept[place] = UInt32(truncatingIfNeeded: chunk &+ 1)
    }

    /// Gives everything back but the address space.
    @inline(never)
    private func abandon() {
        for place in 0..<Chunks.keptLimit where kept[place] != 0 { decommit(Int(kept[place] &- 1)) }
        Memory.discard(table: UnsafeMutableRawPointer(bitPattern: uses.value))
    }

    private func decommit(_ chunk: Int) {
        Memory.decommit(memory(of: chunk), bytes)
        if secondBytes != 0 { Memory.decommit(secondMemory(of: chunk), secondBytes) }
    }

    private var kept: UnsafeMutablePointer<UInt32> {
        UnsafeMutablePointer(bitPattern: uses.value).unsafelyUnwrapped
    }

    @inline(__always)
    private func use(of chunk: Int) -> UnsafeMutablePointer<UInt32> {
        let first = uses.value &+ UInt(Chunks.firstUse &* 4)
        return UnsafeMutablePointer(bitPattern: first &+ UInt(bitPattern: chunk) &* 4)
            .unsafelyUnwrapped
    }

    private func memory(of chunk: Int) -> UnsafeMutableRawPointer {
        UnsafeMutableRawPointer(bitPattern: start.value &+ UInt(bitPattern: chunk &* bytes))
            .unsafelyUnwrapped
    }

    private func secondMemory(of chunk: Int) -> UnsafeMutableRawPointer {
        let offset = UInt(bitPattern: chunk &* secondBytes)
        return UnsafeMutableRawPointer(bitPattern: secondStart.value &+ offset).unsafelyUnwrapped
    }
}
