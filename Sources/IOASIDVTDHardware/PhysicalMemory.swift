// SPDX-License-Identifier: MIT
// Physical memory as the bus sees it: addresses from 0, checked at every access.

@preconcurrency import CIOASIDVTDHardware

/// Words are read and written whole, with and without the hardware lock, as in a computer.
package struct PhysicalMemory {
    /// Whether pages that are read as tables are watched, so that changes of them are noticed
    /// (Port.swift).
    enum Watch {
        case ignored
        /// From now on. With the hardware lock held.
        case begun
        /// A page that is not watched yet reads as no memory.
        case required
    }

    package let base: UnsafeMutableRawPointer
    package let size: UInt64
    /// See ports.h.
    let watched: UnsafeMutablePointer<UInt64>
    var watch = Watch.ignored

    init(base: UnsafeMutableRawPointer, size: UInt64, watched: UnsafeMutablePointer<UInt64>) {
        self.base = base
        self.size = size
        self.watched = watched
    }

    /// The same memory, read as tables.
    func watching(_ watch: Watch) -> PhysicalMemory {
        var memory = self
        memory.watch = watch
        return memory
    }

    package func contains(_ address: HPA, _ length: UInt64) -> Bool {
        address.bits <= size && length <= size &- address.bits
    }

    private func at(_ address: HPA) -> UnsafeMutableRawPointer {
        base + Int(truncatingIfNeeded: address.bits)
    }

    /// - Returns: the 64-bit word there, or nil outside memory.
    package func word(_ address: HPA) -> UInt64? {
        guard address.bits & 7 == 0, contains(address, 8) else { return nil }
        switch watch {
        case .ignored: break
        case .begun: civtd_watch(watched, address.page)
        case .required: guard civtd_is_watched(watched, address.page) else { return nil }
        }
        return civtd_load(at(address))
    }

    // MARK: Writing. With the hardware lock held, but for write()

    package func setWord(_ address: HPA, _ value: UInt64) {
        guard address.bits & 7 == 0, contains(address, 8) else { return }
        civtd_store(at(address), value)
        civtd_written(watched, address.page)
    }

    /// For a word that software may change at the same time: accessed and dirty, by which nothing is
    /// translated otherwise.
    func setBits(_ address: HPA, _ bits: UInt64) {
        guard address.bits & 7 == 0, contains(address, 8) else { return }
        civtd_set_bits(at(address), bits)
    }

    /// - Returns: false outside memory.
    func setHalf(_ address: HPA, _ value: UInt32) -> Bool {
        guard address.bits & 3 == 0, contains(address, 4) else { return false }
        civtd_store_half(at(address), value)
        civtd_written(watched, address.page)
        return true
    }

    package func read(_ address: HPA, _ buffer: UnsafeMutableRawPointer, _ length: UInt64) {
        civtd_copy_out(buffer, at(address), Int(truncatingIfNeeded: length))
    }

    /// Also without the hardware lock.
    package func write(_ address: HPA, _ buffer: UnsafeRawPointer, _ length: UInt64) {
        guard length > 0 else { return }
        civtd_copy_in(at(address), buffer, Int(truncatingIfNeeded: length))
        // A page that is read as a table meanwhile is either seen to be one, or read with this in it.
        civtd_fence()
        for page in address.page...(address + (length &- 1)).page { civtd_written(watched, page) }
    }

    /// Pages that are given out anew.
    package func clear(_ address: HPA, _ length: UInt64) {
        civtd_clear(at(address), Int(truncatingIfNeeded: length))
        for page in address.page..<(address + length).page { civtd_cleared(watched, page) }
    }
}
