// SPDX-License-Identifier: MIT
// The fault recording registers (section 10.4.14).

@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory

/// The fault log: 64 registers of 128 bits, which hardware fills and software empties in order.
package struct FaultLog {
    static let size = 64
    private let registers: Ref<UInt64>
    private var oldest = 0
    private var count = 0

    init?() {
        guard let registers = Memory.allocate(FaultLog.size &* 2, of: UInt64.self) else {
            return nil
        }
        self.registers = registers
    }

    func discard() { Memory.free(registers) }

    /// - Returns: false if the log is full (fault overflow).
    mutating func record(_ fault: Fault, _ request: Request, source: SourceID) -> Bool {
        guard count < FaultLog.size else { return false }
        var high = UInt64(source.number) | UInt64(fault.reason) << 32 | 1 << 63
        if request.isPrivileged { high |= 1 << 29 }
        if request.isExecute { high |= 1 << 30 }
        if !request.isWrite { high |= 1 << 62 }
        if let pasid = request.pasid { high |= 1 << 31 | UInt64(pasid.number) << 40 }
        let slot = (oldest &+ count) % FaultLog.size &* 2
        registers[slot] = request.address.page << pageShift
        registers[slot &+ 1] = high
        count &+= 1
        return true
    }

    package mutating func take() -> vtd_fault? {
        guard count > 0 else { return nil }
        let low = registers[oldest &* 2]
        let high = registers[oldest &* 2 &+ 1]
        oldest = (oldest &+ 1) % FaultLog.size
        count &-= 1
        var access = high & 1 << 62 != 0 ? VTD_DMA_READ : VTD_DMA_WRITE
        if high & 1 << 30 != 0 { access |= VTD_DMA_EXEC }
        if high & 1 << 29 != 0 { access |= VTD_DMA_PRIV }
        let pasid = high & 1 << 31 != 0 ? UInt32(high >> 40 & 0xfffff) : UInt32.max
        return vtd_fault(
            address: low, pasid: pasid, reason: UInt32(high >> 32 & 0xff), access: access,
            source_id: UInt16(truncatingIfNeeded: high))
    }
}
