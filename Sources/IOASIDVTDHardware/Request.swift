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

    /// No access to memory, but an interrupt message (section 3.14).
    var isMessage: Bool { pasid == nil && Interrupts.contain(address.bits) }
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

    /// A translation request is answered without rights then, which is no fault to record: what is not
    /// present from the directory on, and what the page tables say (the table of section 7.1.3). What
    /// cannot be read, or has reserved bits above a first level, is one.
    var isAnswerWithoutRights: Bool {
        switch vtd_fault_reason(reason) {
        case VTD_FAULT_DIR_NOT_PRESENT, VTD_FAULT_PASID_NOT_PRESENT, VTD_FAULT_ERE_CLEAR,
            VTD_FAULT_SRE_CLEAR, VTD_FAULT_FL_ACCESS, VTD_FAULT_FL_NOT_PRESENT,
            VTD_FAULT_FL_RESERVED, VTD_FAULT_FL_ROOT_ACCESS, VTD_FAULT_NESTED_BEYOND,
            VTD_FAULT_NESTED_ROOT_READ, VTD_FAULT_NESTED_TABLE_READ,
            VTD_FAULT_NESTED_TABLE_WRITE, VTD_FAULT_SL_PERMISSION, VTD_FAULT_NOT_CANONICAL,
            VTD_FAULT_USER, VTD_FAULT_NO_EXECUTE, VTD_FAULT_BEYOND, VTD_FAULT_NESTED_ADDRESS,
            VTD_FAULT_NO_WRITE, VTD_FAULT_NO_READ:
            true
        default: false
        }
    }

    /// Would another answer of the page tables help? Then a device with PRI asks for the page.
    var isRecoverable: Bool {
        `is`(VTD_FAULT_FL_NOT_PRESENT) || `is`(VTD_FAULT_SL_PERMISSION) || `is`(VTD_FAULT_USER)
            || `is`(VTD_FAULT_NO_WRITE) || `is`(VTD_FAULT_NO_READ)
    }
}
