// SPDX-License-Identifier: MIT
// Linked lists of records that hold the link themselves: short ones, so that searching is fine.

/// Records that threads share have the link first: TSan takes any change of a part for a write to
/// the first word, which must then not be a constant that is read without the lock.
package protocol Listed: ~Copyable {
    var next: Ref<Self>? { get set }
}

package struct List<Item: Listed & ~Copyable> {
    package private(set) var first: Ref<Item>?

    package init() {}

    @inline(__always)
    package var isEmpty: Bool { first == nil }

    package mutating func prepend(_ item: Ref<Item>) {
        item.pointee.next = first
        first = item
    }

    package mutating func append(_ item: Ref<Item>) { insert(item) { _ in false } }

    /// Puts an item before the first one that comes later.
    @inline(__always)
    package mutating func insert(_ item: Ref<Item>, before isLater: (Ref<Item>) -> Bool) {
        var before: Ref<Item>?
        var later = first
        while let other = later, !isLater(other) {
            before = other
            later = other.pointee.next
        }
        item.pointee.next = later
        if let before { before.pointee.next = item } else { first = item }
    }

    /// - Returns: whether it was there.
    @discardableResult
    package mutating func remove(_ item: Ref<Item>) -> Bool {
        var before: Ref<Item>?
        var next = first
        while let other = next, other != item {
            before = other
            next = other.pointee.next
        }
        guard next != nil else { return false }
        if let before { before.pointee.next = item.pointee.next } else { first = item.pointee.next }
        item.pointee.next = nil
        return true
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
