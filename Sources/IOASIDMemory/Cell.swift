// SPDX-License-Identifier: MIT
// A word of shared state that is written with the core lock held and may be read without it.

import Synchronization

/// Relaxed by default: the lock orders writers, and a reader checks what it saw by the slot word.
/// Being atomic costs nothing (plain moves) and keeps lock-free readers free of data races.
package struct Cell<Value: AtomicRepresentable & FixedWidthInteger & Sendable>: ~Copyable,
    Sendable
{
    fileprivate let atomic: Atomic<Value>

    @inline(__always)
    package init(_ value: Value) { atomic = Atomic(value) }
}

// `Atomic` has its operations by size, not for every value: so has this.

extension Cell where Value.AtomicRepresentation == UInt32.AtomicRepresentation {
    @inline(__always)
    package var value: Value {
        get { atomic.load(ordering: .relaxed) }
        nonmutating set { atomic.store(newValue, ordering: .relaxed) }
    }

    @inline(__always)
    package func acquire() -> Value { atomic.load(ordering: .acquiring) }

    @inline(__always)
    package func release(_ value: Value) { atomic.store(value, ordering: .releasing) }

    /// Not an atomic addition: for writers that hold the lock.
    @inline(__always)
    package func increment() { value = value &+ 1 }

    @inline(__always)
    package func decrement() { value = value &- 1 }
}

extension Cell where Value.AtomicRepresentation == UInt64.AtomicRepresentation {
    @inline(__always)
    package var value: Value {
        get { atomic.load(ordering: .relaxed) }
        nonmutating set { atomic.store(newValue, ordering: .relaxed) }
    }

    @inline(__always)
    package func acquire() -> Value { atomic.load(ordering: .acquiring) }

    @inline(__always)
    package func release(_ value: Value) { atomic.store(value, ordering: .releasing) }

    @inline(__always)
    package func increment() { value = value &+ 1 }

    @inline(__always)
    package func decrement() { value = value &- 1 }
}
