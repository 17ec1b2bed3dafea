// SPDX-License-Identifier: MIT
// A word of shared state that is written with the core lock held and may be read without it.

import Synchronization

/// Relaxed by default: the lock orders writers, and a reader checks what it saw by the slot word.
/// Being atomic costs nothing (plain moves) and keeps lock-free readers free of data races.
struct Cell<Value: CellValue>: ~Copyable {
    private let atomic: Atomic<Value>

    @inline(__always)
    init(_ value: Value) { atomic = Atomic(value) }

    @inline(__always)
    var value: Value {
        get { Value.load(atomic) }
        nonmutating set { Value.store(newValue, atomic) }
    }

    @inline(__always)
    func acquire() -> Value { Value.acquire(atomic) }

    @inline(__always)
    func release(_ value: Value) { Value.release(value, atomic) }

    /// Not an atomic addition: for writers that hold the lock.
    @inline(__always)
    func increment() { value = value &+ 1 }

    @inline(__always)
    func decrement() { value = value &- 1 }
}

/// `Atomic` has no load and store for a generic value; these are they.
protocol CellValue: AtomicRepresentable, FixedWidthInteger {
    static func load(_ atomic: borrowing Atomic<Self>) -> Self
    static func store(_ value: Self, _ atomic: borrowing Atomic<Self>)
    static func acquire(_ atomic: borrowing Atomic<Self>) -> Self
    static func release(_ value: Self, _ atomic: borrowing Atomic<Self>)
}

extension UInt32: CellValue {
    @inline(__always)
    static func load(_ atomic: borrowing Atomic<Self>) -> Self { atomic.load(ordering: .relaxed) }
    @inline(__always)
    static func store(_ value: Self, _ atomic: borrowing Atomic<Self>) {
        atomic.store(value, ordering: .relaxed)
    }
    @inline(__always)
    static func acquire(_ atomic: borrowing Atomic<Self>) -> Self {
        atomic.load(ordering: .acquiring)
    }
    @inline(__always)
    static func release(_ value: Self, _ atomic: borrowing Atomic<Self>) {
        atomic.store(value, ordering: .releasing)
    }
}

extension UInt64: CellValue {
    @inline(__always)
    static func load(_ atomic: borrowing Atomic<Self>) -> Self { atomic.load(ordering: .relaxed) }
    @inline(__always)
    static func store(_ value: Self, _ atomic: borrowing Atomic<Self>) {
        atomic.store(value, ordering: .relaxed)
    }
    @inline(__always)
    static func acquire(_ atomic: borrowing Atomic<Self>) -> Self {
        atomic.load(ordering: .acquiring)
    }
    @inline(__always)
    static func release(_ value: Self, _ atomic: borrowing Atomic<Self>) {
        atomic.store(value, ordering: .releasing)
    }
}

extension UInt: CellValue {
    @inline(__always)
    static func load(_ atomic: borrowing Atomic<Self>) -> Self { atomic.load(ordering: .relaxed) }
    @inline(__always)
    static func store(_ value: Self, _ atomic: borrowing Atomic<Self>) {
        atomic.store(value, ordering: .relaxed)
    }
    @inline(__always)
    static func acquire(_ atomic: borrowing Atomic<Self>) -> Self {
        atomic.load(ordering: .acquiring)
    }
    @inline(__always)
    static func release(_ value: Self, _ atomic: borrowing Atomic<Self>) {
        atomic.store(value, ordering: .releasing)
    }
}
