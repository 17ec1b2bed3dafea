// SPDX-License-Identifier: MIT
// The word that says everything a look-up must know of an id: references, state, set, generation.

import IOASIDMemory
import IOASIDRuntime
import Synchronization

/// Life of an id. A zeroed word is a free slot.
package enum IDState: UInt64 {
    case free = 0
    /// Allocated.
    case active = 1
    /// Allocated, and subscribers were told that it is bound.
    case bound = 2
    /// Freed by its owner; waits for the last reference.
    case pending = 3
}

/// 64 bits: references 0-21, state 22-23, set 24-41, generation 42-63.
///
/// The generation comes from one counter for all ids. It makes two lives of one slot look
/// different, also when the slot's memory was given back in between.
package struct SlotWord: Equatable {
    package static var referenceLimit: UInt64 { (1 << 22) - 1 }
    package static var setLimit: UInt32 { 1 << 18 }
    package static var generationMask: UInt32 { (1 << 22) - 1 }

    private static var stateShift: UInt64 { 22 }
    private static var setShift: UInt64 { 24 }
    private static var generationShift: UInt64 { 42 }

    package var bits: UInt64

    @inline(__always)
    package init(bits: UInt64) { self.bits = bits }

    /// A new life: active, one reference.
    @inline(__always)
    package init(set: UInt32, generation: UInt32) {
        bits = 1
            | IDState.active.rawValue &<< Self.stateShift
            | UInt64(set) &<< Self.setShift
            | UInt64(generation) &<< Self.generationShift
    }

    @inline(__always)
    package var references: UInt64 { bits & Self.referenceLimit }

    @inline(__always)
    package var set: UInt32 { UInt32(truncatingIfNeeded: bits &>> Self.setShift) & (Self.setLimit &- 1) }

    @inline(__always)
    package var generation: UInt32 { UInt32(truncatingIfNeeded: bits &>> Self.generationShift) }

    @inline(__always)
    package var isFree: Bool { bits & (3 &<< Self.stateShift) == 0 }

    @inline(__always)
    package var isPending: Bool { bits & (3 &<< Self.stateShift) == 3 &<< Self.stateShift }

    @inline(__always)
    package var isBound: Bool { bits & (3 &<< Self.stateShift) == 2 &<< Self.stateShift }

    /// Can new references be taken?
    @inline(__always)
    package var isActive: Bool { !isFree && !isPending }

    @inline(__always)
    package func with(_ state: IDState) -> SlotWord {
        SlotWord(bits: bits & ~(3 &<< Self.stateShift) | state.rawValue &<< Self.stateShift)
    }

    @inline(__always)
    package var addingReference: SlotWord { SlotWord(bits: bits &+ 1) }

    @inline(__always)
    package var droppingReference: SlotWord { SlotWord(bits: bits &- 1) }

    /// Is this the same life of the same slot? References and state may have moved on. A free word
    /// is no life: its generation is zero.
    @inline(__always)
    package func isSameLife(as other: SlotWord) -> Bool {
        (bits ^ other.bits) &>> Self.setShift == 0
    }
}
