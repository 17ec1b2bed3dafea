// SPDX-License-Identifier: MIT
// What a request must look after besides itself, in one word: nearly always nothing.

import IOASIDMemory
import Synchronization

/// Guarded by the core lock.
enum Attention {
    private static let word = Cell<UInt32>(0)

    /// There are subscribers to what is sent to all.
    static var subscribers: UInt32 { 1 }
    /// A trace is being written.
    static var trace: UInt32 { 2 }
    /// Something was put off.
    static var deferred: UInt32 { 4 }
    /// There are custom allocators, or ids of theirs.
    static var custom: UInt32 { 8 }
    /// Somebody wants to know when numbers are back.
    static var reclaims: UInt32 { 16 }
    /// Threads wait until something is gone.
    static var waiters: UInt32 { 32 }

    /// Anything at all.
    @inline(__always)
    static var isWanted: Bool { word.value != 0 }

    /// Somebody listens to all sets.
    @inline(__always)
    static var isListening: Bool { word.value & (subscribers | trace) != 0 }

    /// Something that is to be done before the lock is left.
    @inline(__always)
    static var isWantedAtEnd: Bool { word.value & (trace | deferred) != 0 }

    /// To be asked in a request that is not quiet: may this bit be set?
    @inline(__always)
    static func has(_ bit: UInt32) -> Bool { word.value & bit != 0 }

    static func set(_ bit: UInt32, _ isWanted: Bool) {
        word.value = isWanted ? word.value | bit : word.value & ~bit
    }
}
