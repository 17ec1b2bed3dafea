// SPDX-License-Identifier: MIT
// Linked lists of objects that hold the link themselves: short ones, so that searching is fine.

/// Objects that threads share have the link first: TSan takes any change of a part for a write to
/// the first word, which must then not be a constant that is read without the lock.
protocol Listed {
    var next: Ref<Self>? { get set }
}

struct List<Item: Listed> {
    private(set) var first: Ref<Item>?

    var isEmpty: Bool { first == nil }

    mutating func add(_ item: Ref<Item>) {
        item.pointee.next = first
        first = item
    }

    mutating func remove(_ item: Ref<Item>) {
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
    func find(_ isWanted: (Ref<Item>) -> Bool) -> Ref<Item>? {
        var item = first
        while let current = item {
            if isWanted(current) { return current }
            item = current.pointee.next
        }
        return nil
    }

    @inline(__always)
    func forEach(_ body: (Ref<Item>) -> Void) {
        var item = first
        while let current = item {
            // The body may free it.
            item = current.pointee.next
            body(current)
        }
    }
}
