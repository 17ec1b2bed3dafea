// SPDX-License-Identifier: MIT
// Ids of a set in one state, linked through their links in the order they came.

import IOASIDMemory

/// Joining and leaving are O(1) and need no memory, so that freeing always succeeds.
struct MemberList {
    private(set) var first: ID
    private(set) var last: ID

    static var empty: MemberList { MemberList(first: .invalid, last: .invalid) }

    /// - Parameter areFlat: all ids are the default allocator's.
    @inline(__always)
    mutating func append(_ id: ID, _ links: Ref<Links>, areFlat: Bool = false) {
        links.pointee.previous = last
        links.pointee.next = .invalid
        if last == .invalid {
            first = id
        } else {
            IDTable.memberLinks(of: last, isFlat: areFlat).pointee.next = id
        }
        last = id
    }

    @inline(__always)
    mutating func remove(_ links: Ref<Links>, areFlat: Bool = false) {
        let previous = links.pointee.previous
        let next = links.pointee.next
        if previous == .invalid {
            first = next
        } else {
            IDTable.memberLinks(of: previous, isFlat: areFlat).pointee.next = next
        }
        if next == .invalid {
            last = previous
        } else {
            IDTable.memberLinks(of: next, isFlat: areFlat).pointee.previous = previous
        }
    }

    /// - Returns: the member after this one; `.invalid` after the last.
    static func next(after id: ID) -> ID { IDTable.memberLinks(of: id).pointee.next }
}
