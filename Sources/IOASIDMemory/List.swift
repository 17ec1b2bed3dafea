// SPDX-License-Identifier: MIT
// Linked lists of objects that hold the link themselves: short ones, so that searching is fine.

/// A pointer to an object in checked memory.
package typealias Ref = UnsafeMutablePointer

/// Objects that threads share have the link first: TSan takes any change of a part for a write to
/// the first word, which must then not be a constant that is read without the lock.
package protocol Listed {
    var next: Ref<Self>? { get set }
}

package struct List<Item: Listed> {
    package private(set) var first: Ref<Item>?

    package init() {}

    package var isEmpty: Bool { first == nil }

    package mutating func add(_ item: Ref<Item>) {
        item.pointee.next = first
        first = item
    }

    package mutating func remove(_ item: Ref<Item>) {
        guard let head = first else { return }
        if head == item {
            first = item.pointee.next
            return
        }
        var before = head
        while let next = before.pointee.next {
            if next == item {
                before.pointee.next = item.pointee.next
                return
            }
            before = next
        }
    }

    /// - Returns: the first item that `isWanted`; also tells whether a pointer is an item at all.
    @inline(__always)
    package func find(_ isWanted: (Ref<Item>) -> Bool) -> Ref<Item>? {
        var item = first
        while let current = item {
            if isWanted(current) { return current }
            item = current.pointee.next
        }
        return nil
    }

    @inline(__always)
    package func forEach(_ body: (Ref<Item>) -> Void) {
        var item = first
        while let current = item {
            // The body may free it.
            item = current.pointee.next
            body(current)
        }
    }
}
