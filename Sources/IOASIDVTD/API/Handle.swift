// SPDX-License-Identifier: MIT
// Pointers from outside: looked up among what exists before they are followed; and error pointers.

import CIOASIDVTD

/// Without the hardware lock, which every function takes.
enum Handle {
    static func machine(_ handle: OpaquePointer?) -> Ref<Machine>? {
        guard let handle else { return nil }
        let wanted = Ref<Machine>(handle)
        return Lock.hardware { Machine.all.find { $0 == wanted } }
    }

    static func unit(_ handle: OpaquePointer?) -> Ref<Unit>? {
        guard let handle else { return nil }
        let wanted = Ref<Unit>(handle)
        return Lock.hardware { firstUnit { $0 == wanted } }
    }

    static func device(_ handle: OpaquePointer?) -> Ref<Device>? {
        guard let handle else { return nil }
        let wanted = Ref<Device>(handle)
        return Lock.hardware {
            let unit = firstUnit { unit in
                unit.pointee.devices.find { $0 == wanted } != nil
            }
            return unit == nil ? nil : wanted
        }
    }

    static func domain(_ handle: OpaquePointer?) -> Ref<Domain>? {
        guard let handle else { return nil }
        let wanted = Ref<Domain>(handle)
        return Lock.hardware {
            let machine = Machine.all.find { machine in
                machine.pointee.domains.find { $0 == wanted } != nil
            }
            return machine == nil ? nil : wanted
        }
    }

    @inline(__always)
    private static func firstUnit(_ isWanted: (Ref<Unit>) -> Bool) -> Ref<Unit>? {
        var found: Ref<Unit>?
        Machine.all.forEach { machine in
            if found == nil { found = machine.pointee.units.find(isWanted) }
        }
        return found
    }

    /// The kernel's error pointer.
    static func error(_ code: CInt) -> OpaquePointer? { OpaquePointer(bitPattern: Int(code)) }
}
