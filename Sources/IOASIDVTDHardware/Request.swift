// SPDX-License-Identifier: MIT
// A request on its way, and the fault that a table walk throws for it.

@preconcurrency import CIOASIDVTDHardware

/// What a device asks for.
package struct Request {
    /// nil: a request without PASID.
    package let pasid: PASID?
    package let address: IOVA
    package let access: UInt32

    package init(pasid: PASID?, address: IOVA, access: UInt32) {
        self.pasid = pasid
        self.address = address
        self.access = access
    }

    package var isPrivileged: Bool { access & VTD_DMA_PRIV != 0 }
    package var isWrite: Bool { access & VTD_DMA_WRITE != 0 }
    package var isExecute: Bool { access & VTD_DMA_EXEC != 0 }
    /// Read, write and execute.
    var rights: UInt32 { access & ~VTD_DMA_PRIV }
}

struct Fault: Error {
    let reason: UInt32
    /// An entry on the way says that faults are not to be recorded (FPD).
    var isQuiet = false
    /// Nothing is there, as opposed to something that does not allow the request.
    var isAbsent = false

    init(_ reason: vtd_fault_reason, quiet: Bool = false) {
        self.reason = reason.rawValue
        isQuiet = quiet
    }

    func `is`(_ reason: vtd_fault_reason) -> Bool { self.reason == reason.rawValue }

    /// Would another answer of the page tables help? Then a device with PRI asks for the page.
    var isRecoverable: Bool {
        `is`(VTD_FAULT_FL_NOT_PRESENT) || `is`(VTD_FAULT_SL_PERMISSION) || `is`(VTD_FAULT_USER)
            || `is`(VTD_FAULT_NO_WRITE) || `is`(VTD_FAULT_NO_READ)
    }
}
