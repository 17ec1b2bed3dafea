// SPDX-License-Identifier: MIT
// The custom allocator of a guest: PASIDs come from the hypervisor, by its virtual command.

import CIOASIDVTD
import Synchronization

enum VirtualCommand {
    static func register(_ unit: Ref<Unit>) -> CInt {
        guard unit.pointee.config.vcmd != nil, let driver = unit.pointee.driver else { return 0 }
        driver.pointee.allocator.alloc = intel_vcmd_ioasid_alloc
        driver.pointee.allocator.free = intel_vcmd_ioasid_free
        driver.pointee.allocator.pdata = UnsafeMutableRawPointer(unit)
        return ioasid_register_allocator(&driver.pointee.allocator)
    }

    static func unregister(_ unit: Ref<Unit>) {
        guard unit.pointee.config.vcmd != nil, let driver = unit.pointee.driver else { return }
        ioasid_unregister_allocator(&driver.pointee.allocator)
    }

    private static func status(_ response: UInt64) -> UInt64 { (response & 0xff) >> 1 }

    private static func command(_ unit: Ref<Unit>, _ command: UInt64) -> UInt64? {
        guard let vcmd = unit.pointee.config.vcmd else { return nil }
        return vcmd(command, unit.pointee.config.vcmd_data)
    }

    static func allocate(_ unit: Ref<Unit>, from low: UInt32, through high: UInt32) -> UInt32? {
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

    static func free(_ unit: Ref<Unit>, _ pasid: UInt32) {
        _ = command(unit, UInt64(VCMD_CMD_FREE) | UInt64(pasid) << 16)
    }
}

@_cdecl("intel_vcmd_ioasid_alloc")
@implementation
public func intel_vcmd_ioasid_alloc(
    _ min: ioasid_t, _ max: ioasid_t, _ data: UnsafeMutableRawPointer?
) -> ioasid_t {
    guard let unit = data?.assumingMemoryBound(to: Unit.self) else { return ioasid_t.max }
    return VirtualCommand.allocate(unit, from: min, through: max) ?? ioasid_t.max
}

@_cdecl("intel_vcmd_ioasid_free")
@implementation
public func intel_vcmd_ioasid_free(_ ioasid: ioasid_t, _ data: UnsafeMutableRawPointer?) {
    guard let unit = data?.assumingMemoryBound(to: Unit.self) else { return }
    // Its owner is not done with it. While the core gives it back it is there, but not active.
    guard !ioasid_is_active(ioasid) else { return }
    VirtualCommand.free(unit, ioasid)
}
