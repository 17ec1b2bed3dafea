// SPDX-License-Identifier: MIT
// The page request queue of a unit (section 7.4): a ring in memory, with head and tail registers.

@preconcurrency import CIOASIDVTDHardware

/// The ring of descriptors of 256 bits. Hardware moves the tail, software the head. One comes with the
/// unit; software may put it elsewhere by the registers.
package struct PageRequestQueue {
    static let pages: UInt64 = 1
    private static let stride: UInt64 = 32

    private(set) var base: HPA
    private(set) var order: UInt64 = 0
    /// In bytes from the base, as in the registers.
    private(set) var head: UInt64 = 0
    private(set) var tail: UInt64 = 0
    /// PPR: there are requests that software has not been told of, or has not said that it knows.
    var isPending = false
    /// PRO: a request found the queue full. Until software clears it, none is put in.
    var hasOverflown = false

    init(base: HPA) { self.base = base }

    private var mask: UInt64 { (pageSize << order) &- PageRequestQueue.stride }
    private func after(_ place: UInt64) -> UInt64 { (place &+ PageRequestQueue.stride) & mask }

    // MARK: Registers

    mutating func place(_ base: HPA, order: UInt64) {
        self.base = base
        self.order = order
        head &= mask
        tail &= mask
    }

    mutating func setHead(_ place: UInt64) { head = place & mask }
    mutating func setTail(_ place: UInt64) { tail = place & mask }

    // MARK: Hardware's side

    /// - Returns: false if it does not get in (overflow).
    mutating func add(
        _ memory: PhysicalMemory, _ request: Request, source: SourceID, group: UInt32, isLast: Bool
    ) -> Bool {
        guard !hasOverflown else { return false }
        guard after(tail) != head, memory.contains(base + tail, PageRequestQueue.stride) else {
            hasOverflown = true
            return false
        }
        let sent = PageRequest(request, source: source, group: group, isLast: isLast)
        let at = base + tail
        memory.setWord(at, sent.low)
        memory.setWord(at + 8, sent.high)
        memory.setWord(at + 16, 0)
        memory.setWord(at + 24, 0)
        tail = after(tail)
        return true
    }

    // MARK: Software's side

    package var count: UInt64 { ((tail &- head) & mask) / PageRequestQueue.stride }

    /// Puts a request that was taken at the end again.
    package mutating func putBack(_ memory: PhysicalMemory, _ request: PageRequest) {
        memory.setWord(base + tail, request.low)
        memory.setWord(base + tail + 8, request.high)
        tail = after(tail)
    }

    /// Where there is room again, an overflow is over.
    package mutating func take(_ memory: PhysicalMemory) -> PageRequest? {
        isPending = false
        hasOverflown = false
        guard head != tail else { return nil }
        let at = base + head
        head = after(head)
        return PageRequest(low: memory.word(at) ?? 0, high: memory.word(at + 8) ?? 0)
    }
}

/// A page request descriptor (section 7.4.1.1).
package struct PageRequest {
    fileprivate let low: UInt64
    fileprivate let high: UInt64

    fileprivate init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    /// As a device would send it.
    package init(_ request: Request, source: SourceID, group: UInt32, isLast: Bool) {
        var low = UInt64(1) | UInt64(source.number) << 16
        if let pasid = request.pasid { low |= 1 << 8 | UInt64(pasid.number) << 32 }
        if request.isExecute { low |= 1 << 52 }
        if request.isPrivileged { low |= 1 << 53 }
        var high = request.address.page << pageShift | UInt64(group) << 3
        if isLast { high |= 1 << 2 }
        if request.access & VTD_DMA_READ != 0 { high |= 1 << 0 }
        if request.isWrite { high |= 1 << 1 }
        self.init(low: low, high: high)
    }

    /// nil: a request without PASID.
    package var pasid: PASID? { low & 1 << 8 != 0 ? PASID(UInt32(low >> 32 & 0xfffff)) : nil }
    package var source: SourceID { SourceID(UInt16(truncatingIfNeeded: low >> 16)) }
    package var group: UInt32 { UInt32(high >> 3 & 0x1ff) }
    package var address: UInt64 { high & ~(pageSize &- 1) }
    package var wantsRead: Bool { high & 1 != 0 }
    package var wantsWrite: Bool { high & 2 != 0 }
    package var wantsExecute: Bool { low & 1 << 52 != 0 }
    /// The last of its group: the only one that is answered.
    package var isLast: Bool { high & 4 != 0 }
    package var isPrivileged: Bool { low & 1 << 53 != 0 }
}
