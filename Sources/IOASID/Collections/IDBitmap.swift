// SPDX-License-Identifier: MIT
// Which numbers are taken: a 64-ary tree of bitmaps with lowest-free search and ascending walk.

import Synchronization

/// Numbers 0 ..< capacity, each free or taken, up to the whole 32-bit range.
///
/// Level 0 has a bit a number; a bit of level n+1 says that a word of level n is full. A zeroed
/// block is an empty bitmap, so memory is touched only where numbers are taken. At 2^20 numbers
/// there are four levels, and an operation looks at one or two words of each.
struct IDBitmap: ~Copyable {
    /// The words of all levels in one block, level 0 first.
    private let block = Cell<UInt>(0)
    private let limit = Cell<UInt32>(0)

    init() {}

    /// One more than the highest number.
    var capacity: UInt32 { limit.value }

    /// Makes room for numbers below `capacity`, all free. Once, or again after `discard`.
    /// - Returns: false for want of memory; nothing has changed.
    func prepare(capacity: UInt32) -> Bool {
        var words: UInt = 0
        var level = Level(block: 0, capacity: capacity)
        while true {
            words &+= level.words
            guard level.words > 1 else { break }
            level.climb()
        }
        guard let memory = Memory.table(Int(bitPattern: words &* 8)) else { return false }
        block.value = UInt(bitPattern: memory)
        limit.value = capacity
        return true
    }

    /// Gives the memory back; the bitmap is as before `prepare`.
    func discard() {
        limit.value = 0
        Memory.discard(table: UnsafeMutableRawPointer(bitPattern: block.value))
        block.value = 0
    }

    /// - Returns: the lowest free number of `low ... high`, or nil.
    /// - Complexity: O(levels)
    func lowestFree(from low: UInt32, through high: UInt32) -> UInt32? {
        guard low < limit.value else { return nil }
        var level = bottom
        var index = UInt(low)
        // Climb until a word has a free bit at or after the place where we stand ...
        while true {
            let free = ~level[index &>> 6].pointee & (~0 &<< UInt64(index & 63))
            if free != 0 {
                index = (index & ~63) | UInt(free.trailingZeroBitCount)
                break
            }
            index = (index &>> 6) &+ 1
            guard level.words > 1 else { return nil }
            level.climb()
            guard index &>> 6 < level.words else { return nil }
        }
        // ... then follow the lowest free bit down. A free bit beyond the last word or number
        // means that all before it are taken.
        while !level.isBottom {
            level.descend()
            guard index < level.words else { return nil }
            index = index &<< 6 | UInt((~level[index].pointee).trailingZeroBitCount)
        }
        guard index <= UInt(high), index < UInt(limit.value) else { return nil }
        return UInt32(truncatingIfNeeded: index)
    }

    /// - Returns: the lowest taken number at or after `low`, or nil.
    /// - Complexity: O(capacity / 64): for walks, not for requests
    func lowestTaken(from low: UInt32) -> UInt32? {
        guard low < limit.value else { return nil }
        let level = bottom
        var index = UInt(low) &>> 6
        var taken = level[index].pointee & (~0 &<< UInt64(low & 63))
        while taken == 0 {
            index &+= 1
            guard index < level.words else { return nil }
            taken = level[index].pointee
        }
        return UInt32(truncatingIfNeeded: index &<< 6 | UInt(taken.trailingZeroBitCount))
    }

    /// - Complexity: O(1)
    func isTaken(_ number: UInt32) -> Bool {
        guard number < limit.value else { return false }
        return bottom[UInt(number) &>> 6].pointee &>> UInt64(number & 63) & 1 != 0
    }

    /// Takes a free number below the capacity.
    /// - Complexity: O(1), and a level up for each word that fills
    func take(_ number: UInt32) {
        var level = bottom
        var index = UInt(number)
        while true {
            let word = level[index &>> 6]
            word.pointee |= 1 &<< UInt64(index & 63)
            guard word.pointee == ~0, level.words > 1 else { return }
            index &>>= 6
            level.climb()
        }
    }

    /// Frees a taken number.
    /// - Complexity: O(1), and a level up for each word that was full
    func release(_ number: UInt32) {
        var level = bottom
        var index = UInt(number)
        while true {
            let word = level[index &>> 6]
            let wasFull = word.pointee == ~0
            word.pointee &= ~(1 &<< UInt64(index & 63))
            guard wasFull, level.words > 1 else { return }
            index &>>= 6
            level.climb()
        }
    }

    @inline(__always)
    private var bottom: Level { Level(block: block.value, capacity: limit.value) }
}

/// The words of one level of a bitmap. Where a level begins is counted up while climbing, not stored.
private struct Level {
    private var first: UInt
    private var shift: UInt = 6
    private let capacity: UInt
    /// How many words it has: ceil(capacity / 64^(level + 1))
    private(set) var words: UInt

    @inline(__always)
    init(block: UInt, capacity: UInt32) {
        first = block
        self.capacity = UInt(capacity)
        words = Level.words(self.capacity, shift)
    }

    @inline(__always)
    private static func words(_ capacity: UInt, _ shift: UInt) -> UInt {
        (capacity &+ (1 &<< shift) &- 1) &>> shift
    }

    @inline(__always)
    var isBottom: Bool { shift == 6 }

    @inline(__always)
    mutating func climb() {
        first &+= words &* 8
        shift &+= 6
        words = Level.words(capacity, shift)
    }

    @inline(__always)
    mutating func descend() {
        shift &-= 6
        words = Level.words(capacity, shift)
        first &-= words &* 8
    }

    @inline(__always)
    subscript(index: UInt) -> UnsafeMutablePointer<UInt64> {
        UnsafeMutablePointer(bitPattern: first &+ index &* 8).unsafelyUnwrapped
    }
}
