// SPDX-License-Identifier: MIT
// The page request queue of a unit (section 7.4): a ring in memory, with head and tail registers.

@preconcurrency import CIOASIDVTDHardware

/// The ring of descriptors of 256 bits. Hardware moves the tail, software the head.
package struct PageRequestQueue {
    static let pages: UInt64 = 1
    private static let slots: UInt64 = 128

    let base: HPA
    private var head: UInt64 = 0
    private var tail: UInt64 = 0
    /// Software has masked the interrupt.
    package var isMasked = false

    init(base: HPA) { self.base = base }

    private func slotAddress(_ index: UInt64) -> HPA { base + index &* 32 }

    /// - Returns: false if the queue is full (overflow).
    mutating func add(
        _ memory: PhysicalMemory, _ request: Request, source: SourceID, group: UInt32
    ) -> Bool {
        let next = (tail &+ 1) % PageRequestQueue.slots
        guard next != head else { return false }
        var low = UInt64(1) | UInt64(source.number) << 16
        if let pasid = request.pasid { low |= 1 << 8 | UInt64(pasid.number) << 32 }
        if request.isExecute { low |= 1 << 52 }
        if request.isPrivileged { low |= 1 << 53 }
        var high = request.address.page << pageShift | UInt64(group) << 3
        high |= 1 << 2  // last in its group
        if request.access & VTD_DMA_READ != 0 { high |= 1 << 0 }
        if request.isWrite { high |= 1 << 1 }
        let at = slotAddress(tail)
        memory.setWord(at, low)
        memory.setWord(at + 8, high)
        memory.setWord(at + 16, 0)
        memory.setWord(at + 24, 0)
        tail = next
        return true
    }

    package var count: UInt64 { (tail &- head) % PageRequestQueue.slots }

    /// Puts a request that was taken at the end again.
    package mutating func putBack(_ memory: PhysicalMemory, _ request: PageRequest) {
        let at = slotAddress(tail)
        memory.setWord(at, request.low)
        memory.setWord(at + 8, request.high)
        tail = (tail &+ 1) % PageRequestQueue.slots
    }

    package mutating func take(_ memory: PhysicalMemory) -> PageRequest? {
        guard head != tail else { return nil }
        let at = slotAddress(head)
        head = (head &+ 1) % PageRequestQueue.slots
        return PageRequest(low: memory.word(at) ?? 0, high: memory.word(at + 8) ?? 0)
    }
}

/// A page request descriptor (section 7.4.1.1).
package struct PageRequest {
    fileprivate let low: UInt64
    fileprivate let high: UInt64

    /// nil: a request without PASID.
    package var pasid: PASID? { low & 1 << 8 != 0 ? PASID(UInt32(low >> 32 & 0xfffff)) : nil }
    package var source: SourceID { SourceID(UInt16(truncatingIfNeeded: low >> 16)) }
    package var group: UInt32 { UInt32(high >> 3 & 0x1ff) }
    package var address: UInt64 { high & ~(pageSize &- 1) }
    package var wantsRead: Bool { high & 1 != 0 }
    package var wantsWrite: Bool { high & 2 != 0 }
    package var wantsExecute: Bool { low & 1 << 52 != 0 }
    package var isPrivileged: Bool { low & 1 << 53 != 0 }
}
