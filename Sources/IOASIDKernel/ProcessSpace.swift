// SPDX-License-Identifier: MIT
// The address space of the process itself, which all its threads begin with.

@preconcurrency import CIOASIDKernel
import IOASIDMemory
import Synchronization

/// 0 until it is made; guarded by the lock of the address spaces.
private let processMM = Cell<UInt>(0)

@_cdecl("cio_process_mm") @implementation
public func cio_process_mm() -> UnsafeMutablePointer<mm_struct>? {
    AddressSpaces.withLock {
        if processMM.value == 0 { processMM.value = UInt(bitPattern: AddressSpaces.makeAtOnce()) }
        return UnsafeMutablePointer(bitPattern: processMM.value)
    }
}

/// The child's is another one, as in the kernel: the PASID is the parent's, where devices use it.
@_cdecl("cio_mm_after_fork_child") @implementation
public func cio_mm_after_fork_child() {
    AddressSpaces.afterForkInChild()
    guard let mm = UnsafeMutablePointer<mm_struct>(bitPattern: processMM.value) else { return }
    mm_pasid_init(mm)
    mm.pointee.pasid = cio_mm_no_pasid()
    // Its notifiers and areas are the parent's as well.
    cio_mm_begin_anew(mm)
}
