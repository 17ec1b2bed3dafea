// SPDX-License-Identifier: MIT
// The boundary of <linux/ioasid-vtd.h>: memory and page tables of guests and processes.

@preconcurrency import CIOASIDVTDDriver
@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory
import IOASIDVTDDriver
import IOASIDVTDHardware

private let knownAccess = VTD_DMA_READ | VTD_DMA_WRITE | VTD_DMA_PRIV

private func isMapping(_ access: UInt32) -> Bool {
    access & VTD_DMA_READ != 0 && access & ~knownAccess == 0
}

@_cdecl("vtd_guest_create")
@implementation
public func vtd_guest_create(_ domain: OpaquePointer?, _ pages: CUnsignedInt) -> OpaquePointer? {
    guard let domain = Domain.known(domain), pages > 0 else { return errorPointer(-EINVAL) }
    let (guest, error) = Lock.hardware { GuestMemory.create(domain, pages: UInt64(pages)) }
    guard let guest else { return errorPointer(error) }
    return guest.handle
}

@_cdecl("vtd_guest_destroy")
@implementation
public func vtd_guest_destroy(_ guest: OpaquePointer?) {
    _ = GuestMemory.with(guest) { GuestMemory.destroy($0) }
}

@_cdecl("vtd_guest_page")
@implementation
public func vtd_guest_page(_ guest: OpaquePointer?) -> UInt64 {
    GuestMemory.with(guest) { $0.pointee.takePage()?.bits ?? UInt64.max } ?? UInt64.max
}

@_cdecl("vtd_guest_map")
@implementation
public func vtd_guest_map(
    _ guest: OpaquePointer?, _ gpgd: UInt64, _ address: UInt64, _ page: UInt64,
    _ access: CUnsignedInt
) -> CInt {
    guard isMapping(access) else { return -EINVAL }
    let error = GuestMemory.with(guest) {
        $0.pointee.map(root: GPA(gpgd), IOVA(address), GPA(page), firstLevelBits(access))
    }
    return error ?? -EINVAL
}

@_cdecl("vtd_guest_unmap")
@implementation
public func vtd_guest_unmap(_ guest: OpaquePointer?, _ gpgd: UInt64, _ address: UInt64) -> CInt {
    GuestMemory.with(guest) { $0.pointee.unmap(root: GPA(gpgd), IOVA(address)) } ?? -EINVAL
}

@_cdecl("vtd_guest_read")
@implementation
public func vtd_guest_read(
    _ guest: OpaquePointer?, _ address: UInt64, _ buffer: UnsafeMutableRawPointer?, _ length: Int
) -> CInt {
    guard let buffer else { return -EINVAL }
    let isDone = GuestMemory.with(guest) {
        $0.pointee.forEachPiece(GPA(address), UInt64(UInt(bitPattern: length))) {
            memory, physical, offset, piece in
            memory.read(physical, buffer + offset, piece)
        }
    }
    return isDone == true ? 0 : -EINVAL
}

@_cdecl("vtd_guest_write")
@implementation
public func vtd_guest_write(
    _ guest: OpaquePointer?, _ address: UInt64, _ buffer: UnsafeRawPointer?, _ length: Int
) -> CInt {
    guard let buffer else { return -EINVAL }
    let isDone = GuestMemory.with(guest) {
        $0.pointee.forEachPiece(GPA(address), UInt64(UInt(bitPattern: length))) {
            memory, physical, offset, piece in
            memory.write(physical, buffer + offset, piece)
        }
    }
    return isDone == true ? 0 : -EINVAL
}

@_cdecl("vtd_mm_map")
@implementation
public func vtd_mm_map(
    _ mm: UnsafeMutablePointer<mm_struct>?, _ address: UInt64, _ page: UInt64,
    _ access: CUnsignedInt
) -> CInt {
    guard let mm, isMapping(access), isPageOfProcess(IOVA(address)),
        page & ~addressMask == 0
    else { return -EINVAL }
    return AddressSpace.map(mm, IOVA(address), HPA(page), access)
}

@_cdecl("vtd_mm_unmap")
@implementation
public func vtd_mm_unmap(_ mm: UnsafeMutablePointer<mm_struct>?, _ address: UInt64) -> CInt {
    guard let mm, isPageOfProcess(IOVA(address)) else { return -EINVAL }
    guard let space = AddressSpace.clear(mm, IOVA(address)) else { return -ENOENT }
    ProcessBinding.flush(space, IOVA(address))
    return 0
}
