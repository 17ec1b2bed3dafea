// SPDX-License-Identifier: MIT
// Reason codes in words.

@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory
import IOASIDVTDHardware

@_cdecl("vtd_fault_name")
@implementation
public func vtd_fault_name(_ reason: CInt) -> UnsafePointer<CChar>? {
    let name = faultName(vtd_fault_reason(UInt32(bitPattern: reason)))
    return UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
}

private func faultName(_ reason: vtd_fault_reason) -> StaticString {
    switch reason {
    case VTD_FAULT_ROOT_MODE: "root table not of scalable mode"
    case VTD_FAULT_ROOT_ACCESS: "root table outside memory"
    case VTD_FAULT_ROOT_NOT_PRESENT: "root entry not present"
    case VTD_FAULT_ROOT_RESERVED: "reserved bit in root entry"
    case VTD_FAULT_CONTEXT_ACCESS: "context table outside memory"
    case VTD_FAULT_CONTEXT_NOT_PRESENT: "context entry not present"
    case VTD_FAULT_CONTEXT_RESERVED: "reserved bit in context entry"
    case VTD_FAULT_DTE_CLEAR: "device TLB not enabled"
    case VTD_FAULT_PASIDE_CLEAR: "PASID not enabled"
    case VTD_FAULT_PASID_TOO_LARGE: "PASID beyond the directory"
    case VTD_FAULT_REQUEST_PASID: "RID_PASID beyond the directory"
    case VTD_FAULT_DIR_ACCESS: "PASID directory outside memory"
    case VTD_FAULT_DIR_NOT_PRESENT: "PASID directory entry not present"
    case VTD_FAULT_DIR_RESERVED: "reserved bit in PASID directory entry"
    case VTD_FAULT_PASID_ACCESS: "PASID table outside memory"
    case VTD_FAULT_PASID_NOT_PRESENT: "PASID table entry not present"
    case VTD_FAULT_PASID_RESERVED: "reserved bit in PASID table entry"
    case VTD_FAULT_PASID_INVALID: "invalid PASID table entry"
    case VTD_FAULT_ERE_CLEAR: "execute requests not enabled"
    case VTD_FAULT_SRE_CLEAR: "supervisor requests not enabled"
    case VTD_FAULT_FL_ACCESS: "first-level entry outside memory"
    case VTD_FAULT_FL_NOT_PRESENT: "first-level entry not present"
    case VTD_FAULT_FL_RESERVED: "reserved bit in first-level entry"
    case VTD_FAULT_FL_ROOT_ACCESS: "first-level root outside memory"
    case VTD_FAULT_NESTED_BEYOND: "guest table beyond the domain"
    case VTD_FAULT_NESTED_ROOT_READ: "guest root table not mapped"
    case VTD_FAULT_NESTED_TABLE_READ: "guest table not mapped"
    case VTD_FAULT_NESTED_TABLE_WRITE: "guest table not writable"
    case VTD_FAULT_SL_ACCESS: "second-level entry outside memory"
    case VTD_FAULT_SL_PERMISSION: "no permission in second-level entry"
    case VTD_FAULT_SL_RESERVED: "reserved bit in second-level entry"
    case VTD_FAULT_SL_POINTER: "second-level root outside memory"
    case VTD_FAULT_NOT_CANONICAL: "address not canonical"
    case VTD_FAULT_USER: "user request to supervisor page"
    case VTD_FAULT_NO_EXECUTE: "no execute permission"
    case VTD_FAULT_BEYOND: "address too large"
    case VTD_FAULT_NESTED_ADDRESS: "guest page beyond the domain"
    case VTD_FAULT_NO_WRITE: "no write permission"
    case VTD_FAULT_NO_READ: "no read permission"
    case VTD_FAULT_INTERRUPT: "interrupt address"
    default: "unknown"
    }
}
