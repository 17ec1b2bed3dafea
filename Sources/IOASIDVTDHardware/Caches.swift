// SPDX-License-Identifier: MIT
// What hardware keeps until it is told to forget: PASID table entries and translations.

@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory

/// A direct-mapped cache: a new entry pushes out the one in its place, and nothing else.
package struct Cache<Entry: CacheEntry> {
    private let slots: Ref<Entry>
    private let mask: UInt64

    /// - Parameter size: a power of two
    package init?(size: Int) {
        guard let slots = Memory.allocate(size, of: Entry.self) else { return nil }
        self.slots = slots
        mask = UInt64(size) &- 1
    }

    package func discard() { Memory.free(slots) }

    @inline(__always)
    private func slot(_ tag: Entry.Tag) -> Int {
        Int(truncatingIfNeeded: Entry.hash(tag) & mask)
    }

    package func lookUp(_ tag: Entry.Tag) -> Entry? {
        let entry = slots[slot(tag)]
        return entry.isValid && entry.matches(tag) ? entry : nil
    }

    package func insert(_ entry: Entry, _ tag: Entry.Tag) { slots[slot(tag)] = entry }

    @inline(__always)
    package func invalidate(_ isConcerned: (Entry) -> Bool) {
        for index in 0...Int(truncatingIfNeeded: mask) where slots[index].isValid {
            if isConcerned(slots[index]) { slots[index].isValid = false }
        }
    }
}

/// All bytes zero is an invalid entry.
package protocol CacheEntry {
    associatedtype Tag
    var isValid: Bool { get set }
    static func hash(_ tag: Tag) -> UInt64
    func matches(_ tag: Tag) -> Bool
}

/// The PASID cache, tagged by device and PASID.
package struct CachedPASID: CacheEntry {
    package struct Tag {
        let sourceID: UInt16
        let pasid: UInt32
    }
    package var isValid = true
    package let sourceID: UInt16
    package let pasid: UInt32
    package let entry: PASIDEntry

    package static func hash(_ tag: Tag) -> UInt64 { UInt64(tag.pasid) &+ UInt64(tag.sourceID) &* 7 }
    package func matches(_ tag: Tag) -> Bool { pasid == tag.pasid && sourceID == tag.sourceID }
}

/// IOTLB and device TLB alike. A device does not know domains: there the id is always 0.
package struct CachedTranslation: CacheEntry {
    package struct Tag {
        let domainID: UInt16
        /// UInt32.max in a device TLB for requests without PASID.
        let pasid: UInt32
        let page: UInt64
        let isPrivileged: Bool
    }
    package var isValid = true
    package let domainID: UInt16
    package let isPrivileged: Bool
    package let pasid: UInt32
    package let page: UInt64
    package let translation: Translation

    package init(_ tag: Tag, _ translation: Translation) {
        domainID = tag.domainID
        isPrivileged = tag.isPrivileged
        pasid = tag.pasid
        page = tag.page
        self.translation = translation
    }

    package static func hash(_ tag: Tag) -> UInt64 {
        (tag.page ^ UInt64(tag.pasid) << 20 ^ UInt64(tag.domainID) << 44)
            &* 0x9e37_79b9_7f4a_7c15 >> 40
    }

    package func matches(_ tag: Tag) -> Bool {
        page == tag.page && pasid == tag.pasid && domainID == tag.domainID
            && isPrivileged == tag.isPrivileged
    }
}
