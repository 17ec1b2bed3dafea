// SPDX-License-Identifier: MIT
// Pointers from outside: looked up among what exists before they are followed.

@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory

/// Without the hardware lock, which every function takes.
package enum Handle {
    package static func machine(_ handle: OpaquePointer?) -> Ref<Machine>? {
        guard let handle else { return nil }
        let wanted = Ref<Machine>(handle)
        return Lock.hardware { Machine.all.find { $0 == wanted } }
    }

    package static func unit(_ handle: OpaquePointer?) -> Ref<Unit>? {
        guard let handle else { return nil }
        let wanted = Ref<Unit>(handle)
        return Lock.hardware { firstUnit { $0 == wanted } }
    }

    package static func device(_ handle: OpaquePointer?) -> Ref<Device>? {
        guard let handle else { return nil }
        let wanted = Ref<Device>(handle)
        return Lock.hardware { isDevice(wanted) ? wanted : nil }
    }

    // MARK: With the hardware lock held

    package static func isUnit(_ wanted: Ref<Unit>) -> Bool { firstUnit { $0 == wanted } != nil }

    package static func isDevice(_ wanted: Ref<Device>) -> Bool {
        firstUnit { unit in unit.pointee.devices.find { $0 == wanted } != nil } != nil
    }

    @inline(__always)
    private static func firstUnit(_ isWanted: (Ref<Unit>) -> Bool) -> Ref<Unit>? {
        var found: Ref<Unit>?
        Machine.all.forEach { machine in
            if found == nil { found = machine.pointee.units.find(isWanted) }
        }
        return found
    }
}

// Records as C and strangers know them.
extension Ref {
    /// The pointer may be anything: to be looked up before it is followed.
    package init(_ handle: OpaquePointer) { self.init(UnsafeMutablePointer(handle)) }

    package init(raw: UnsafeMutableRawPointer) {
        self.init(raw.assumingMemoryBound(to: Record.self))
    }

    package var handle: OpaquePointer { OpaquePointer(pointer) }
    package var raw: UnsafeMutableRawPointer { UnsafeMutableRawPointer(pointer) }
}
