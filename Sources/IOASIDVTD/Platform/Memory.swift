// SPDX-License-Identifier: MIT
// Host memory of the model: fails politely, and on demand. Pages of a machine ask here as well.

import CIOASIDVTD
import Synchronization

typealias Ref = UnsafeMutablePointer

enum Memory {
    static let blocks = Atomic<UInt>(0)
    private static let untilFailure = Atomic<UInt>(0)
    private static let asked = Atomic<UInt>(0)

    static func failNth(_ nth: UInt) -> UInt {
        untilFailure.store(nth, ordering: .relaxed)
        return asked.exchange(0, ordering: .relaxed)
    }

    /// Every allocation of any kind asks first.
    static func mayAllocate() -> Bool {
        asked.wrappingAdd(1, ordering: .relaxed)
        guard untilFailure.load(ordering: .relaxed) > 0 else { return true }
        return untilFailure.wrappingSubtract(1, ordering: .relaxed).newValue != 0
    }

    /// - Returns: `count` elements of zero bytes, or nil. For types that are valid as such.
    static func zeroed<Element>(_ count: Int, of _: Element.Type) -> Ref<Element>? {
        guard mayAllocate(), let block = calloc(count, MemoryLayout<Element>.stride) else {
            return nil
        }
        blocks.wrappingAdd(1, ordering: .relaxed)
        return block.bindMemory(to: Element.self, capacity: count)
    }

    /// - Returns: a block that holds `value`, or nil.
    static func make<Value>(_ value: Value) -> Ref<Value>? {
        guard let block = zeroed(1, of: Value.self) else { return nil }
        block.initialize(to: value)
        return block
    }

    static func release<Value>(_ block: Ref<Value>?) {
        guard let block else { return }
        free(block)
        blocks.wrappingSubtract(1, ordering: .relaxed)
    }
}
