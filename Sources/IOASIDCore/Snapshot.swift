// SPDX-License-Identifier: MIT
// The ids of a set at one moment, in ascending order, for walks that call out without the lock.

import IOASIDMemory
import IOASIDRuntime
import Synchronization

/// A copy in checked memory, to be discarded. Walking is linear anyway; keeping sets sorted would
/// make every allocation pay for it.
package struct Snapshot {
    private let ids: UnsafeMutablePointer<UInt32>?
    /// Of each id, so that its number in a later life is not taken for it.
    private let generations: UnsafeMutablePointer<UInt32>?
    package let count: Int

    /// Copies and sorts the members of a set. With the core lock held.
    package init(of set: UInt32) throws(Refusal) {
        let record = SetTable[set]
        try self.init(room: Int(record.pointee.count)) { ids in
            let copied = Snapshot.copy(record.pointee.active, to: ids)
            return copied &+ Snapshot.copy(record.pointee.pending, to: ids + copied)
        }
    }

    /// Copies and sorts the ACTIVE ids of all sets. With the core lock held.
    package init(ofAllActive: Void) throws(Refusal) {
        try self.init(room: Int(Population.live)) { ids in
            var copied = 0
            var set = SetTable.next(from: SetTable.system)
            while let one = set {
                copied &+= Snapshot.copy(SetTable[one].pointee.active, to: ids + copied)
                set = SetTable.next(from: one &+ 1)
            }
            return copied
        }
    }

    private init(room: Int, fill: (UnsafeMutablePointer<UInt32>) -> Int) throws(Refusal) {
        guard room > 0 else {
            ids = nil
            generations = nil
            count = 0
            return
        }
        // Twice the room: sorting moves the ids to and fro, then the generations go there.
        guard let memory = Memory.allocate(room &* 8) else { throw .memory }
        let ids = memory.assumingMemoryBound(to: UInt32.self)
        let generations = ids + room
        self.ids = ids
        self.generations = generations
        count = fill(ids)
        Snapshot.sort(ids, generations, count)
        for index in 0..<count {
            generations[index] = IDTable.life(ids[index])?.word.generation ?? 0
        }
    }

    package func discard() { Memory.free(ids) }

    package subscript(index: Int) -> UInt32 { ids.unsafelyUnwrapped[index] }

    /// Is the life that was copied still going on? Lock-free.
    package func isLive(_ index: Int) -> Bool {
        guard let life = IDTable.life(self[index]) else { return false }
        return life.word.generation == generations.unsafelyUnwrapped[index]
    }

    /// - Returns: where an id is in the copy.
    /// - Complexity: O(log count)
    package func index(of id: UInt32) -> Int? {
        var low = 0
        var high = count
        while low < high {
            let middle = (low &+ high) / 2
            if self[middle] < id { low = middle &+ 1 } else { high = middle }
        }
        return low < count && self[low] == id ? low : nil
    }

    private static func copy(_ list: IDList, to place: UnsafeMutablePointer<UInt32>) -> Int {
        var copied = 0
        var id = list.first
        while id != noID {
            place[copied] = id
            copied &+= 1
            id = IDTable.links(id)?.pointee.next ?? noID
        }
        return copied
    }

    /// Radix sort, a byte at a time. Four passes bring the ids back to where they began.
    private static func sort(
        _ ids: UnsafeMutablePointer<UInt32>, _ room: UnsafeMutablePointer<UInt32>, _ count: Int
    ) {
        var from = ids
        var to = room
        var shift: UInt32 = 0
        while shift < 32 {
            withUnsafeTemporaryAllocation(of: Int.self, capacity: 257) { starts in
                starts.initialize(repeating: 0)
                for index in 0..<count { starts[Int(from[index] &>> shift & 0xff) &+ 1] &+= 1 }
                for byte in 0..<256 { starts[byte &+ 1] &+= starts[byte] }
                for index in 0..<count {
                    let byte = Int(from[index] &>> shift & 0xff)
                    to[starts[byte]] = from[index]
                    starts[byte] &+= 1
                }
            }
            swap(&from, &to)
            shift &+= 8
        }
    }
}
