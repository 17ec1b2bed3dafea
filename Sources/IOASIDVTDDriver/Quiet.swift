// SPDX-License-Identifier: MIT
// Entries left with FPD after a crash: how long the faults of what still comes are not recorded.

@preconcurrency import CIOASIDVTDDriver
@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory
import IOASIDVTDHardware

// Until the late unbind, or until the PASID is used again: a stray request is another owner's then.
// With the hardware lock held.
extension Ref<Device> {
    /// Faults of a PASID that is not bound to the device are recorded again.
    func recordFaults(of pasid: PASID) {
        guard let driver, driver.pointee.quietEntries > 0, let at = pasidEntryAddress(pasid),
            pointee.unit.memory.word(at) == VTD_PE_FPD
        else { return }
        pointee.unit.memory.setWord(at, 0)
        driver.pointee.quietEntries &-= 1
        forgetAbsence(of: pasid, Domain.firstLevelID)
    }

    /// Only in caching mode has hardware cached that no entry is present, and whether that is quiet.
    func forgetAbsence(of pasid: PASID, _ domain: DomainID) {
        let unit = pointee.unit
        guard unit.can(VTD_CAP_CM) else { return }
        unit.enqueue(vtd_inv_pasid_cache(VTD_INV_PASID_ONE, domain.number, pasid.number))
        unit.ring(drain: false)
    }
}

enum Quiet {
    /// Somebody gets the PASID: on every device that its former owner was torn down on.
    static func end(_ pasid: PASID) {
        Lock.hardware {
            Machine.all.forEach { machine in
                machine.pointee.units.forEach { unit in
                    unit.pointee.devices.forEach { $0.recordFaults(of: pasid) }
                }
            }
        }
    }
}
