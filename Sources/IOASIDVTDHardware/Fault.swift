// SPDX-License-Identifier: MIT
// Faults: what a table walk throws, and the fault recording registers (section 10.4.14).

@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory

package struct Fault: Error {
    package let reason: UInt32
    /// An entry on the way says that faults are not to be recorded (FPD).
    package var isQuiet = false

    package init(_ reason: vtd_fault_reason, quiet: Bool = false) {
        self.reason = reason.rawValue
        isQuiet = quiet
    }

    /// Would another answer of the page tables help? Then a device with PRI asks for the page.
    package var isRecoverable: Bool {
        reason == VTD_FAULT_FL_NOT_PRESENT.rawValue || reason == VTD_FAULT_SL_PERMISSION.rawValue
            || reason == VTD_FAULT_USER.rawValue || reason == VTD_FAULT_NO_WRITE.rawValue
    }
}

/// A request on its way: what a device asks for.
package struct Request {
    /// nil: a request without PASID.
    package let pasid: UInt32?
    package let address: UInt64
    package let access: UInt32

    package init(pasid: UInt32?, address: UInt64, access: UInt32) {
        self.pasid = pasid
        self.address = address
        self.access = access
    }

    package var page: UInt64 { address >> pageShift }
    package var isPrivileged: Bool { access & VTD_DMA_PRIV != 0 }
    /// Read, write and execute.
    package var rights: UInt32 { access & ~VTD_DMA_PRIV }
}

/// The fault log: 64 registers of 128 bits, which hardware fills and software empties in order.
package struct FaultLog {
    package static let size = 64
    private let registers: Ref<UInt64>
    private var oldest = 0
    private var count = 0

    package init?() {
        guard let registers = Memory.allocate(FaultLog.size &* 2, of: UInt64.self) else {
            return nil
        }
        self.registers = registers
    }

    package func discard() { Memory.free(registers) }

    /// - Returns: false if the log is full (fault overflow).
    package mutating func record(_ fault: Fault, _ request: Request, sourceID: UInt16) -> Bool {
        guard count < FaultLog.size else { return false }
        var high = UInt64(sourceID) | UInt64(fault.reason) << 32 | 1 << 63
        if request.isPrivileged { high |= 1 << 29 }
        if request.access & VTD_DMA_EXEC != 0 { high |= 1 << 30 }
        if request.access & VTD_DMA_WRITE == 0 { high |= 1 << 62 }
        if let pasid = request.pasid { high |= 1 << 31 | UInt64(pasid) << 40 }
        let slot = (oldest &+ count) % FaultLog.size &* 2
        registers[slot] = request.page << pageShift
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
