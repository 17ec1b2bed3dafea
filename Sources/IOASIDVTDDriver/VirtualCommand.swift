// SPDX-License-Identifier: MIT
// The custom allocator of a guest: PASIDs come from the hypervisor, by its virtual command.

@preconcurrency import CIOASIDVTDDriver
@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory
import IOASIDVTDHardware
import Synchronization

package enum VirtualCommand {
    static func register(_ unit: Ref<Unit>) -> CInt {
        guard unit.pointee.config.vcmd != nil, let driver = unit.driver else { return 0 }
        driver.pointee.allocator.alloc = intel_vcmd_ioasid_alloc
        driver.pointee.allocator.free = intel_vcmd_ioasid_free
        driver.pointee.allocator.pdata = unit.raw
        return ioasid_register_allocator(&driver.pointer.pointee.allocator)
    }

    static func unregister(_ unit: Ref<Unit>) {
        guard unit.pointee.config.vcmd != nil, let driver = unit.driver else { return }
        ioasid_unregister_allocator(&driver.pointer.pointee.allocator)
    }

    private static func status(_ response: UInt64) -> UInt64 { (response & 0xff) >> 1 }

    private static func command(_ unit: Ref<Unit>, _ command: UInt64) -> UInt64? {
        guard let vcmd = unit.pointee.config.vcmd else { return nil }
        return vcmd(command, unit.pointee.config.vcmd_data)
    }

    package static func allocate(_ unit: Ref<Unit>, from low: UInt32, through high: UInt32) -> UInt32? {
        guard low >= UInt32(PASID_MIN), low <= high,
            high <= Driver.pasidLimit.load(ordering: .relaxed),
            let response = command(unit, UInt64(VCMD_CMD_ALLOC)),
            status(response) == UInt64(VCMD_VRSP_SC_SUCCESS)
        else { return nil }
        let pasid = UInt32(response >> 16 & 0xfffff)
        guard low <= pasid, pasid <= high else {
            free(unit, pasid)
            return nil
        }
        return pasid
    }

    package static func free(_ unit: Ref<Unit>, _ pasid: UInt32) {
        _ = command(unit, UInt64(VCMD_CMD_FREE) | UInt64(pasid) << 16)
    }
}
