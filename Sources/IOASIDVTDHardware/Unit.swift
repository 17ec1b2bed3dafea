// SPDX-License-Identifier: MIT
// A remapping unit: registers, queues, caches, and the devices behind it.

@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory

/// Who drives a unit. The hardware calls the functions, and never looks behind the record.
package struct UnitDriver {
    /// What the driver keeps about the unit.
    package let record: UnsafeMutableRawPointer
    /// With the hardware lock held: a device came. False: it cannot be used, for want of memory.
    let deviceAdded: (Ref<Device>) -> Bool
    /// With the hardware lock held: a device is to go. False: it is in use.
    let deviceLeaves: (Ref<Device>) -> Bool
    /// Without a lock: there are page requests in the queue.
    let pageRequestsWait: (Ref<Unit>) -> Void
    /// Without a lock: a request has ended in a fault that was recorded. The device may be gone.
    let faultRecorded: (Ref<Device>, Request, UInt32) -> Void

    package init(
        record: UnsafeMutableRawPointer, deviceAdded: @escaping (Ref<Device>) -> Bool,
        deviceLeaves: @escaping (Ref<Device>) -> Bool,
        pageRequestsWait: @escaping (Ref<Unit>) -> Void,
        faultRecorded: @escaping (Ref<Device>, Request, UInt32) -> Void
    ) {
        self.record = record
        self.deviceAdded = deviceAdded
        self.deviceLeaves = deviceLeaves
        self.pageRequestsWait = pageRequestsWait
        self.faultRecorded = faultRecorded
    }
}

package struct Unit: Listed {
    package var next: Ref<Unit>?
    package let machine: Ref<Machine>
    package let config: vtd_unit_config
    var registers = RegisterFile()
    /// What SRTP latched of the root table address register; and whether it says scalable mode.
    var root = HPA(0)
    var isScalable = true
    var invalidations: DescriptorRing
    /// Where software has put it by the registers; nowhere at first.
    var queue = DescriptorRing(base: HPA(0), byteCount: pageSize, isWide: true)
    package var requests: PageRequestQueue
    package var faults: FaultLog
    var pasidCache: Cache<CachedPASID>
    var iotlb: Cache<CachedTranslation>
    /// Second-level leaves of nested translations.
    var leaves: Cache<CachedLeaf>
    package var stats = vtd_stats()
    package var devices = List<Device>()
    package var requestEvent = EventSource()
    var faultEvent = EventSource()
    var invalidationEvent = EventSource()
    /// Something may have to be delivered.
    var hasRaised = false
    /// Functions of the program that are being called.
    var interruptsRunning = 0
    /// nil: nobody drives it, or somebody does by its registers and tables alone.
    package var driver: UnitDriver?

    private static let pasidCacheSize = 256
    private static let iotlbSize = 1024
    private static let leavesSize = 1024

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
        guard let leaves = Cache<CachedLeaf>(size: Unit.leavesSize) else {
            iotlb.discard()
            pasidCache.discard()
            faults.discard()
            return nil
        }
        guard
            let queues = machine.allocatePages(
                InvalidationQueue.pages &+ PageRequestQueue.pages)
        else {
            leaves.discard()
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
        self.leaves = leaves
        invalidations = InvalidationQueue.own(queues)
        requests = PageRequestQueue(base: queues + InvalidationQueue.pages << pageShift)
    }

    private func discard() {
        machine.freePages(
            invalidations.base, InvalidationQueue.pages &+ PageRequestQueue.pages)
        leaves.discard()
        iotlb.discard()
        pasidCache.discard()
        faults.discard()
    }

    /// With the hardware lock held, as everything here.
    package static func create(_ machine: Ref<Machine>, _ config: vtd_unit_config) -> Ref<Unit>? {
        guard let value = Unit(machine: machine, config: config) else { return nil }
        guard let unit = Memory.make(value) else {
            value.discard()
            return nil
        }
        machine.pointee.units.prepend(unit)
        return unit
    }

    package static func destroy(_ unit: Ref<Unit>) {
        unit.pointee.machine.pointee.units.remove(unit)
        unit.pointee.discard()
        Memory.free(unit)
    }
}

// Through the pointer: a method of the struct would read all of it, counters that DMA changes too.
extension Ref<Unit> {
    /// Without a lock. What nobody is told of stays in the queue.
    package func signalPageRequests() {
        let driver = Lock.hardware {
            Handle.isUnit(self) && !pointee.requestEvent.isMasked ? pointee.driver : nil
        }
        if let driver {
            driver.pageRequestsWait(self)
        } else {
            deliverInterrupts()
        }
    }

    /// With the hardware lock held: is it nobody's, or is a program at work by the registers?
    package var isFree: Bool {
        pointee.driver == nil && !pointee.registers.isTranslating && !pointee.registers.isQueued
    }

    /// With the hardware lock held: the driver of the library takes the unit, or leaves it.
    package func setDriver(_ driver: UnitDriver?) {
        pointee.driver = driver
        let own = pointee.invalidations.base + InvalidationQueue.pages << pageShift
        pointee.requests = PageRequestQueue(base: own)
        pointee.requestEvent = EventSource()
        pointee.requestEvent.isMasked = driver == nil
        pointee.registers.isQueued = driver != nil
    }

    package var memory: PhysicalMemory { pointee.machine.pointee.memory }
    package var pasidLimit: UInt32 { 1 << pointee.config.pasid_bits }
    package func can(_ capability: UInt32) -> Bool { pointee.config.capabilities & capability != 0 }

    package func device(_ source: SourceID) -> Ref<Device>? {
        pointee.devices.find { $0.pointee.source == source }
    }
}
