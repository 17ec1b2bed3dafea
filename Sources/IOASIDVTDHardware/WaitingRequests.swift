// SPDX-License-Identifier: MIT
// What a device has asked for, and what it was answered.

@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory

/// The page requests of one device, in groups of one or of several pages. So many may wait for their answer at a time; an
/// answer gives the credit back, and is remembered until the device comes back to the page, or the
/// room is wanted, or the device is told to forget the PASID.
struct WaitingRequests {
    enum State {
        case free, waiting, granted, refused
    }

    private struct Slot {
        var state = State.free
        var group: UInt32 = 0
        var pasid: PASID?
        var page: UInt64 = 0
        /// When it was answered.
        var age: UInt64 = 0
        /// The last request of its group has not been sent: nobody can answer yet.
        var isPartial = false
        var code: UInt32 = 0
    }

    /// How many may wait at a time; and as many answers are remembered.
    private static let credits = 32
    private static let slots = 2 * credits
    private static let groups: UInt32 = 512

    private let slots: UnsafeMutablePointer<Slot>
    /// How many are not free: nearly always none.
    private var used = 0
    private var nextGroup: UInt32 = 0
    private var answers: UInt64 = 0

    init?() {
        guard let slots = Memory.allocate(WaitingRequests.slots, of: Slot.self) else { return nil }
        for index in 0..<WaitingRequests.slots { slots[index] = Slot() }
        self.slots = slots
    }

    func discard() { Memory.free(slots) }

    @inline(__always)
    private func index(where isWanted: (Slot) -> Bool) -> Int? {
        for index in 0..<WaitingRequests.slots where isWanted(slots[index]) { return index }
        return nil
    }

    private func index(of request: Request) -> Int? {
        guard used > 0 else { return nil }
        return index {
            $0.state != .free && $0.pasid == request.pasid && $0.page == request.address.page
        }
    }

    func state(of request: Request) -> State {
        guard let index = index(of: request) else { return .free }
        return slots[index].state
    }

    func has(_ request: Request) -> Bool { index(of: request) != nil }

    mutating func forget(_ request: Request) {
        guard let index = index(of: request) else { return }
        free(index)
    }

    private mutating func free(_ index: Int) {
        slots[index].state = .free
        used &-= 1
    }

    /// What was answered to the former users of a PASID is not for the next; nor are groups that they
    /// have begun and not ended.
    @inline(__always)
    mutating func forgetAnswers(_ isConcerned: (PASID?) -> Bool) {
        for index in 0..<WaitingRequests.slots {
            guard slots[index].state != .free,
                slots[index].state != .waiting || slots[index].isPartial,
                isConcerned(slots[index].pasid)
            else { continue }
            free(index)
        }
    }

    /// - Returns: the group under which the answer will come; nil if too many are waiting.
    mutating func begin(_ request: Request) -> UInt32? {
        guard let room = room() else { return nil }
        repeat {
            nextGroup = (nextGroup &+ 1) % WaitingRequests.groups
        } while index(where: { $0.state == .waiting && $0.group == nextGroup }) != nil
        take(room, request, group: nextGroup, isPartial: false)
        return nextGroup
    }

    /// One more request of a group that the device numbers itself.
    /// - Returns: 0; -EBUSY the group waits for its answer; -EAGAIN too many are waiting.
    mutating func begin(_ request: Request, group: UInt32, isLast: Bool) -> CInt {
        let isTaken = index {
            $0.state == .waiting && $0.group == group
                && ($0.pasid != request.pasid || !$0.isPartial)
        }
        guard isTaken == nil else { return -EBUSY }
        let old = index(of: request)
        if let old, slots[old].state == .waiting { return -EBUSY }
        guard let room = old ?? room() else { return -EAGAIN }
        take(room, request, group: group, isPartial: true)
        if isLast { close(request.pasid, group) }
        return 0
    }

    private mutating func close(_ pasid: PASID?, _ group: UInt32) {
        for index in 0..<WaitingRequests.slots
        where slots[index].state == .waiting && slots[index].group == group
            && slots[index].pasid == pasid
        {
            slots[index].isPartial = false
        }
    }

    private mutating func take(_ room: Int, _ request: Request, group: UInt32, isPartial: Bool) {
        if slots[room].state == .free { used &+= 1 }
        slots[room] = Slot(
            state: .waiting, group: group, pasid: request.pasid, page: request.address.page,
            isPartial: isPartial)
    }

    private func room() -> Int? {
        var waiting = 0
        var room: Int?
        for index in 0..<WaitingRequests.slots {
            guard slots[index].state != .waiting else {
                waiting &+= 1
                continue
            }
            if let best = room, !isBefore(index, best) { continue }
            room = index
        }
        return waiting < WaitingRequests.credits ? room : nil
    }

    /// Free ones first, then the answer that was given longest ago.
    private func isBefore(_ one: Int, _ other: Int) -> Bool {
        guard slots[other].state != .free else { return false }
        return slots[one].state == .free || slots[one].age < slots[other].age
    }

    /// Of all pages of a group.
    mutating func answer(pasid: PASID?, group: UInt32, code: UInt32) {
        guard used > 0 else { return }
        for index in 0..<WaitingRequests.slots
        where slots[index].state == .waiting && !slots[index].isPartial
            && slots[index].group == group && slots[index].pasid == pasid
        {
            answers &+= 1
            slots[index].age = answers
            slots[index].code = code
            slots[index].state = code == 0 ? .granted : .refused
        }
    }

    /// - Returns: how a group was answered last; -EAGAIN not yet; -ENOENT it is not remembered.
    func answer(pasid: PASID?, group: UInt32) -> CInt {
        var latest: UInt64 = 0
        var result = -ENOENT
        guard used > 0 else { return result }
        for index in 0..<WaitingRequests.slots
        where slots[index].state != .free && slots[index].group == group
            && slots[index].pasid == pasid
        {
            if slots[index].state == .waiting { return -EAGAIN }
            guard slots[index].age > latest else { continue }
            latest = slots[index].age
            result = CInt(slots[index].code)
        }
        return result
    }
}
