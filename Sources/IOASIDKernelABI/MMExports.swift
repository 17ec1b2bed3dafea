// SPDX-License-Identifier: MIT
// The boundary of <linux/sched/mm.h> and <linux/sched.h>.

@preconcurrency import CIOASIDKernel
import IOASIDKernel

@_cdecl("ioasid_mm_alloc") @implementation
public func ioasid_mm_alloc() -> UnsafeMutablePointer<mm_struct>? {
    let mm = AddressSpaces.make()
    if mm == nil { warn("mm_alloc: out of memory") }
    return mm
}

@_cdecl("ioasid_mm_put") @implementation
public func ioasid_mm_put(_ mm: UnsafeMutablePointer<mm_struct>?) {
    guard let mm, AddressSpaces.dropUser(mm) else { return }
    cio_mm_finish(mm)
}

@_cdecl("ioasid_mm_put_async") @implementation
public func ioasid_mm_put_async(_ mm: UnsafeMutablePointer<mm_struct>?) {
    guard let mm, AddressSpaces.dropUser(mm) else { return }
    cio_mm_finish_later(mm)
}

@_cdecl("cio_mm_finish") @implementation
public func cio_mm_finish(_ mm: UnsafeMutablePointer<mm_struct>) {
    cio_mm_exit(mm)
    // Still readable for those who find it by its PASID; they get no user any more.
    if let pasid = AddressSpaces.takePASID(mm) { ioasid_free(nil, pasid) }
    AddressSpaces.drop(mm)
}

@_cdecl("ioasid_mm_pasid_drop") @implementation
public func ioasid_mm_pasid_drop(_ mm: UnsafeMutablePointer<mm_struct>?) {
    guard let mm else { return }
    let pasid = mm.pointee.pasid
    guard pasid_valid(pasid) else { return }
    ioasid_free(nil, pasid)
    mm_pasid_init(mm)
}

@_cdecl("ioasid_mm_drop") @implementation
public func ioasid_mm_drop(_ mm: UnsafeMutablePointer<mm_struct>?) {
    guard let mm else { return }
    AddressSpaces.drop(mm)
}
