// SPDX-License-Identifier: MIT
// A device: its cached context entry, its TLB, and the page requests it waits for.

import CIOASIDVTD

struct Device: Listed {
    var next: Ref<Device>?
    let unit: Ref<Unit>
    let sourceID: UInt16
    let features: UInt32
    /// The unit's context cache, of which a device has its own line.
    var context: ContextEntry?
    /// nil without ATS.
    var tlb: Cache<CachedTranslation>?
    var waiting: WaitingRequests
    /// What the driver keeps about the device while its unit is enabled.
    var driver: Ref<DriverDevice>?

    private static let tlbSize = 256

    private init?(unit: Ref<Unit>, sourceID: UInt16, features: UInt32) {
        guard let waiting = WaitingRequests() else { return nil }
        if features & VTD_DEV_ATS != 0 {
            guard let tlb = Cache<CachedTranslation>(size: Device.tlbSize) else {
                waiting.discard()
                return nil
            }
            self.tlb = tlb
        }
        self.unit = unit
        self.sourceID = sourceID
        self.features = features
        self.waiting = waiting
    }

    private func discard() {
        tlb?.discard()
        waiting.discard()
    }

    /// With the hardware lock held, as everything here.
    static func create(_ unit: Ref<Unit>, _ sourceID: UInt16, _ features: UInt32) -> Ref<Device>? {
        guard let value = Device(unit: unit, sourceID: sourceID, features: features) else {
            return nil
        }
        guard let device = Memory.make(value) else {
            value.discard()
            return nil
        }
        unit.pointee.devices.add(device)
        return device
    }

    static func destroy(_ device: Ref<Device>) {
        device.pointee.unit.pointee.devices.remove(device)
        device.pointee.discard()
        Memory.release(device)
    }
}

// Through the pointer, as for units.
extension UnsafeMutablePointer<Device> {
    var hasTLB: Bool { pointee.features & VTD_DEV_ATS != 0 }
    var hasPageRequests: Bool { pointee.features & VTD_DEV_PRI != 0 }
}
