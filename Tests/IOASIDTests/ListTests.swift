// SPDX-License-Identifier: MIT
// Lists against an array.

import Testing

@testable import IOASIDMemory

private struct Item: ~Copyable, Listed {
    var next: Ref<Item>?
    let value: Int
}

/// A list of items that are named by their values, which `#expect` can hold.
private final class Items {
    private var list = List<Item>()
    private var made: [Int: Ref<Item>] = [:]

    deinit { made.values.forEach { Memory.free($0) } }

    private func item(_ value: Int) -> Ref<Item> {
        if let item = made[value] { return item }
        guard let item = Memory.make(Item(next: nil, value: value)) else { fatalError("no memory") }
        made[value] = item
        return item
    }

    func append(_ value: Int) { list.append(item(value)) }
    func prepend(_ value: Int) { list.prepend(item(value)) }
    func insert(_ value: Int, before isLater: (Int) -> Bool) {
        list.insert(item(value)) { isLater($0.pointee.value) }
    }
    func remove(_ value: Int) -> Bool { list.remove(item(value)) }
    func find(_ isWanted: (Int) -> Bool) -> Int? {
        list.find { isWanted($0.pointee.value) }?.pointee.value
    }
    func forEach(_ body: (Int) -> Void) { list.forEach { body($0.pointee.value) } }
    func hasNext(_ value: Int) -> Bool { item(value).pointee.next != nil }
    var isEmpty: Bool { list.isEmpty }
    var first: Int? { list.first?.pointee.value }

    /// Its memory is another's.
    func free(_ value: Int) {
        guard let item = made.removeValue(forKey: value) else { return }
        item.pointee.next = nil
        Memory.free(item)
    }

    var values: [Int] {
        var values: [Int] = []
        forEach { values.append($0) }
        return values
    }
}

@Suite("List")
struct ListTests {
    @Test("begins empty, and is empty again")
    func empty() {
        let items = Items()
        #expect(items.isEmpty && items.first == nil)
        items.append(1)
        #expect(!items.isEmpty && items.first == 1)
        #expect(items.remove(1))
        #expect(items.isEmpty && items.values == [])
    }

    @Test("prepends in front and appends behind")
    func ends() {
        let items = Items()
        (1...3).forEach { items.append($0) }
        items.prepend(0)
        items.prepend(-1)
        #expect(items.values == [-1, 0, 1, 2, 3])
    }

    @Test("inserts before the first one that is later, behind its equals")
    func order() {
        let items = Items()
        // The tens count.
        for value in [50, 10, 90, 51, 30, 70, 11] {
            items.insert(value) { $0 / 10 > value / 10 }
        }
        #expect(items.values == [10, 11, 30, 50, 51, 70, 90])
    }

    @Test("removes the first, a middle one and the last", arguments: 0..<4)
    func remove(value: Int) {
        let items = Items()
        (0..<4).forEach { items.append($0) }
        #expect(items.remove(value))
        #expect(!items.hasNext(value))
        #expect(items.values == (0..<4).filter { $0 != value })
        #expect(!items.remove(value))
        // What was removed can come back, and the end is still an end.
        items.append(value)
        #expect(items.values == (0..<4).filter { $0 != value } + [value])
    }

    @Test("finds the first that is wanted, or none")
    func find() {
        let items = Items()
        [2, 4, 6].forEach { items.append($0) }
        #expect(items.find { $0 > 2 } == 4)
        #expect(items.find { $0 == 6 } == 6)
        #expect(items.find { $0 > 6 } == nil)
    }

    @Test("lets a walk remove and free what it visits")
    func freeing() {
        let items = Items()
        (0..<5).forEach { items.append($0) }
        var seen: [Int] = []
        items.forEach {
            seen.append($0)
            _ = items.remove($0)
            items.free($0)
        }
        #expect(seen == [0, 1, 2, 3, 4])
        #expect(items.isEmpty)
    }
}
