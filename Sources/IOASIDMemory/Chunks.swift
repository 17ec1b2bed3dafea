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
///
/// Large tables come in huge pages, of which a look-up's miss costs less. The chunks that fill one
/// are a block. If its first record comes while the block before it is crowded, then all of it is
/// committed at once, and goes back at once:
///
///     blocks      | 0: by the chunk | 1: huge  | 2: huge          | 3: by the chunk
///     in use        100,000           131,072    0 (kept: 1 is      12
///                                                    crowded)
///
/// So few records, or some that are far apart, never cost more than their chunks.
package struct Chunks: ~Copyable, Sendable {
    private static var keptLimit: Int { 4 }
    private static var committed: UInt32 { 1 << 31 }
    private static var huge: UInt32 { 1 << 31 }

    private let start = Cell<UInt>(0)
    /// A chunk may have a second part, in an array of its own behind all the first ones.
    private let secondStart = Cell<UInt>(0)
    /// For each chunk: is it committed, and how many of its records are in use. Apart from what
    /// look-ups read.
    private let uses = Cell<UInt>(0)
    /// In the same memory, which begins here: for each block, has it huge pages, and how many of its
    /// chunks are committed. Between them: which chunks are kept though empty, as numbers plus one,
    /// and where the next one goes.
    private let blocks = Cell<UInt>(0)
    package let bytes: Int
    private let secondBytes: Int
    /// A block is crowded if so many of its records are in use; 0 if there are no huge pages.
    private let crowd: UInt32

    /// - Parameters:
    ///   - bytes: of a chunk, a multiple of the page size.
    ///   - secondBytes: of its second part, too; 0 if it has none.
    ///   - crowd: how many records make a block crowded; 0 for no huge pages. With it the parts are
    ///     of the same size, and a power of two.
    package init(bytes: Int, secondBytes: Int = 0, crowd: UInt32 = 0) {
        self.bytes = bytes
        self.secondBytes = secondBytes
        self.crowd = crowd
    }

    /// How many chunks are a block.
    private var blockLength: Int { Memory.hugePage / bytes }

    /// Where the reservation begins; 0 before `prepare`.
    @inline(__always)
    package var base: UInt { start.value }

    @inline(__always)
    package var secondBase: UInt { secondStart.value }

    /// Reserves room. Again if no record is in use and more room is needed: what was reserved before
    /// stays mapped, for readers who look there still, and has no memory.
    /// - Returns: false for want of memory; nothing has changed.
    package func prepare(_ chunks: Int) -> Bool {
        let blocks = (chunks &+ blockLength &- 1) / blockLength
        let count = crowd == 0 ? chunks : blocks &* blockLength
        // One block more, which is never in use: the next one of the last.
        let firstUse = blocks &+ 1 &+ Chunks.keptLimit &+ 1
        guard let table = Memory.table((firstUse &+ count) &* 4) else { return false }
        guard let memory = Memory.reserve(count &* (bytes &+ secondBytes)) else {
            Memory.discard(table: table)
            return false
        }
        if uses.value != 0 { abandon() }
        self.blocks.value = UInt(bitPattern: table)
        uses.value = UInt(bitPattern: table + firstUse &* 4)
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
        guard crowd != 0 ? beginInBlock(chunk) : commit(chunk, 1) else { return false }
        use.pointee = Chunks.committed
        return true
    }

    /// The last record of a chunk has gone: it is kept, in place of the one kept longest.
    @inline(never)
    private func end(_ chunk: Int) {
        if crowd != 0, endInBlock(chunk) { return }
        // A constant: TSan takes writing through the property for writing to all of `self`.
        let kept = kept
        let place = Int(kept[Chunks.keptLimit]) % Chunks.keptLimit
        kept[Chunks.keptLimit] &+= 1
        if kept[place] != 0 {
            let oldest = Int(kept[place] &- 1)
            decommit(oldest, 1)
            use(of: oldest).pointee = 0
            if crowd != 0 { block(oldest / blockLength).pointee &-= 1 }
        }
        kept[place] = UInt32(truncatingIfNeeded: chunk &+ 1)
    }

    // MARK: Blocks

    /// The first record of a chunk comes, perhaps that of its block, too.
    private func beginInBlock(_ chunk: Int) -> Bool {
        let number = chunk / blockLength
        let block = block(number)
        if block.pointee == 0, isCrowded(number &- 1) {
            guard commit(number &* blockLength, blockLength) else { return false }
            wantHugePages(number, true)
            block.pointee = Chunks.huge
        }
        guard block.pointee >= Chunks.huge || commit(chunk, 1) else { return false }
        block.pointee &+= 1
        return true
    }

    /// The last record of a chunk has gone. Of a block with huge pages nothing goes before all of it does.
    /// - Returns: was it in one?
    private func endInBlock(_ chunk: Int) -> Bool {
        let number = chunk / blockLength
        let isHuge = block(number).pointee >= Chunks.huge
        if isHuge {
            block(number).pointee &-= 1
            use(of: chunk).pointee = 0
            endIfUnused(number)
        }
        endIfUnused(number &+ 1)
        return isHuge
    }

    /// A block with huge pages goes back, unless more is likely to come: so one id that comes and goes
    /// at its border does not cost a huge page each time.
    private func endIfUnused(_ number: Int) {
        guard block(number).pointee == Chunks.huge, !isCrowded(number &- 1) else { return }
        decommit(number &* blockLength, blockLength)
        wantHugePages(number, false)
        block(number).pointee = 0
    }

    /// - Complexity: O(chunks of a block)
    private func isCrowded(_ number: Int) -> Bool {
        guard number >= 0 else { return false }
        var records: UInt32 = 0
        for chunk in number &* blockLength..<(number &+ 1) &* blockLength {
            records &+= use(of: chunk).pointee & ~Chunks.committed
        }
        return records >= crowd
    }

    /// Gives everything back but the address space. No record is in use, so no block is of huge pages.
    @inline(never)
    private func abandon() {
        for place in 0..<Chunks.keptLimit where kept[place] != 0 {
            decommit(Int(kept[place] &- 1), 1)
        }
        Memory.discard(table: UnsafeMutableRawPointer(bitPattern: blocks.value))
    }

    private func commit(_ chunk: Int, _ count: Int) -> Bool {
        Memory.commit(memory(of: chunk), bytes &* count)
            && (secondBytes == 0
                || Memory.commit(secondMemory(of: chunk), secondBytes &* count))
    }

    private func decommit(_ chunk: Int, _ count: Int) {
        Memory.decommit(memory(of: chunk), bytes &* count)
        if secondBytes != 0 { Memory.decommit(secondMemory(of: chunk), secondBytes &* count) }
    }

    private func wantHugePages(_ number: Int, _ wanted: Bool) {
        let chunk = number &* blockLength
        Memory.wantHugePages(memory(of: chunk), Memory.hugePage, wanted)
        if secondBytes != 0 {
            Memory.wantHugePages(secondMemory(of: chunk), Memory.hugePage, wanted)
        }
    }

    private func block(_ number: Int) -> UnsafeMutablePointer<UInt32> {
        UnsafeMutablePointer(bitPattern: blocks.value &+ UInt(bitPattern: number) &* 4)
            .unsafelyUnwrapped
    }

    private var kept: UnsafeMutablePointer<UInt32> {
        use(of: 0) - (Chunks.keptLimit &+ 1)
    }

    @inline(__always)
    private func use(of chunk: Int) -> UnsafeMutablePointer<UInt32> {
        UnsafeMutablePointer(bitPattern: uses.value &+ UInt(bitPattern: chunk) &* 4)
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
