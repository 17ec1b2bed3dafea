// SPDX-License-Identifier: MIT
// Type-stable memory: numbered records at places that follow from their numbers.

import Synchronization

/// Records 0 ..< capacity, one after the other.
///
/// The only way from a number to a record and back. How large a record is, the compiler says; a
/// chunk must be whole pages, which a unit test checks for each kind of record.
package struct Region<Record: ~Copyable>: ~Copyable, Sendable {
    package typealias Number = RecordNumber<Record>

    private let chunks: Chunks
    private let limit = Cell<UInt32>(0)
    private let chunkShift: UInt32

    /// - Parameter chunkShift: a chunk has 2^chunkShift records.
    package init(chunkShift: UInt32) {
        self.chunkShift = chunkShift
        chunks = Chunks(bytes: MemoryLayout<Record>.stride &<< Int(chunkShift))
    }

    @inline(__always)
    private static var stride: UInt { UInt(MemoryLayout<Record>.stride) }

    /// How many records there are; 0 before `prepare`.
    @inline(__always)
    package var capacity: UInt32 { limit.acquire() }

    #if IOASID_CHECKS
    /// Whole pages, and for every size of page: a unit test looks.
    package var chunkBytes: Int { chunks.bytes }
    #endif

    /// - Returns: false for want of memory; nothing has changed.
    package func prepare(capacity: UInt32) -> Bool {
        guard chunks.prepare(Int(capacity &>> chunkShift) &+ 1) else { return false }
        limit.release(capacity)
        return true
    }

    /// A record below the capacity; one that is not in use may read as zero.
    @inline(__always)
    package subscript(number: Number) -> Ref<Record> {
        Ref(at: chunks.base &+ UInt(number.rawValue) &* Self.stride)
    }

    /// What an address means here.
    package enum Address {
        case record(Ref<Record>)
        /// Between records.
        case inside
        case outside
    }

    /// Looks at no memory but its own.
    @inline(__always)
    package func lookUp(_ address: UInt) -> Address {
        let offset = address &- chunks.base
        guard offset < UInt(capacity) &* Self.stride else { return .outside }
        return offset % Self.stride == 0 ? .record(Ref(at: address)) : .inside
    }

    /// - Returns: the number of a record.
    @inline(__always)
    package func number(of record: Ref<Record>) -> Number {
        let offset = record.address &- chunks.base
        return Number(rawValue: UInt32(truncatingIfNeeded: offset / Self.stride))
    }

    /// Makes a record writable. It is zero unless it was used before.
    /// - Returns: false for want of memory.
    @inline(__always)
    package func occupy(_ number: Number) -> Bool {
        chunks.occupy(Int(number.rawValue &>> chunkShift))
    }

    /// Says that a record is no longer used; its memory may go back.
    @inline(__always)
    package func vacate(_ number: Number) {
        chunks.vacate(Int(number.rawValue &>> chunkShift))
    }
}

/// The same for records of two parts: one that look-ups touch and one that they do not. Each part has
/// an array of its own, so that either lies dense and is found by one addition:
///
///     first 0 | first 1 | ... first capacity-1 | second 0 | second 1 | ...
///
/// The chunks of both that have the same records are committed and given back together.
package struct SplitRegion<First: ~Copyable, Second: ~Copyable>: ~Copyable, Sendable {
    private let chunks = Chunks(
        bytes: MemoryLayout<First>.stride &<< Int(SplitRegion.chunkShift),
        secondBytes: MemoryLayout<Second>.stride &<< Int(SplitRegion.chunkShift),
        // Half of a block's, if each part is 16 bytes.
        crowd: 1 << 16)
    private let limit = Cell<UInt32>(0)
    /// How many there may be without reserving anew.
    private let room = Cell<UInt32>(0)

    package init() {}

    package static var chunkShift: UInt32 { 12 }

    @inline(__always)
    package var capacity: UInt32 { limit.acquire() }

    /// Differs from process to process.
    package var base: UInt { chunks.base }

    /// Makes room, without a record in use. Room for more than ever before is made for twice as many,
    /// since what was there before stays mapped.
    /// - Returns: false for want of memory; the capacity is what it was.
    package func reserve(capacity: UInt32) -> Bool {
        guard capacity > room.value else { return true }
        let ample =
            room.value == 0 ? capacity : max(capacity, UInt32(clamping: UInt64(room.value) &* 2))
        guard chunks.prepare(Int(ample &>> Self.chunkShift) &+ 1) else { return false }
        room.value = ample
        return true
    }

    /// Changes the capacity within the room that there is, without a record in use.
    package func limit(to capacity: UInt32) { limit.release(capacity) }

    package func prepare(capacity: UInt32) -> Bool {
        guard reserve(capacity: capacity) else { return false }
        limit(to: capacity)
        return true
    }

    /// The parts of a record below the capacity.
    @inline(__always)
    package func first(_ number: UInt32) -> Ref<First> {
        Ref(at: chunks.base &+ UInt(number) &* UInt(MemoryLayout<First>.stride))
    }

    @inline(__always)
    package func second(_ number: UInt32) -> Ref<Second> {
        Ref(at: chunks.secondBase &+ UInt(number) &* UInt(MemoryLayout<Second>.stride))
    }

    @inline(__always)
    package func occupy(_ number: UInt32) -> Bool { chunks.occupy(Int(number &>> Self.chunkShift)) }

    @inline(__always)
    package func vacate(_ number: UInt32) { chunks.vacate(Int(number &>> Self.chunkShift)) }
}
