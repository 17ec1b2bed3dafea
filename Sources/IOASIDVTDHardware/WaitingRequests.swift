// SPDX-License-Identifier: MIT
// What a device has asked for, and what it was answered.

import IOASIDMemory

/// The page requests of one device, one a page. So many may wait for their answer at a time; an
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

    /// What was answered to the former users of a PASID is not for the next.
    @inline(__always)
    mutating func forgetAnswers(_ isConcerned: (PASID?) -> Bool) {
        for index in 0..<WaitingRequests.slots {
            guard slots[index].state != .waiting, slots[index].state != .free,
                isConcerned(slots[index].pasid)
            else { continue }
            free(index)
        }
    }

    /// - Returns: the group under which the answer will come; nil if too many are waiting.
    mutating func begin(_ request: Request) -> UInt32? {
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
        guard waiting < WaitingRequests.credits, let room else { return nil }
        repeat {
            nextGroup = (nextGroup &+ 1) % WaitingRequests.groups
        } while index(where: { $0.state == .waiting && $0.group == nextGroup }) != nil
        if slots[room].state == .free { used &+= 1 }
        slots[room] = Slot(
            state: .waiting, group: nextGroup, pasid: request.pasid, page: request.address.page)
        return nextGroup
    }

    /// Free ones first, then the answer that was given longest ago.
    private func isBefore(_ one: Int, _ other: Int) -> Bool {
        guard slots[other].state != .free else { return false }
        return slots[one].state == .free || slots[one].age < slots[other].age
    }

    mutating func answer(pasid: PASID?, group: UInt32, code: UInt32) {
        let index = index(where: {
            $0.state == .waiting && $0.group == group && $0.pasid == pasid
        })
        guard let index else { return }
        answers &+= 1
        slots[index].age = answers
        slots[index].state = code == 0 ? .granted : .refused
    }
}
