// SPDX-License-Identifier: MIT
// A remapping unit: registers, queues, caches, and the devices behind it.

import CIOASIDVTD

struct Unit: Listed {
    var next: Ref<Unit>?
    let machine: Ref<Machine>
    let config: vtd_unit_config
    /// The root table address register; 0 blocks all DMA.
    var root: UInt64 = 0
    var invalidations: InvalidationQueue
    var requests: PageRequestQueue
    var faults: FaultLog
    var pasidCache: Cache<CachedPASID>
    var iotlb: Cache<CachedTranslation>
    var stats = vtd_stats()
    var devices = List<Device>()
    /// What the driver keeps about the unit while it is enabled.
    var driver: Ref<DriverUnit>?

    private static let pasidCacheSize = 256
    private static let iotlbSize = 1024

    private init?(machine: Ref<Machine>, config: vtd_unit_config) {
        guard let faults = FaultLog() else { return nil }
        guard let pasidCache = Cache<CachedPASID>(size: Unit.pasidCacheSize) else {
            faults.discard()
            return nil
        }
        guard let iotlb = Cache<CachedTranslation>(size: Unit.iotlbSize) else {
            pasidCache.discard()
            faults.discard()
            return nil
        }
        guard
            let queues = machine.allocatePages(
                InvalidationQueue.pages &+ PageRequestQueue.pages)
        else {
            iotlb.discard()
            pasidCache.discard()
            faults.discard()
            return nil
        }
        self.machine = machine
        self.config = config
        self.faults = faults
        self.pasidCache = pasidCache
        self.iotlb = iotlb
        invalidations = InvalidationQueue(base: queues)
        requests = PageRequestQueue(base: queues &+ InvalidationQueue.pages << pageShift)
    }

    private func discard() {
        machine.freePages(
            invalidations.base, InvalidationQueue.pages &+ PageRequestQueue.pages)
        iotlb.discard()
        pasidCache.discard()
        faults.discard()
    }

    /// With the hardware lock held, as everything here.
    static func create(_ machine: Ref<Machine>, _ config: vtd_unit_config) -> Ref<Unit>? {
        guard let value = Unit(machine: machine, config: config) else { return nil }
        guard let unit = Memory.make(value) else {
            value.discard()
            return nil
        }
        machine.pointee.units.add(unit)
        return unit
    }

    static func destroy(_ unit: Ref<Unit>) {
        unit.pointee.machine.pointee.units.remove(unit)
        unit.pointee.discard()
        Memory.release(unit)
    }
}

// Through the pointer: a method of the struct would read all of it, counters that DMA changes too.
extension UnsafeMutablePointer<Unit> {
    var memory: PhysicalMemory { pointee.machine.pointee.memory }
    var pasidLimit: UInt32 { 1 << pointee.config.pasid_bits }
    func can(_ capability: UInt32) -> Bool { pointee.config.capabilities & capability != 0 }

    func device(_ sourceID: UInt16) -> Ref<Device>? {
        pointee.devices.find { $0.pointee.sourceID == sourceID }
    }
}
