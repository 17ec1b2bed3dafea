// SPDX-License-Identifier: MIT
// The ids of a set at one moment, in ascending order, for walks that call out.

import IOASIDMemory
import IOASIDRuntime
import Synchronization

/// A copy in checked memory. Walking is linear anyway; keeping sets sorted would make every
/// allocation pay for it.
struct Snapshot: ~Copyable {
    private let ids: UnsafeMutablePointer<UInt32>?
    /// Of each id, so that its number in a later life is not taken for it.
    private let generations: UnsafeMutablePointer<UInt32>?
    /// Whose ids; nil for those of all sets.
    private let set: SetNumber?
    let count: Int

    /// Copies and sorts the members of a set. With the core lock held.
    init(of set: SetNumber) throws(RequestError) {
        try self.init(of: set, room: Int(SetTable[set].pointee.count)) { ids in
            let copied = Snapshot.copy(SetTable[set].pointee.active, to: ids)
            return copied &+ Snapshot.copy(SetTable[set].pointee.pending, to: ids + copied)
        }
    }

    /// Copies and sorts the ACTIVE ids of all sets. With the core lock held.
    init(ofAllActive: Void) throws(RequestError) {
        try self.init(of: nil, room: Int(Population.live)) { ids in
            var copied = 0
            SetTable.forEach {
                copied &+= Snapshot.copy(SetTable[$0].pointee.active, to: ids + copied)
            }
            return copied
        }
    }

    private init(
        of set: SetNumber?, room: Int, fill: (UnsafeMutablePointer<UInt32>) -> Int
    ) throws(RequestError) {
        self.set = set
        guard room > 0 else {
            ids = nil
            generations = nil
            count = 0
            return
        }
        // Twice the room: sorting moves the ids to and fro, then the generations go there. Behind
        // them is what sorting counts with.
        let bytes = room &* 8 &+ Snapshot.countsBytes
        guard let memory = Memory.allocate(bytes) else { throw .memory }
        let ids = memory.assumingMemoryBound(to: UInt32.self)
        let generations = ids + room
        self.ids = ids
        self.generations = generations
        count = fill(ids)
        Snapshot.sort(ids, generations, count, generations + room)
        for index in 0..<count {
            let one = IDTable.incarnation(of: ID(rawValue: ids[index]))
            generations[index] = one?.word.generation ?? 0
        }
    }

    deinit { Memory.free(UnsafeMutableRawPointer(ids)) }

    subscript(index: Int) -> ID { ID(rawValue: ids.unsafelyUnwrapped[index]) }

    /// - Returns: the id, if the life that was copied still goes on. Lock-free.
    func incarnation(_ index: Int) -> Incarnation? {
        guard let one = IDTable.incarnation(of: self[index]),
            one.word.generation == generations.unsafelyUnwrapped[index],
            set == nil || one.word.set == set
        else { return nil }
        return one
    }

    /// - Returns: where an id is in the copy.
    /// - Complexity: O(log count)
    func index(of id: ID) -> Int? {
        var low = 0
        var high = count
        while low < high {
            let middle = (low &+ high) / 2
            if self[middle].rawValue < id.rawValue { low = middle &+ 1 } else { high = middle }
        }
        return low < count && self[low] == id ? low : nil
    }

    private static func copy(_ list: MemberList, to place: UnsafeMutablePointer<UInt32>) -> Int {
        var copied = 0
        var id = list.first
        while id != .invalid {
            place[copied] = id.rawValue
            copied &+= 1
            id = MemberList.next(after: id)
        }
        return copied
    }

    // MARK: Sorting

    private static var countsBytes: Int { 257 * 4 }

    /// Radix sort, a byte at a time. Four passes bring the ids back to where they began.
    private static func sort(
        _ ids: UnsafeMutablePointer<UInt32>, _ room: UnsafeMutablePointer<UInt32>, _ count: Int,
        _ starts: UnsafeMutablePointer<UInt32>
    ) {
        var from = ids
        var to = room
        var shift: UInt32 = 0
        while shift < 32 {
            starts.update(repeating: 0, count: 257)
            for index in 0..<count { starts[Int(from[index] &>> shift & 0xff) &+ 1] &+= 1 }
            for byte in 0..<256 { starts[byte &+ 1] &+= starts[byte] }
            for index in 0..<count {
                let byte = Int(from[index] &>> shift & 0xff)
                to[Int(starts[byte])] = from[index]
                starts[byte] &+= 1
            }
            swap(&from, &to)
            shift &+= 8
        }
    }
}
