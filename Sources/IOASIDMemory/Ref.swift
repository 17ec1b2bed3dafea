// SPDX-License-Identifier: MIT
// A handle of a record in type-stable or checked memory: a pointer that is never made up.

/// Whoever holds one got it from a region or from the checked allocator, so the memory is there. It
/// says nothing about whose record it is by now: that is asked of the record.
@safe
package struct Ref<Record: ~Copyable> {
    package let pointer: UnsafeMutablePointer<Record>

    @inline(__always)
    package init(_ pointer: UnsafeMutablePointer<Record>) { self.pointer = pointer }

    /// For an address computed from the base of a region, which is never zero.
    @inline(__always)
    package init(at address: UInt) {
        pointer = UnsafeMutablePointer(bitPattern: address).unsafelyUnwrapped
    }

    @inline(__always)
    package var address: UInt { UInt(bitPattern: pointer) }

    @inline(__always)
    package var pointee: Record {
        _read { yield pointer.pointee }
        nonmutating _modify { yield &pointer.pointee }
    }
}

extension Ref: Equatable where Record: ~Copyable {
    @inline(__always)
    package static func == (one: Ref, other: Ref) -> Bool { one.pointer == other.pointer }
}

/// The number of a record, in a type of its own for each kind of record.
package struct RecordNumber<Record: ~Copyable>: Numbered {
    package let rawValue: UInt32

    @inline(__always)
    package init(rawValue: UInt32) { self.rawValue = rawValue }
}

/// A number that an index can link, or a bitmap hand out.
package protocol Numbered: Equatable {
    init(rawValue: UInt32)
    var rawValue: UInt32 { get }
}

extension Numbered {
    @inline(__always)
    package static func == (one: Self, other: Self) -> Bool { one.rawValue == other.rawValue }

    /// The number after this one.
    @inline(__always)
    package var next: Self { Self(rawValue: rawValue &+ 1) }
}
