// SPDX-License-Identifier: MIT
// The boundary of <linux/sched/mm.h> and <linux/sched.h>.

import CIOASID
import CIOASIDCore
import CIOASIDKernel
import CIOASIDRuntime
import IOASIDCore
import IOASIDKernel
import IOASIDMemory
import IOASIDRuntime
import Synchronization

@_cdecl("ioasid_mm_alloc") @implementation
public func ioasid_mm_alloc() -> UnsafeMutablePointer<mm_struct>? {
    let mm = AddressSpaces.make()
    if mm == nil { RequestError.memory.note() }
    return mm
}

@_cdecl("ioasid_mm_put") @implementation
public func ioasid_mm_put(_ mm: UnsafeMutablePointer<mm_struct>?) {
    guard let mm else { return }
    let left = atomic_dec_if_positive(&mm.pointee.mm_users)
    if left < 0 { Log.warn("mmput of an mm without users") }
    guard left == 0 else { return }
    // Still readable for those who find it by its PASID; they get no user any more.
    freePASID(of: mm)
    AddressSpaces.drop(mm)
}

/// Frees what `mm_pasid_set()` stored, unless its owner took it back; never what stands in the field.
private func freePASID(of mm: MM) {
    let stored = mm.pointee.stored &- 1
    let found = mm.pointee.pasid
    mm.pointee.stored = 0
    guard stored != ID.invalid.rawValue,
        found == stored || (found != ID.invalid.rawValue && found != 0)
    else { return }
    if found == stored { mm.pointee.pasid = ID.invalid.rawValue }
    ioasid_free(nil, stored)
}

@_cdecl("ioasid_mm_drop") @implementation
public func ioasid_mm_drop(_ mm: UnsafeMutablePointer<mm_struct>?) {
    guard let mm else { return }
    AddressSpaces.drop(mm)
}
