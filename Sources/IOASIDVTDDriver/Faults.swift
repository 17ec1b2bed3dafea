// SPDX-License-Identifier: MIT
// Faults for those who look after a device, a guest's VMM say: which they are told of, and how.

@preconcurrency import CIOASIDVTDDriver
@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory
import IOASIDVTDHardware

enum Faults {
    /// Without a lock. Of PASIDs that are bound only: what comes later is nobody's.
    static func report(_ device: Ref<Device>, _ request: Request, reason: UInt32) {
        guard let pasid = request.pasid else { return }
        let isBound = Lock.hardware {
            Handle.isDevice(device) && device.driver?.pointee.handler != nil
                && device.hasPresentEntry(pasid)
        }
        guard isBound else { return }
        var fault = iommu_fault()
        fault.type = IOMMU_FAULT_DMA_UNRECOV.rawValue
        fault.event.reason = kind(vtd_fault_reason(reason)).rawValue
        fault.event.flags = UInt32(
            IOMMU_FAULT_UNRECOV_PASID_VALID | IOMMU_FAULT_UNRECOV_ADDR_VALID)
        fault.event.pasid = pasid.number
        fault.event.perm = permissions(
            read: request.access & VTD_DMA_READ != 0, write: request.isWrite,
            execute: request.isExecute, privileged: request.isPrivileged)
        fault.event.addr = request.address.page << pageShift
        _ = PageRequests.report(device.handle, fault)
    }

    static func permissions(read: Bool, write: Bool, execute: Bool, privileged: Bool) -> UInt32 {
        UInt32(
            (read ? IOMMU_FAULT_PERM_READ : 0) | (write ? IOMMU_FAULT_PERM_WRITE : 0)
                | (execute ? IOMMU_FAULT_PERM_EXEC : 0)
                | (privileged ? IOMMU_FAULT_PERM_PRIV : 0))
    }

    /// The hardware's reason in the words of all hardware.
    private static func kind(_ reason: vtd_fault_reason) -> iommu_fault_reason {
        switch reason {
        case VTD_FAULT_DIR_ACCESS, VTD_FAULT_PASID_ACCESS: IOMMU_FAULT_REASON_PASID_FETCH
        case VTD_FAULT_DIR_RESERVED, VTD_FAULT_PASID_RESERVED, VTD_FAULT_PASID_INVALID:
            IOMMU_FAULT_REASON_BAD_PASID_ENTRY
        case VTD_FAULT_DIR_NOT_PRESENT, VTD_FAULT_PASID_NOT_PRESENT, VTD_FAULT_PASID_TOO_LARGE,
            VTD_FAULT_PASIDE_CLEAR:
            IOMMU_FAULT_REASON_PASID_INVALID
        case VTD_FAULT_FL_ACCESS, VTD_FAULT_FL_ROOT_ACCESS, VTD_FAULT_SL_ACCESS,
            VTD_FAULT_SL_POINTER, VTD_FAULT_NESTED_BEYOND, VTD_FAULT_NESTED_ROOT_READ,
            VTD_FAULT_NESTED_TABLE_READ, VTD_FAULT_NESTED_TABLE_WRITE:
            IOMMU_FAULT_REASON_WALK_EABT
        case VTD_FAULT_FL_NOT_PRESENT, VTD_FAULT_FL_RESERVED, VTD_FAULT_SL_RESERVED:
            IOMMU_FAULT_REASON_PTE_FETCH
        case VTD_FAULT_SL_PERMISSION, VTD_FAULT_USER, VTD_FAULT_NO_EXECUTE, VTD_FAULT_NO_WRITE,
            VTD_FAULT_NO_READ, VTD_FAULT_SRE_CLEAR, VTD_FAULT_ERE_CLEAR:
            IOMMU_FAULT_REASON_PERMISSION
        case VTD_FAULT_NOT_CANONICAL, VTD_FAULT_BEYOND, VTD_FAULT_NESTED_ADDRESS:
            IOMMU_FAULT_REASON_OOR_ADDRESS
        default: IOMMU_FAULT_REASON_UNKNOWN
        }
    }
}

extension iommu_fault {
    private static let unrecoverableFlags = UInt32(
        IOMMU_FAULT_UNRECOV_PASID_VALID | IOMMU_FAULT_UNRECOV_ADDR_VALID
            | IOMMU_FAULT_UNRECOV_FETCH_ADDR_VALID)
    private static let requestFlags = UInt32(
        IOMMU_FAULT_PAGE_REQUEST_PASID_VALID | IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE
            | IOMMU_FAULT_PAGE_RESPONSE_NEEDS_PASID)
    private static let permissions = UInt32(
        IOMMU_FAULT_PERM_READ | IOMMU_FAULT_PERM_WRITE | IOMMU_FAULT_PERM_EXEC
            | IOMMU_FAULT_PERM_PRIV)

    /// As somebody else reports it: a page request has a PASID, because its answer must.
    package var isWellFormed: Bool {
        guard padding == 0 else { return false }
        switch iommu_fault_type(type) {
        case IOMMU_FAULT_DMA_UNRECOV:
            return event.flags & ~iommu_fault.unrecoverableFlags == 0
                && event.perm & ~iommu_fault.permissions == 0
                && event.reason <= IOMMU_FAULT_REASON_OOR_ADDRESS.rawValue
        case IOMMU_FAULT_PAGE_REQ:
            return prm.flags & ~iommu_fault.requestFlags == 0
                && prm.flags & UInt32(IOMMU_FAULT_PAGE_REQUEST_PASID_VALID) != 0
                && prm.perm & ~iommu_fault.permissions == 0 && prm.grpid < 512
                && prm.pasid < UInt32(PASID_MAX) && prm.addr & (pageSize &- 1) == 0
        default: return false
        }
    }
}

extension iommu_fault_page_request {
    var asRequest: Request {
        var access: UInt32 = 0
        func move(_ flag: CInt, _ bit: UInt32) { if perm & UInt32(flag) != 0 { access |= bit } }
        move(IOMMU_FAULT_PERM_READ, VTD_DMA_READ)
        move(IOMMU_FAULT_PERM_WRITE, VTD_DMA_WRITE)
        move(IOMMU_FAULT_PERM_EXEC, VTD_DMA_EXEC)
        move(IOMMU_FAULT_PERM_PRIV, VTD_DMA_PRIV)
        return Request(pasid: PASID(pasid), address: IOVA(addr), access: access)
    }
}
