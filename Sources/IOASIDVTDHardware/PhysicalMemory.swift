// SPDX-License-Identifier: MIT
// Physical memory as the bus sees it: addresses from 0, checked at every access.

@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory

package let pageShift: UInt64 = 12
package let pageSize: UInt64 = 1 << pageShift
package let addressMask: UInt64 = 0x000f_ffff_ffff_f000

package struct PhysicalMemory {
    package let base: UnsafeMutableRawPointer
    package let size: UInt64

    package func contains(_ address: UInt64, _ length: UInt64) -> Bool {
        address <= size && length <= size &- address
    }

    /// - Returns: the 64-bit word there, or nil outside memory.
    package func word(_ address: UInt64) -> UInt64? {
        guard address & 7 == 0, contains(address, 8) else { return nil }
        return base.load(fromByteOffset: Int(truncatingIfNeeded: address), as: UInt64.self)
    }

    package func setWord(_ address: UInt64, _ value: UInt64) {
        guard address & 7 == 0, contains(address, 8) else { return }
        base.storeBytes(of: value, toByteOffset: Int(truncatingIfNeeded: address), as: UInt64.self)
    }

    package func read(_ address: UInt64, _ buffer: UnsafeMutableRawPointer, _ length: UInt64) {
        memcpy(buffer, base + Int(truncatingIfNeeded: address), Int(truncatingIfNeeded: length))
    }

    package func write(_ address: UInt64, _ buffer: UnsafeRawPointer, _ length: UInt64) {
        memcpy(base + Int(truncatingIfNeeded: address), buffer, Int(truncatingIfNeeded: length))
    }

    package func clear(_ address: UInt64, _ length: UInt64) {
        memset(base + Int(truncatingIfNeeded: address), 0, Int(truncatingIfNeeded: length))
    }
}
