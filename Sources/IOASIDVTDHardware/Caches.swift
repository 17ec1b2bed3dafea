// SPDX-License-Identifier: MIT
// What hardware keeps until it is told to forget: PASID table entries and translations.

@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory

/// A direct-mapped cache: a new entry pushes out the one in its place, and nothing else.
struct Cache<Entry: CacheEntry> {
    private let slots: UnsafeMutablePointer<Entry>
    private let mask: UInt64

    /// - Parameter size: a power of two
    init?(size: Int) {
        guard let slots = Memory.allocate(size, of: Entry.self) else { return nil }
        self.slots = slots
        mask = UInt64(size) &- 1
    }

    func discard() { Memory.free(slots) }

    @inline(__always)
    private func slot(_ tag: Entry.Tag) -> Int {
        Int(truncatingIfNeeded: tag.hash & mask)
    }

    @inline(__always)
    func lookUp(_ tag: Entry.Tag) -> Entry? {
        let entry = slots[slot(tag)]
        return entry.isValid && entry.tag == tag ? entry : nil
    }

    func insert(_ entry: Entry, _ tag: Entry.Tag) { slots[slot(tag)] = entry }

    @inline(__always)
    func invalidate(_ isConcerned: (Entry) -> Bool) {
        for index in 0...Int(truncatingIfNeeded: mask) where slots[index].isValid {
            if isConcerned(slots[index]) { slots[index].isValid = false }
        }
    }
}

/// Fibonacci hashing: every bit of the number has its part in the lowest ones.
private func scatter(_ bits: UInt64) -> UInt64 { (bits &* 0x9e37_79b9_7f4a_7c15) >> 40 }

private func pasidBits(_ pasid: PASID?) -> UInt64 { UInt64(pasid?.number ?? 1 << 20) << 20 }

protocol CacheTag: Equatable {
    var hash: UInt64 { get }
}

/// All bytes zero is an invalid entry.
protocol CacheEntry {
    associatedtype Tag: CacheTag
    var isValid: Bool { get set }
    var tag: Tag { get }
}

/// The PASID cache, tagged by device and PASID.
struct CachedPASID: CacheEntry {
    struct Tag: CacheTag {
        let source: SourceID
        let pasid: PASID

        var hash: UInt64 { UInt64(pasid.number) &+ UInt64(source.number) &* 7 }
    }
    var isValid = true
    let tag: Tag
    let entry: PASIDEntry
    /// The directory entry, or the table entry, says that faults are not to be recorded.
    let isQuiet: Bool
    /// In caching mode: there is no entry, and why.
    let fault: Fault?

    init(_ tag: Tag, _ fault: Fault) {
        self.tag = tag
        entry = PASIDEntry(word0: 0, word1: 0, word2: 0)
        isQuiet = fault.isQuiet
        self.fault = fault
    }

    init(_ tag: Tag, _ entry: PASIDEntry, isQuiet: Bool) {
        fault = nil
        self.tag = tag
        self.entry = entry
        self.isQuiet = isQuiet
    }
}

/// The IOTLB (section 6.2.4), tagged by domain, and by PASID unless all of a domain's PASIDs are
/// translated alike: by its second-level table alone.
struct CachedTranslation: CacheEntry {
    struct Tag: CacheTag {
        let domain: DomainID
        /// nil: of the second level alone.
        let pasid: PASID?
        let page: UInt64
        let isPrivileged: Bool

        var hash: UInt64 { scatter(page ^ pasidBits(pasid) ^ UInt64(domain.number) << 44) }
    }
    var isValid = true
    let tag: Tag
    let translation: Translation

    init(_ tag: Tag, _ translation: Translation) {
        self.tag = tag
        self.translation = translation
    }
}

/// A second-level leaf that nested translations share, tagged by domain.
struct CachedLeaf: CacheEntry {
    struct Tag: CacheTag {
        let domain: DomainID
        let page: UInt64

        var hash: UInt64 { scatter(page ^ UInt64(domain.number) << 44) }
    }
    var isValid = true
    let tag: Tag
    let translation: Translation

    init(_ tag: Tag, _ translation: Translation) {
        self.tag = tag
        self.translation = translation
    }
}

/// What a device keeps of the answers to its translation requests. It does not know domains.
struct DeviceTranslation: CacheEntry {
    struct Tag: CacheTag {
        /// nil: a request without PASID.
        let pasid: PASID?
        let page: UInt64
        let isPrivileged: Bool

        var hash: UInt64 { scatter(page ^ pasidBits(pasid)) }
    }
    var isValid = true
    let tag: Tag
    let translation: Translation

    init(_ tag: Tag, _ translation: Translation) {
        self.tag = tag
        self.translation = translation
    }
}

/// The aligned pages that a descriptor names: 2^order of them.
struct PageRange {
    private static let all: UInt64 = 52

    private let first: UInt64
    private let order: UInt64

    init(address: UInt64, order: UInt64) {
        self.order = order
        first = (address >> pageShift) >> order
    }

    /// Of a device-TLB descriptor: the lowest zero bit of a sized address says how large it is.
    init(device word: UInt64, isSized: Bool) {
        let page = word >> pageShift
        self.init(
            address: word,
            order: isSized ? min(UInt64((~page).trailingZeroBitCount) &+ 1, PageRange.all) : 0)
    }

    var isEverything: Bool { order == PageRange.all }

    /// Is a page, or another page of the mapping that it is from, among them?
    func concerns(_ page: UInt64, _ translation: Translation) -> Bool {
        let order = max(order, translation.order)
        return page >> order == (first << self.order) >> order
    }
}
