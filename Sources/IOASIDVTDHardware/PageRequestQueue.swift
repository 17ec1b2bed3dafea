// SPDX-License-Identifier: MIT
// Page requests (section 7.4): the unit's queue in memory, and what each device waits for.

@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory

/// The ring of 128 descriptors of 256 bits. Hardware moves the tail, software the head.
package struct PageRequestQueue {
    package static let pages: UInt64 = 1
    private static let slots: UInt64 = 128

    package let base: UInt64
    private var head: UInt64 = 0
    private var tail: UInt64 = 0
    /// Software has masked the interrupt.
    package var isMasked = false

    package init(base: UInt64) { self.base = base }

    private func slotAddress(_ index: UInt64) -> UInt64 { base &+ index &* 32 }

    /// - Returns: false if the queue is full (overflow).
    package mutating func add(
        _ memory: PhysicalMemory, _ request: Request, sourceID: UInt16, group: UInt32
    ) -> Bool {
        let next = (tail &+ 1) % PageRequestQueue.slots
        guard next != head else { return false }
        var low = UInt64(1) | UInt64(sourceID) << 16
        if let pasid = request.pasid { low |= 1 << 8 | UInt64(pasid) << 32 }
        if request.access & VTD_DMA_EXEC != 0 { low |= 1 << 52 }
        if request.isPrivileged { low |= 1 << 53 }
        var high = request.page << pageShift | UInt64(group) << 3 | 1 << 2  // last in its group
        if request.access & VTD_DMA_READ != 0 { high |= 1 << 0 }
        if request.access & VTD_DMA_WRITE != 0 { high |= 1 << 1 }
        let at = slotAddress(tail)
        memory.setWord(at, low)
        memory.setWord(at &+ 8, high)
        memory.setWord(at &+ 16, 0)
        memory.setWord(at &+ 24, 0)
        tail = next
        return true
    }

    package var count: UInt64 { (tail &- head) % PageRequestQueue.slots }

    /// Puts a request that was taken at the end again.
    package mutating func putBack(_ memory: PhysicalMemory, _ request: PageRequest) {
        let at = slotAddress(tail)
        memory.setWord(at, request.low)
        memory.setWord(at &+ 8, request.high)
        tail = (tail &+ 1) % PageRequestQueue.slots
    }

    package mutating func take(_ memory: PhysicalMemory) -> PageRequest? {
        guard head != tail else { return nil }
        let at = slotAddress(head)
        head = (head &+ 1) % PageRequestQueue.slots
        return PageRequest(low: memory.word(at) ?? 0, high: memory.word(at &+ 8) ?? 0)
    }
}

/// A page request descriptor (section 7.4.1.1).
package struct PageRequest {
    package let low: UInt64
    package let high: UInt64

    package var hasPASID: Bool { low & 1 << 8 != 0 }
    package var sourceID: UInt16 { UInt16(truncatingIfNeeded: low >> 16) }
    package var pasid: UInt32 { UInt32(low >> 32 & 0xfffff) }
    package var group: UInt32 { UInt32(high >> 3 & 0x1ff) }
    package var address: UInt64 { high & ~(pageSize &- 1) }
    package var wantsRead: Bool { high & 1 != 0 }
    package var wantsWrite: Bool { high & 2 != 0 }
    package var wantsExecute: Bool { low & 1 << 52 != 0 }
    package var isPrivileged: Bool { low & 1 << 53 != 0 }
}

/// The page requests of one device that wait for their answer, one a page.
package struct WaitingRequests {
    package enum State {
        case free, waiting, granted, refused
    }

    private struct Slot {
        var state = State.free
        var group: UInt32 = 0
        /// nil, as in Request, but with all bytes zero valid.
        var pasidPlusOne: UInt32 = 0
        var page: UInt64 = 0
    }

    private static let limit = 32
    private let slots: Ref<Slot>
    private var nextGroup: UInt32 = 0

    package init?() {
        guard let slots = Memory.allocate(WaitingRequests.limit, of: Slot.self) else { return nil }
        for index in 0..<WaitingRequests.limit { slots[index] = Slot() }
        self.slots = slots
    }

    package func discard() { Memory.free(slots) }

    @inline(__always)
    private func index(where isWanted: (Slot) -> Bool) -> Int? {
        for index in 0..<WaitingRequests.limit where isWanted(slots[index]) { return index }
        return nil
    }

    private func index(of request: Request) -> Int? {
        let pasid = (request.pasid ?? UInt32.max) &+ 1
        return index {
            $0.state != .free && $0.pasidPlusOne == pasid && $0.page == request.page
        }
    }

    package func state(of request: Request) -> State {
        guard let index = index(of: request) else { return .free }
        return slots[index].state
    }

    package func forget(_ request: Request) {
        guard let index = index(of: request) else { return }
        slots[index].state = .free
    }

    /// - Returns: the group under which the answer will come; nil if too many are waiting.
    package mutating func begin(_ request: Request) -> UInt32? {
        guard let index = index(where: { $0.state == .free }) else { return nil }
        repeat {
            nextGroup = (nextGroup &+ 1) & 0x1ff
        } while self.index(where: { $0.state == .waiting && $0.group == nextGroup }) != nil
        slots[index] = Slot(
            state: .waiting, group: nextGroup,
            pasidPlusOne: (request.pasid ?? UInt32.max) &+ 1, page: request.page)
        return nextGroup
    }

    package func answer(pasid: UInt32?, group: UInt32, code: UInt32) {
        let pasidPlusOne = (pasid ?? UInt32.max) &+ 1
        guard
            let index = index(where: {
                $0.state == .waiting && $0.group == group && $0.pasidPlusOne == pasidPlusOne
            })
        else { return }
        slots[index].state = code == 0 ? .granted : .refused
    }
}
