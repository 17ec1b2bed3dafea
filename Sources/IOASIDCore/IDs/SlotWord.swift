// SPDX-License-Identifier: MIT
// The word that says everything a look-up must know of an id: references, state, set, generation.

import IOASIDMemory

/// Life of an id. A zeroed word is a free slot. docs/architecture.md draws it.
package enum IDState: UInt64 {
    case free = 0
    /// Allocated.
    case active = 1
    /// Allocated, and subscribers were told that it is bound.
    case bound = 2
    /// Freed by its owner: waits for the last reference, or for its allocator to take it back.
    case pending = 3

    /// The steps of an id's life; any other one is a mistake of this library.
    func mayBecome(_ next: IDState) -> Bool {
        switch (self, next) {
        case (.free, .active), (.active, .bound), (.bound, .active), (.active, .pending),
            (.bound, .pending), (.pending, .free):
            true
        default: false
        }
    }
}

/// 64 bits, changed as a whole:
///
///     63              46 45                  24 23 22 21                   0
///     | set           18 | generation        22 | st 2 | references      22 |
///     |<------------- the incarnation --------->|
///
/// The set is on top: one shift gives it, and says whether it is the system set's zero.
///
/// The generation comes from one counter for all ids. It makes two lives of one slot look
/// different, also when the slot's memory was given back in between.
package struct SlotWord: Equatable {
    package static var referenceLimit: UInt64 { (1 << 22) - 1 }
    package static var setLimit: UInt32 { 1 << 18 }
    package static var generationMask: UInt64 { (1 << 22) - 1 }

    private static var stateShift: UInt64 { 22 }
    private static var stateMask: UInt64 { 3 << 22 }
    private static var generationShift: UInt64 { 24 }
    private static var setShift: UInt64 { 46 }

    package var bits: UInt64

    @inline(__always)
    package init(bits: UInt64) { self.bits = bits }

    /// A new life: active, one reference.
    @inline(__always)
    package init(set: SetNumber, generation: UInt64) {
        bits =
            1
            | IDState.active.rawValue &<< Self.stateShift
            | UInt64(set.rawValue) &<< Self.setShift
            | (generation & Self.generationMask) &<< Self.generationShift
    }

    /// No life of any id: names a set.
    @inline(__always)
    init(set: SetNumber) { bits = UInt64(set.rawValue) &<< Self.setShift }

    @inline(__always)
    package var references: UInt64 { bits & Self.referenceLimit }

    @inline(__always)
    package var set: SetNumber {
        SetNumber(rawValue: UInt32(truncatingIfNeeded: bits &>> Self.setShift))
    }

    @inline(__always)
    package var generation: UInt32 {
        UInt32(truncatingIfNeeded: bits &>> Self.generationShift & Self.generationMask)
    }

    // MARK: State

    @inline(__always)
    package var state: IDState {
        IDState(rawValue: (bits & Self.stateMask) &>> Self.stateShift).unsafelyUnwrapped
    }

    @inline(__always)
    private func isIn(_ state: IDState) -> Bool {
        bits & Self.stateMask == state.rawValue &<< Self.stateShift
    }

    @inline(__always)
    package var isFree: Bool { isIn(.free) }

    @inline(__always)
    package var isPending: Bool { isIn(.pending) }

    @inline(__always)
    package var isBound: Bool { isIn(.bound) }

    /// Active or bound: can new references be taken?
    @inline(__always)
    package var isAlive: Bool { !isFree && !isPending }

    @inline(__always)
    package func with(_ state: IDState) -> SlotWord {
        SlotWord(bits: bits & ~Self.stateMask | state.rawValue &<< Self.stateShift)
    }

    // MARK: References

    @inline(__always)
    package var addingReference: SlotWord { SlotWord(bits: bits &+ 1) }

    @inline(__always)
    package var droppingReference: SlotWord { SlotWord(bits: bits &- 1) }

    /// Is this the same life of the same slot? References and state may have moved on. A free word
    /// is no life: its generation is zero.
    @inline(__always)
    package func isSameLife(as other: SlotWord) -> Bool {
        (bits ^ other.bits) &>> Self.generationShift == 0
    }
}
