// SPDX-License-Identifier: MIT
// The tree behind <linux/xarray.h>: 64-way, read without a lock while it changes.

@preconcurrency import CIOASIDKernel
import IOASIDMemory

/// Writers exclude one another; readers are in a read-side section, so that no node they may stand on
/// goes. A node never gets another place in the indices: the tree grows by a new head and shrinks only
/// by nodes that are empty, so that a reader who stands on an old one misses nothing that was there
/// before it came.
package struct Tree {
    package typealias Node = UnsafeMutablePointer<cio_tree_node>
    package typealias Entry = UnsafeMutableRawPointer

    private let array: UnsafeMutablePointer<xarray>

    package init(_ array: UnsafeMutablePointer<xarray>) { self.array = array }

    private static var bits: UInt32 { UInt32(CIO_TREE_BITS) }
    private static var slots: UInt { UInt(CIO_TREE_SLOTS) }
    /// The filter of whatever is there.
    package static var present: UInt32 { 8 }
    package static var marks: UInt32 { 3 }
    /// Taken for nobody to see.
    package static var zero: Entry { cio_tree_zero_entry() }

    /// A line on the log; if the library has taken the array's lock, when that is given back.
    @inline(never)
    package static func warn(_ message: StaticString) {
        cio_tree_warn(UnsafeRawPointer(message.utf8Start).assumingMemoryBound(to: CChar.self))
    }

    package var isEmpty: Bool { cio_tree_head(array) == nil }

    // MARK: Reading

    package func load(_ index: UInt) -> Entry? {
        guard let (node, offset) = bottom(index) else { return nil }
        return cio_tree_slot(node, offset)
    }

    /// The node at the bottom, if there is one.
    private func bottom(_ index: UInt) -> (Node, UInt32)? {
        guard var node = cio_tree_head(array), index <= Tree.last(node) else { return nil }
        while node.pointee.shift > 0 {
            guard let next = Tree.child(node, Tree.offset(index, node)) else { return nil }
            node = next
        }
        return (node, Tree.offset(index, node))
    }

    /// The first place from `index` on that is not empty, marked if `filter` is a mark. What is
    /// reserved is passed over.
    package func find(from index: UInt, to max: UInt, _ filter: UInt32) -> (UInt, Entry)? {
        var next: UInt? = index
        while let start = next, start <= max {
            guard let head = cio_tree_head(array), start <= Tree.last(head) else { return nil }
            switch Tree.step(head, start, to: max, { cio_tree_bits($0, filter) }) {
            case .at(let found, let node):
                let entry = cio_tree_slot(node, Tree.offset(found, node))
                if let entry, entry != Tree.zero { return (found, entry) }
                next = found == UInt.max ? nil : found &+ 1
            case .nothing(let resume): next = resume
            // The node in it went meanwhile.
            case .hole(_, let resume): next = resume
            case .end: return nil
            }
        }
        return nil
    }

    /// The first index that is not full. Indices that have no node are not.
    /// - Returns: nil if there is none up to `max`
    package func findRoom(from index: UInt, to max: UInt) -> UInt? {
        var next: UInt? = index
        while let start = next, start <= max {
            guard let head = cio_tree_head(array), start <= Tree.last(head) else { return start }
            switch Tree.step(head, start, to: max, { ~$0.pointee.full }) {
            case .at(let found, _): return found
            case .nothing(let resume): next = resume
            case .end: return nil
            case .hole(let found, _): return found
            }
        }
        return nil
    }

    private enum Step {
        /// A place at the bottom.
        case at(UInt, Node)
        /// A place that is set, and no node in it; and the first index behind it.
        case hole(UInt, UInt?)
        /// No such place before that index; nil at the end of all indices.
        case nothing(UInt?)
        /// None up to the maximum.
        case end
    }

    /// One way down, from place to place that `places` has set.
    private static func step(
        _ head: Node, _ start: UInt, to max: UInt, _ places: (Node) -> UInt64
    ) -> Step {
        var node = head
        var index = start
        while true {
            let offset = offset(index, node)
            let set = places(node) >> UInt64(offset)
            guard set != 0 else { return .nothing(after(index, node.pointee.shift &+ bits)) }
            let skip = UInt(set.trailingZeroBitCount)
            if skip > 0 {
                let shift = UInt(node.pointee.shift)
                index = ((index >> shift) &+ skip) << shift
                if index > max { return .end }
            }
            if node.pointee.shift == 0 { return .at(index, node) }
            guard let next = child(node, Tree.offset(index, node)) else {
                return .hole(index, after(index, node.pointee.shift))
            }
            node = next
        }
    }

    /// The first index behind those that differ from this one in the lowest `shift` bits only.
    private static func after(_ index: UInt, _ shift: UInt32) -> UInt? {
        guard shift < UInt32(UInt.bitWidth) else { return nil }
        let next = (index >> UInt(shift)) &+ 1
        let first = next << UInt(shift)
        return first == 0 ? nil : first
    }

    // MARK: Writing

    /// Puts an entry into a place, or empties it.
    /// - Returns: false for want of memory; nothing has changed then
    package func store(_ index: UInt, _ entry: Entry?) -> Bool {
        guard let entry else {
            if let (node, offset) = bottom(index) { clear(node, offset) }
            return true
        }
        guard let (node, offset) = makeBottom(index) else { return false }
        cio_tree_set_slot(node, offset, entry)
        Tree.setFull(node, offset, true)
        return true
    }

    /// For entries that have room in them.
    package func setFull(_ index: UInt, _ isFull: Bool) {
        if let (node, offset) = bottom(index) { Tree.setFull(node, offset, isFull) }
    }

    private func clear(_ node: Node, _ offset: UInt32) {
        guard cio_tree_slot(node, offset) != nil else { return }
        for mark in 0..<Tree.marks { Tree.setMark(node, offset, mark, false) }
        Tree.setFull(node, offset, false)
        cio_tree_set_slot(node, offset, nil)
        prune(node)
    }

    /// Takes nodes out that have nothing in them.
    private func prune(_ empty: Node) {
        var node = empty
        while node.pointee.present == 0 {
            let parent = node.pointee.parent
            if let parent {
                cio_tree_set_slot(parent, node.pointee.offset, nil)
            } else {
                cio_tree_set_head(array, nil)
            }
            cio_tree_retire(node)
            guard let parent else { return }
            node = parent
        }
    }

    /// Takes all nodes out; what they hold is the caller's.
    package func removeAll(_ body: (Entry) -> Void) {
        guard let head = cio_tree_head(array) else { return }
        cio_tree_set_head(array, nil)
        // Readers in it still find their way: slots stay as they are.
        var node = head
        var place: UInt32 = 0
        while true {
            let rest = place < UInt32(Tree.slots) ? node.pointee.present >> UInt64(place) : 0
            if rest != 0 {
                place &+= UInt32(rest.trailingZeroBitCount)
                if node.pointee.shift > 0, let next = Tree.child(node, place) {
                    node = next
                    place = 0
                } else {
                    if node.pointee.shift == 0, let entry = cio_tree_slot(node, place) {
                        body(entry)
                    }
                    place &+= 1
                }
            } else {
                let parent = node.pointee.parent
                place = node.pointee.offset &+ 1
                cio_tree_retire(node)
                guard let parent else { return }
                node = parent
            }
        }
    }

    // MARK: Growing

    /// The node at the bottom, made if need be.
    private func makeBottom(_ index: UInt) -> (Node, UInt32)? {
        guard grow(to: index), var node = cio_tree_head(array) else { return nil }
        while node.pointee.shift > 0 {
            let offset = Tree.offset(index, node)
            if let next = Tree.child(node, offset) {
                node = next
                continue
            }
            guard let next = Tree.make(node.pointee.shift &- Tree.bits) else {
                prune(node)
                return nil
            }
            next.pointee.parent = node
            next.pointee.offset = offset
            cio_tree_set_slot(node, offset, next)
            node = next
        }
        return (node, Tree.offset(index, node))
    }

    /// Makes heads until one has the index below it.
    private func grow(to index: UInt) -> Bool {
        guard var head = cio_tree_head(array) else {
            var shift: UInt32 = 0
            while shift &+ Tree.bits < UInt32(UInt.bitWidth), index >> UInt(shift) >= Tree.slots {
                shift &+= Tree.bits
            }
            guard let first = Tree.make(shift) else { return false }
            cio_tree_set_head(array, first)
            return true
        }
        while index > Tree.last(head) {
            guard let above = Tree.make(head.pointee.shift &+ Tree.bits) else { return false }
            cio_tree_set_slot(above, 0, head)
            if head.pointee.full == UInt64.max { above.pointee.full |= 1 }
            for mark in 0..<Tree.marks where cio_tree_bits(head, mark) != 0 {
                cio_tree_set_mark(above, mark, 0, true)
            }
            head.pointee.parent = above
            head.pointee.offset = 0
            cio_tree_set_head(array, above)
            head = above
        }
        return true
    }

    private static func make(_ shift: UInt32) -> Node? {
        guard let node = Memory.allocate(cio_tree_node.self) else { return nil }
        node.pointee.shift = shift
        // The highest node has fewer places than others.
        let used = UInt32(UInt.bitWidth) &- shift
        if used < bits { node.pointee.full = UInt64.max << (UInt64(1) << UInt64(used)) }
        return node
    }

    // MARK: Marks and room

    package func isMarked(_ index: UInt, _ mark: UInt32) -> Bool {
        guard mark < Tree.marks, let (node, offset) = bottom(index) else { return false }
        return cio_tree_bits(node, mark) >> UInt64(offset) & 1 != 0
    }

    package func isAnythingMarked(_ mark: UInt32) -> Bool {
        guard mark < Tree.marks, let head = cio_tree_head(array) else { return false }
        return cio_tree_bits(head, mark) != 0
    }

    package func setMark(_ index: UInt, _ mark: UInt32, _ set: Bool) {
        guard let (node, offset) = bottom(index), cio_tree_slot(node, offset) != nil else { return }
        Tree.setMark(node, offset, mark, set)
    }

    private static func setMark(_ bottom: Node, _ place: UInt32, _ mark: UInt32, _ set: Bool) {
        var node = bottom
        var offset = place
        while cio_tree_bits(node, mark) >> UInt64(offset) & 1 != (set ? 1 : 0) {
            cio_tree_set_mark(node, mark, offset, set)
            // Another mark in this node keeps it marked above.
            guard set || cio_tree_bits(node, mark) == 0, let parent = node.pointee.parent else {
                return
            }
            offset = node.pointee.offset
            node = parent
        }
    }

    private static func setFull(_ bottom: Node, _ place: UInt32, _ isFull: Bool) {
        var node = bottom
        var offset = place
        while true {
            let before = node.pointee.full
            let bit = UInt64(1) << UInt64(offset)
            node.pointee.full = isFull ? before | bit : before & ~bit
            let changes = isFull ? node.pointee.full == UInt64.max : before == UInt64.max
            guard changes, node.pointee.full != before, let parent = node.pointee.parent else {
                return
            }
            offset = node.pointee.offset
            node = parent
        }
    }

    // MARK: Places

    private static func offset(_ index: UInt, _ node: Node) -> UInt32 {
        UInt32(truncatingIfNeeded: index >> UInt(node.pointee.shift) & (slots &- 1))
    }

    /// The highest index below a node that is the head.
    private static func last(_ node: Node) -> UInt {
        let width = node.pointee.shift &+ bits
        return width >= UInt32(UInt.bitWidth) ? UInt.max : (UInt(1) << UInt(width)) &- 1
    }

    private static func child(_ node: Node, _ offset: UInt32) -> Node? {
        cio_tree_slot(node, offset)?.assumingMemoryBound(to: cio_tree_node.self)
    }
}

@_cdecl("cio_tree_free") @implementation
public func cio_tree_free(_ node: UnsafeMutablePointer<cio_tree_node>) {
    Memory.free(node)
}
