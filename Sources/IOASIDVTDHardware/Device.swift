// SPDX-License-Identifier: MIT
// A device: its cached context entry, its TLB, and the page requests it waits for.

@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory

package struct Device: Listed {
    package var next: Ref<Device>?
    package let unit: Ref<Unit>
    package let source: SourceID
    package let features: UInt32
    /// The unit's context cache, of which a device has its own line.
    var context: ContextEntry?
    /// In caching mode, that it is not there is cached as well.
    var contextFault: Fault?
    /// nil without ATS.
    var tlb: Cache<DeviceTranslation>?
    var waiting: WaitingRequests
    /// nil if there was no room for one.
    var port: UnsafeMutablePointer<civtd_port>?
    fileprivate let passages: UnsafeMutablePointer<civtd_passage>
    /// What a driver keeps about the device; the hardware does not look behind it.
    package var driverRecord: UnsafeMutableRawPointer?

    private static let tlbSize = 256

    private init?(unit: Ref<Unit>, source: SourceID, features: UInt32) {
        guard let waiting = WaitingRequests() else { return nil }
        let count = UnsafeMutablePointer<civtd_port>.passages
        guard let passages = Memory.allocate(count, of: civtd_passage.self) else {
            waiting.discard()
            return nil
        }
        if features & VTD_DEV_ATS != 0 {
            guard let tlb = Cache<DeviceTranslation>(size: Device.tlbSize) else {
                Memory.free(passages)
                waiting.discard()
                return nil
            }
            self.tlb = tlb
        }
        self.unit = unit
        self.source = source
        self.features = features
        self.waiting = waiting
        self.passages = passages
    }

    private func discard() {
        tlb?.discard()
        Memory.free(passages)
        waiting.discard()
    }

    /// With the hardware lock held, as everything here.
    package static func create(
        _ unit: Ref<Unit>, _ source: SourceID, _ features: UInt32
    ) -> (Ref<Device>?, CInt) {
        let taken = unit.pointee.machine.pointee.units.find { $0.device(source) != nil }
        guard taken == nil else { return (nil, -EEXIST) }
        guard let device = make(unit, source, features) else { return (nil, -ENOMEM) }
        if let driver = unit.pointee.driver, !driver.deviceAdded(device) {
            discard(device)
            return (nil, -ENOMEM)
        }
        return (device, 0)
    }

    private static func make(
        _ unit: Ref<Unit>, _ source: SourceID, _ features: UInt32
    ) -> Ref<Device>? {
        guard let value = Device(unit: unit, source: source, features: features) else {
            return nil
        }
        guard let device = Memory.make(value) else {
            value.discard()
            return nil
        }
        unit.pointee.devices.prepend(device)
        device.openPort()
        return device
    }

    package static func destroy(_ device: Ref<Device>) -> CInt {
        let unit = device.pointee.unit
        if let driver = unit.pointee.driver, !driver.deviceLeaves(device) { return -EBUSY }
        // Another device may get the number.
        let source = device.pointee.source
        unit.pointee.pasidCache.invalidate { $0.tag.source == source }
        discard(device)
        return 0
    }

    private static func discard(_ device: Ref<Device>) {
        // What it has counted stays the unit's.
        _ = device.pointee.unit.takeStats()
        if let port = device.pointee.port { civtd_return_port(port) }
        device.pointee.unit.pointee.devices.remove(device)
        device.pointee.discard()
        Memory.free(device)
    }
}

// Through the pointer, as for units.
extension Ref<Device> {
    fileprivate func openPort() {
        guard let port = civtd_take_port(raw, pointee.passages) else { return }
        let unit = pointee.unit
        civtd_lock(port)
        port.pointee.memory = unit.memory.base
        port.pointee.size = unit.memory.size
        port.pointee.watch = unit.memory.watched
        port.pointee.capabilities = unit.pointee.config.capabilities
        port.pointee.pasid_limit = unit.pasidLimit
        port.pointee.source = pointee.source.number
        port.pointee.has_tlb = hasTLB
        civtd_unlock(port)
        pointee.port = port
    }

    package var hasTLB: Bool { pointee.features & VTD_DEV_ATS != 0 }
    package var hasPageRequests: Bool { pointee.features & VTD_DEV_PRI != 0 }
}
