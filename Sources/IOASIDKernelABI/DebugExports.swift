// SPDX-License-Identifier: MIT
// The boundary of <linux/ioasid-kernel.h>.

@preconcurrency import CIOASIDKernel
import IOASIDMemory

@_cdecl("ioasid_kernel_fail_nth") @implementation
public func ioasid_kernel_fail_nth(_ nth: CUnsignedLong) -> CUnsignedLong {
    Memory.failNth(nth)
}
