// SPDX-License-Identifier: MIT
// Numbers that are taken, in chunks: IDA of <linux/idr.h>.

@preconcurrency import CIOASIDKernel
import IOASIDMemory

/// A chunk is an entry of the tree, and full there when all its numbers are taken. While only the
/// lowest 63 are, its bits lie in the entry itself; else in a block of memory. With the lock.
package struct NumberAllocator {
    private let tree: Tree

    package init(_ array: UnsafeMutablePointer<xarray>) { tree = Tree(array) }

    private static var chunk: UInt { UInt(IDA_BITMAP_BITS) }
    private static var inline: UInt { UInt(UInt.bitWidth &- 1) }
    private static var words: Int { Int(IDA_BITMAP_BITS) / 64 }

    package enum Result {
        case number(UInt)
        case noneFree
        case noMemory
    }

    package func take(from min: UInt, to max: UInt) -> Result {
        var start = min
        while start <= max {
            let first = start / NumberAllocator.chunk
            guard let index = tree.findRoom(from: first, to: max / NumberAllocator.chunk) else {
                return .noneFree
            }
            // Room in the first chunk may be below the first number.
            let from = index == first ? start % NumberAllocator.chunk : 0
            guard let bit = firstFree(tree.load(index), from) else {
                start = (index &+ 1) &* NumberAllocator.chunk
                continue
            }
            let number = index &* NumberAllocator.chunk &+ bit
            guard number <= max else { return .noneFree }
            return set(index, bit) ? .number(number) : .noMemory
        }
        return .noneFree
    }

    /// - Returns: false if it was not taken
    package func giveBack(_ number: UInt) -> Bool {
        let index = number / NumberAllocator.chunk
        let bit = number % NumberAllocator.chunk
        guard let entry = tree.load(index) else { return false }
        if let bits = NumberAllocator.bits(entry) {
            guard bit < NumberAllocator.inline, bits >> bit & 1 != 0 else { return false }
            let left = bits & ~(1 << bit)
            // In the place of an entry another one needs no memory.
            _ = tree.store(index, left == 0 ? nil : NumberAllocator.entry(left))
            if left != 0 { tree.setFull(index, false) }
            return true
        }
        let block = NumberAllocator.block(entry)
        let word = Int(bit / 64)
        guard block[word] >> UInt64(bit % 64) & 1 != 0 else { return false }
        block[word] &= ~(1 << UInt64(bit % 64))
        tree.setFull(index, false)
        if (0..<NumberAllocator.words).allSatisfy({ block[$0] == 0 }) {
            _ = tree.store(index, nil)
            Memory.free(block)
        }
        return true
    }

    package func giveAllBack() {
        tree.removeAll { entry in
            if NumberAllocator.bits(entry) == nil { Memory.free(entry) }
        }
    }

    // MARK: Chunks

    private func firstFree(_ entry: Tree.Entry?, _ start: UInt) -> UInt? {
        guard let entry else { return start }
        if let bits = NumberAllocator.bits(entry) {
            guard start < NumberAllocator.inline else { return start }
            // The bit above those in the entry is always free.
            return start &+ UInt((~bits >> start).trailingZeroBitCount)
        }
        let block = NumberAllocator.block(entry)
        var word = Int(start / 64)
        var free = ~block[word] & UInt64.max << UInt64(start % 64)
        while free == 0 {
            word &+= 1
            guard word < NumberAllocator.words else { return nil }
            free = ~block[word]
        }
        return UInt(word) &* 64 &+ UInt(free.trailingZeroBitCount)
    }

    /// - Returns: false for want of memory
    private func set(_ index: UInt, _ bit: UInt) -> Bool {
        let entry = tree.load(index)
        if entry == nil || entry.flatMap({ NumberAllocator.bits($0) }) != nil {
            let bits = entry.flatMap { NumberAllocator.bits($0) } ?? 0
            if bit < NumberAllocator.inline {
                return store(index, NumberAllocator.entry(bits | 1 << bit))
            }
            guard
                let block = Memory.allocate(NumberAllocator.words, of: UInt64.self)
            else { return false }
            block[0] = UInt64(bits)
            block[Int(bit / 64)] |= 1 << UInt64(bit % 64)
            guard store(index, UnsafeMutableRawPointer(block)) else {
                Memory.free(block)
                return false
            }
            return true
        }
        guard let entry else { return false }
        let block = NumberAllocator.block(entry)
        block[Int(bit / 64)] |= 1 << UInt64(bit % 64)
        if (0..<NumberAllocator.words).allSatisfy({ block[$0] == UInt64.max }) {
            tree.setFull(index, true)
        }
        return true
    }

    /// What has room left.
    private func store(_ index: UInt, _ entry: Tree.Entry) -> Bool {
        guard tree.store(index, entry) else { return false }
        tree.setFull(index, false)
        return true
    }

    // MARK: Entries

    /// nil if they are in a block.
    private static func bits(_ entry: Tree.Entry) -> UInt? {
        let raw = UInt(bitPattern: entry)
        return raw & 1 != 0 ? raw >> 1 : nil
    }

    private static func entry(_ bits: UInt) -> Tree.Entry {
        UnsafeMutableRawPointer(bitPattern: bits << 1 | 1).unsafelyUnwrapped
    }

    private static func block(_ entry: Tree.Entry) -> UnsafeMutablePointer<UInt64> {
        entry.assumingMemoryBound(to: UInt64.self)
    }
}
