// SPDX-License-Identifier: MIT
// Whose PASID is it: a guest's process must not lay hands on another guest's.

@preconcurrency import CIOASIDVTDDriver
@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory
import IOASIDVTDHardware

package enum Ownership {
    /// For callers inside the host. A process that has a set of its own, as a guest's has, may use the
    /// PASIDs of that set only; one that has none, or no address space, is trusted.
    package static func check(_ pasid: PASID) -> CInt {
        guard let mm = ioasid_current().pointee.mm, let own = ioasid_find_mm_set(mm),
            !ioasid_is_in_set(own, pasid.number)
        else { return 0 }
        return -EPERM
    }

    /// For requests of user space: the set must be of the current process (V4).
    package static func checkStrictly(_ pasid: PASID) -> CInt {
        let error = ioasid_get_if_owned(pasid.number)
        if error == 0 { ioasid_put(nil, pasid.number) }
        return error
    }
}
