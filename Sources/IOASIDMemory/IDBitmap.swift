// SPDX-License-Identifier: MIT
// Which numbers are taken: a 64-ary tree of bitmaps with lowest-free search and ascending walk.

import Synchronization

/// Numbers 0 ..< capacity, each free or taken, up to the whole 32-bit range.
///
/// Level 0 has a bit a number; a bit of level n+1 says that a word of level n is full. What is
/// beyond the capacity counts as taken, and each level ends with a full word more, so that a
/// search needs no bounds. All other words begin as zero: memory is touched only where numbers are
/// taken. At 2^20 numbers there are four levels.
package struct IDBitmap: ~Copyable, Sendable {
    private typealias Word = UnsafeMutablePointer<UInt64>

    /// One block: the address of each level's first word, then the words.
    private let block = Cell<UInt>(0)
    private let limit = Cell<UInt32>(0)
    private let levels = Cell<UInt32>(0)
    /// The first word of level 0.
    private let leaves = Cell<UInt>(0)
    /// A run of numbers that are all taken, as the last search found it: the next one for the same
    /// range begins at its end.
    private let runStart = Cell<UInt32>(0)
    private let runEnd = Cell<UInt32>(0)

    /// 64^6 > 2^32
    private static var maxLevels: Int { 6 }

    package init() {}

    /// One more than the highest number.
    package var capacity: UInt32 { limit.value }

    /// Makes room for numbers below `capacity`, all free, whatever there was before.
    /// - Returns: false for want of memory; nothing has changed.
    package func prepare(capacity: UInt32) -> Bool {
        var words = IDBitmap.maxLevels
        var bits = Int(capacity)
        repeat {
            bits = (bits &+ 63) &>> 6
            words &+= bits &+ 1
        } while bits > 1
        guard let memory = Memory.table(words &* 8) else { return false }
        discard()
        layOut(memory.assumingMemoryBound(to: UInt64.self), Int(capacity))
        block.value = UInt(bitPattern: memory)
        leaves.value = UnsafePointer<UInt>(bitPattern: block.value).unsafelyUnwrapped[0]
        limit.value = capacity
        return true
    }

    private func layOut(_ memory: Word, _ capacity: Int) {
        var first = memory + IDBitmap.maxLevels
        var bits = capacity
        var level = 0
        repeat {
            memory[level] = UInt64(UInt(bitPattern: first))
            let words = (bits &+ 63) &>> 6
            if bits & 63 != 0 { first[words &- 1] = ~0 &<< UInt64(bits & 63) }
            first[words] = ~0
            first += words &+ 1
            bits = words
            level &+= 1
        } while bits > 1
        levels.value = UInt32(level)
    }

    /// Gives the memory back; the bitmap is as before `prepare`.
    package func discard() {
        limit.value = 0
        runStart.value = 0
        runEnd.value = 0
        Memory.discard(table: UnsafeMutableRawPointer(bitPattern: block.value))
        block.value = 0
    }

    /// Takes the lowest free number of `low ... high`.
    /// - Returns: it, or nil.
    /// - Complexity: O(levels); one word where the last search ended
    @inline(__always)
    package func takeLowest(from low: UInt32, through high: UInt32) -> UInt32? {
        // Where the last search for this range ended; below the capacity, or there is nothing.
        let start = runEnd.value
        guard _fastPath(low >= runStart.value), _fastPath(low <= start),
            _fastPath(start < limit.value)
        else { return takeLowest(from: low, low, high) }
        let word = bits(of: start)
        let free = ~word.pointee & (~0 &<< UInt64(start & 63))
        let found = start & ~63 | UInt32(truncatingIfNeeded: free.trailingZeroBitCount)
        // Numbers beyond the capacity count as taken: what is free in a word is below it.
        guard _fastPath(free != 0), _fastPath(found <= high) else {
            return takeLowest(from: start, low, high)
        }
        runEnd.value = found &+ 1
        word.pointee |= free & (0 &- free)
        if word.pointee == ~0 { fill(word: Int(found &>> 6)) }
        return found
    }

    /// The same, whatever is where the search starts.
    @inline(never)
    private func takeLowest(from start: UInt32, _ low: UInt32, _ high: UInt32) -> UInt32? {
        guard start < limit.value else { return nil }
        let free = ~bits(of: start).pointee & (~0 &<< UInt64(start & 63))
        let found =
            free != 0
            ? start & ~63 | UInt32(truncatingIfNeeded: free.trailingZeroBitCount)
            : search(from: (start &>> 6) &+ 1)
        if low < runStart.value || low > runEnd.value { runStart.value = low }
        runEnd.value = found
        guard found <= high, found < limit.value else { return nil }
        take(found)
        return found
    }

    /// - Returns: the lowest free number at or after word `first` of level 0; the capacity if none.
    @inline(never)
    private func search(from first: UInt32) -> UInt32 {
        let levels = Int(self.levels.value)
        var level = 1
        var index = Int(first)
        // Climb until a word has a free bit at or after the place where we stand ...
        while true {
            guard level < levels else { return limit.value }
            let free = ~word(level, index &>> 6).pointee & (~0 &<< UInt64(index & 63))
            if free != 0 {
                index = (index & ~63) | free.trailingZeroBitCount
                break
            }
            index = (index &>> 6) &+ 1
            level &+= 1
        }
        // ... then follow the lowest free bit down.
        while level > 0 {
            level &-= 1
            index = index &<< 6 | (~word(level, index).pointee).trailingZeroBitCount
        }
        return UInt32(truncatingIfNeeded: index)
    }

    /// - Returns: the lowest taken number at or after `low`, or nil.
    /// - Complexity: O(capacity / 64): for walks, not for requests
    package func lowestTaken(from low: UInt32) -> UInt32? {
        guard low < limit.value else { return nil }
        var index = Int(low) &>> 6
        var taken = word(0, index).pointee & (~0 &<< UInt64(low & 63))
        // The full word at the end stops this.
        while taken == 0 {
            index &+= 1
            taken = word(0, index).pointee
        }
        let number = index &<< 6 | taken.trailingZeroBitCount
        return number < Int(limit.value) ? UInt32(truncatingIfNeeded: number) : nil
    }

    /// - Complexity: O(1)
    package func isTaken(_ number: UInt32) -> Bool {
        guard number < limit.value else { return false }
        return word(0, Int(number) &>> 6).pointee &>> UInt64(number & 63) & 1 != 0
    }

    /// Takes a free number below the capacity.
    /// - Complexity: O(1), and a level up for each word that fills
    @inline(__always)
    package func take(_ number: UInt32) {
        if number == runEnd.value { runEnd.value = number &+ 1 }
        let word = bits(of: number)
        word.pointee |= 1 &<< UInt64(number & 63)
        if word.pointee == ~0 { fill(word: Int(number &>> 6)) }
    }

    /// Frees a taken number.
    /// - Complexity: O(1), and a level up for each word that was full
    @inline(__always)
    package func release(_ number: UInt32) {
        if number >= runStart.value, number < runEnd.value { runEnd.value = number }
        let word = bits(of: number)
        if word.pointee == ~0 { unfill(word: Int(number &>> 6)) }
        word.pointee &= ~(1 &<< UInt64(number & 63))
    }

    /// A word of level 0 is full now.
    @inline(never)
    private func fill(word filled: Int) {
        var index = filled
        for level in 1..<max(Int(levels.value), 1) {
            let word = word(level, index &>> 6)
            word.pointee |= 1 &<< UInt64(index & 63)
            guard word.pointee == ~0 else { return }
            index &>>= 6
        }
    }

    /// A word of level 0 was full until now.
    @inline(never)
    private func unfill(word opened: Int) {
        var index = opened
        for level in 1..<max(Int(levels.value), 1) {
            let word = word(level, index &>> 6)
            let wasFull = word.pointee == ~0
            word.pointee &= ~(1 &<< UInt64(index & 63))
            guard wasFull else { return }
            index &>>= 6
        }
    }

    /// The word of level 0 that has a number.
    @inline(__always)
    private func bits(of number: UInt32) -> Word {
        Word(bitPattern: leaves.value &+ UInt(number &>> 6) &* 8).unsafelyUnwrapped
    }

    @inline(__always)
    private func word(_ level: Int, _ index: Int) -> Word {
        let firsts = UnsafePointer<UInt>(bitPattern: block.value).unsafelyUnwrapped
        return Word(bitPattern: firsts[level]).unsafelyUnwrapped + index
    }
}
