// SPDX-License-Identifier: MIT
// Physical memory as the bus sees it: addresses from 0, checked at every access.

@preconcurrency import CIOASIDVTDHardware

package struct PhysicalMemory {
    package let base: UnsafeMutableRawPointer
    package let size: UInt64

    package func contains(_ address: HPA, _ length: UInt64) -> Bool {
        address.bits <= size && length <= size &- address.bits
    }

    private func at(_ address: HPA) -> UnsafeMutableRawPointer {
        base + Int(truncatingIfNeeded: address.bits)
    }

    /// - Returns: the 64-bit word there, or nil outside memory.
    package func word(_ address: HPA) -> UInt64? {
        guard address.bits & 7 == 0, contains(address, 8) else { return nil }
        return at(address).load(as: UInt64.self)
    }

    package func setWord(_ address: HPA, _ value: UInt64) {
        guard address.bits & 7 == 0, contains(address, 8) else { return }
        at(address).storeBytes(of: value, as: UInt64.self)
    }

    /// For a word that software may change at the same time.
    func setBits(_ address: HPA, _ bits: UInt64) {
        guard address.bits & 7 == 0, contains(address, 8) else { return }
        civtd_set_bits(at(address), bits)
    }

    /// - Returns: false outside memory.
    func setHalf(_ address: HPA, _ value: UInt32) -> Bool {
        guard address.bits & 3 == 0, contains(address, 4) else { return false }
        at(address).storeBytes(of: value, as: UInt32.self)
        return true
    }

    package func read(_ address: HPA, _ buffer: UnsafeMutableRawPointer, _ length: UInt64) {
        memcpy(buffer, at(address), Int(truncatingIfNeeded: length))
    }

    package func write(_ address: HPA, _ buffer: UnsafeRawPointer, _ length: UInt64) {
        memcpy(at(address), buffer, Int(truncatingIfNeeded: length))
    }

    package func clear(_ address: HPA, _ length: UInt64) {
        memset(at(address), 0, Int(truncatingIfNeeded: length))
    }
}
