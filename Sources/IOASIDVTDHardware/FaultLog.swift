// SPDX-License-Identifier: MIT
// The fault recording registers (section 10.4.14).

@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory

/// The fault log: 64 registers of 128 bits, which hardware fills in order; software empties them, by
/// clearing F, in any.
package struct FaultLog {
    static let size = 64
    private static let isFault: UInt64 = 1 << 63

    private let registers: UnsafeMutablePointer<UInt64>
    /// Where the next fault goes, and where the search for the oldest begins.
    private var next = 0
    private var oldest = 0
    /// PFO: a fault found its register taken. Until software clears it, none is recorded.
    private(set) var hasOverflown = false

    init?() {
        guard let registers = Memory.allocate(FaultLog.size &* 2, of: UInt64.self) else {
            return nil
        }
        self.registers = registers
    }

    func discard() { Memory.free(registers) }

    private func isTaken(_ index: Int) -> Bool {
        registers[index &* 2 &+ 1] & FaultLog.isFault != 0
    }

    /// - Returns: false if it is lost (fault overflow).
    mutating func record(_ fault: Fault, _ request: Request, source: SourceID) -> Bool {
        guard !hasOverflown, !isTaken(next) else {
            hasOverflown = true
            return false
        }
        var high = UInt64(source.number) | UInt64(fault.reason) << 32 | FaultLog.isFault
        if request.isPrivileged { high |= 1 << 29 }
        if request.isExecute { high |= 1 << 30 }
        if !request.isWrite { high |= 1 << 62 }
        if let pasid = request.pasid { high |= 1 << 31 | UInt64(pasid.number) << 40 }
        registers[next &* 2] = request.address.page << pageShift
        registers[next &* 2 &+ 1] = high
        next = (next &+ 1) % FaultLog.size
        return true
    }

    /// - Returns: the register of the oldest fault; nil if there is none (PPF is clear).
    mutating func pending() -> Int? {
        for _ in 0..<FaultLog.size {
            if isTaken(oldest) { return oldest }
            oldest = (oldest &+ 1) % FaultLog.size
        }
        return nil
    }

    // MARK: As registers

    /// - Parameter word: 0 is the lower half of register 0, 1 its upper half
    func word(_ word: Int) -> UInt64 { registers[word] }

    mutating func clear(_ index: Int) {
        registers[index &* 2] = 0
        registers[index &* 2 &+ 1] = 0
    }

    mutating func clearOverflow() { hasOverflown = false }

    // MARK: As a log

    package mutating func take() -> vtd_fault? {
        guard let index = pending() else { return nil }
        let low = registers[index &* 2]
        let high = registers[index &* 2 &+ 1]
        clear(index)
        clearOverflow()
        var access = high & 1 << 62 != 0 ? VTD_DMA_READ : VTD_DMA_WRITE
        if high & 1 << 30 != 0 { access |= VTD_DMA_EXEC }
        if high & 1 << 29 != 0 { access |= VTD_DMA_PRIV }
        let pasid = high & 1 << 31 != 0 ? UInt32(high >> 40 & 0xfffff) : UInt32.max
        return vtd_fault(
            address: low, pasid: pasid, reason: UInt32(high >> 32 & 0xff), access: access,
            source_id: UInt16(truncatingIfNeeded: high))
    }
}
