// SPDX-License-Identifier: MIT
// Ids of the default allocator: numbers below the capacity, which index one flat table.

import IOASIDMemory
import IOASIDRuntime
import Synchronization

enum FlatIDs {
    private static let records = SplitRegion<Slot, Links>()
    /// Custom allocators' numbers below the capacity are taken here, too.
    private static let taken = IDBitmap()

    @inline(__always)
    static var capacity: UInt32 { records.capacity }

    /// Up to where a look-up may go the short way: the capacity, or 0 if somebody watches look-ups.
    private static let shortLimit = Cell<UInt32>(0)

    /// Differs from process to process.
    static var base: UInt { records.base }

    /// Without an id in use: also to change the capacity.
    @inline(never)
    static func prepare(capacity: UInt32) -> Bool {
        guard records.reserve(capacity: capacity), taken.prepare(capacity: capacity) else {
            return false
        }
        records.limit(to: capacity)
        shortLimit.release(Trace.isOrderWatched ? 0 : capacity)
        return true
    }

    /// As before `prepare`.
    static func discard() {
        shortLimit.release(0)
        records.limit(to: 0)
        taken.discard()
    }

    /// The place of an id below the capacity.
    @inline(__always)
    static func ref(_ id: ID) -> IDRef {
        IDRef(slot: records.first(id.rawValue), links: records.second(id.rawValue))
    }

    @inline(__always)
    static func links(_ id: ID) -> Ref<Links> { records.second(id.rawValue) }

    @inline(__always)
    static func incarnation(of id: ID) -> Incarnation? { incarnation(of: id, below: capacity) }

    /// The same for a look-up that has another way.
    @inline(__always)
    static func incarnationInShort(of id: ID) -> Incarnation? {
        incarnation(of: id, below: shortLimit.acquire())
    }

    @inline(__always)
    private static func incarnation(of id: ID, below limit: UInt32) -> Incarnation? {
        guard id.rawValue < limit else { return nil }
        let ref = ref(id)
        let word = ref.word
        return word.isFree ? nil : Incarnation(id: id, ref: ref, word: word)
    }

    /// - Returns: the lowest number of a range that is not in use, its place writable; nil if there
    ///   is none.
    @inline(__always)
    static func take(_ range: IDRange) throws(RequestError) -> ID? {
        guard let number = taken.takeLowest(from: range.low, through: range.high) else {
            return nil
        }
        guard records.occupy(number) else {
            taken.release(number)
            throw .memory
        }
        return ID(rawValue: number)
    }

    @inline(__always)
    static func release(_ id: ID) {
        taken.release(id.rawValue)
        records.vacate(id.rawValue)
    }

    /// A custom allocator's number is not to be handed out as well.
    static func exclude(_ id: ID) {
        if id.rawValue < taken.capacity { taken.take(id.rawValue) }
    }

    static func include(_ id: ID) {
        if id.rawValue < taken.capacity { taken.release(id.rawValue) }
    }

    /// A number that nobody is to have, and one that is to be had again: see `SetAside`.
    static func setAside(_ number: UInt32) { taken.take(number) }

    static func restore(_ number: UInt32) { taken.release(number) }

    static func isTaken(_ number: UInt32) -> Bool { taken.isTaken(number) }

    static func nextTaken(from number: UInt32) -> UInt32? { taken.lowestTaken(from: number) }
}
