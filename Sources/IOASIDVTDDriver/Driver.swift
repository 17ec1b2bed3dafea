// SPDX-License-Identifier: MIT
// The driver as a whole: which units it has, the host's PASIDs, the subscription to FREE.

@preconcurrency import CIOASIDVTDDriver
@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory
import IOASIDVTDHardware
import Synchronization

/// What the driver keeps about a unit.
struct DriverUnit {
    let root: HPA
    /// Registered while the unit has a virtual command register.
    var allocator = ioasid_allocator_ops()
}

extension Ref<Unit> {
    /// nil while the unit is not enabled.
    var driver: Ref<DriverUnit>? {
        (pointee.driver?.record).map { Ref<DriverUnit>(raw: $0) }
    }
}

package enum Driver {
    /// Guarded by the driver lock.
    nonisolated(unsafe) private static var enabledUnits = 0
    nonisolated(unsafe) private static var isListening = false
    /// Written with the driver lock held, read by anybody. 0 while no unit is enabled.
    private static let ownSet = Atomic<UInt>(0)
    package static let pasidLimit = Atomic<UInt32>(0)

    package static var hostSet: UnsafeMutablePointer<ioasid_set>? {
        UnsafeMutablePointer(bitPattern: ownSet.load(ordering: .acquiring))
    }

    // MARK: Units

    package static func enable(_ unit: Ref<Unit>) -> CInt {
        // Enabled, or at work for a program that drives it by the registers.
        guard Lock.hardware({ unit.isFree }) else { return -EBUSY }
        let error = makeTables(unit)
        guard error == 0 else { return error }
        let limit = pasidLimit.load(ordering: .relaxed)
        let started = enabledUnits == 0 ? start(unit) : 0
        guard started == 0 else {
            dropTables(unit)
            return started
        }
        // Before the allocator can be asked.
        pasidLimit.store(
            limit == 0 ? unit.pasidLimit : min(limit, unit.pasidLimit),
            ordering: .relaxed)
        let registered = VirtualCommand.register(unit)
        guard registered == 0 else {
            pasidLimit.store(limit, ordering: .relaxed)
            if enabledUnits == 0 { stop() }
            dropTables(unit)
            return registered
        }
        enabledUnits &+= 1
        Lock.hardware {
            unit.setRoot(unit.driver?.pointee.root ?? HPA(0))
            forgetEverything(unit)
        }
        return 0
    }

    package static func disable(_ unit: Ref<Unit>) -> CInt {
        guard unit.driver != nil else { return -EINVAL }
        let busy = Lock.hardware { unit.pointee.devices.find { $0.isBusy } }
        guard busy == nil else { return -EBUSY }
        VirtualCommand.unregister(unit)
        Lock.hardware {
            unit.setRoot(HPA(0))
            forgetEverything(unit)
        }
        dropTables(unit)
        enabledUnits &-= 1
        if enabledUnits == 0 { stop() }
        pasidLimit.store(limitOfEnabled(), ordering: .relaxed)
        return 0
    }

    private static func limitOfEnabled() -> UInt32 {
        Lock.hardware {
            var limit = UInt32.max
            Machine.all.forEach { machine in
                machine.pointee.units.forEach { unit in
                    guard unit.driver != nil else { return }
                    limit = min(limit, unit.pasidLimit)
                }
            }
            return limit == UInt32.max ? 0 : limit
        }
    }

    private static func makeTables(_ unit: Ref<Unit>) -> CInt {
        let isMade: Bool = Lock.hardware {
            let machine = unit.pointee.machine
            guard let root = machine.allocatePages(1) else { return false }
            guard let driver = Memory.make(DriverUnit(root: root)) else {
                machine.freePages(root, 1)
                return false
            }
            unit.setDriver(
                UnitDriver(
                    record: driver.raw, deviceAdded: { $0.enable() },
                    deviceLeaves: { $0.leave() },
                    pageRequestsWait: { PageRequests.interrupt($0) },
                    faultRecorded: { Faults.report($0, $1, reason: $2) }))
            return unit.pointee.devices.find { !$0.enable() } == nil
        }
        guard !isMade else { return 0 }
        dropTables(unit)
        return -ENOMEM
    }

    private static func dropTables(_ unit: Ref<Unit>) {
        Lock.hardware {
            guard let driver = unit.driver else { return }
            let machine = unit.pointee.machine
            unit.pointee.devices.forEach { device in
                if let kept = device.disable() { Retired.pending.add(kept) }
            }
            let memory = unit.memory
            for half in UInt64(0)..<512 {
                let entry = memory.word(driver.pointee.root + half &* 8) ?? 0
                if entry & 1 != 0 { machine.freePages(HPA(entry: entry), 1) }
            }
            machine.freePages(driver.pointee.root, 1)
            unit.setDriver(nil)
            Memory.free(driver)
        }
    }

    /// After the root register was written (section 6.6). With the hardware lock held.
    private static func forgetEverything(_ unit: Ref<Unit>) {
        unit.enqueue(vtd_inv_context(VTD_INV_CONTEXT_GLOBAL, 0))
        unit.enqueue(vtd_inv_pasid_cache(VTD_INV_PASID_GLOBAL, 0, 0))
        unit.enqueue(vtd_inv_iotlb(VTD_INV_IOTLB_GLOBAL, 0))
        unit.pointee.devices.forEach { device in
            guard device.hasTLB else { return }
            unit.enqueue(vtd_inv_dev_tlb(device.pointee.source.number))
            var every = vtd_inv_dev_ptlb(device.pointee.source.number, 0)
            every.qw.1 |= VTD_INV_DEV_GLOBAL
            unit.submit(every)
        }
        _ = unit.ring(drain: false)
    }

    // MARK: With the first unit, and after the last

    private static func start(_ unit: Ref<Unit>) -> CInt {
        guard Bindings.prepare() else { return -ENOMEM }
        if ioasid_get_capacity() != unit.pasidLimit {
            ioasid_install_capacity(unit.pasidLimit)
        }
        // No quota: any number would take ids away from guests, or fail when they have them.
        let made = ioasid_set_alloc(nil, 0, CInt(IOASID_SET_TYPE_NULL.rawValue))
        guard !civtd_is_err(made) else {
            Bindings.discard()
            return CInt(civtd_ptr_err(made))
        }
        ownSet.store(UInt(bitPattern: made), ordering: .releasing)
        let error = listen()
        if error != 0 { stop() }
        return error
    }

    private static func stop() {
        if isListening {
            ioasid_unregister_notifier(nil, &civtd_pasid_nb)
            isListening = false
        }
        let set = ownSet.exchange(0, ordering: .acquiringAndReleasing)
        ioasid_set_put(UnsafeMutablePointer(bitPattern: set))
        Bindings.discard()
    }

    package static func listen() -> CInt {
        guard hostSet != nil else { return -ENODEV }
        guard !isListening else { return 0 }
        civtd_pasid_nb.notifier_call = pasidStatusChange
        let error = ioasid_register_notifier(nil, &civtd_pasid_nb)
        isListening = error == 0
        return error
    }

    // MARK: Handles from outside

    /// - Returns: a device whose unit is enabled, or nil. Looks before it follows the pointer.
    package static func device(_ handle: OpaquePointer?) -> Ref<Device>? {
        guard let device = Handle.device(handle), device.driver != nil else { return nil }
        return device
    }

    // MARK: PASIDs of the host

    /// Two references: the set's own, which a stray ioasid_free() can drop, and the driver's, which
    /// keeps the number from being used again before the entry is torn down.
    static func allocatePASID() -> PASID? {
        let limit = pasidLimit.load(ordering: .relaxed)
        guard limit > UInt32(PASID_MIN) else { return nil }
        let pasid = ioasid_alloc(hostSet, UInt32(PASID_MIN), limit &- 1, nil)
        guard pasid != UInt32.max else { return nil }
        guard ioasid_get(hostSet, pasid) == 0 else {
            ioasid_free(hostSet, pasid)
            return nil
        }
        Quiet.end(PASID(pasid))
        return PASID(pasid)
    }

    /// - Parameter isOurs: false if the set's own reference is somebody else's to drop
    static func releasePASID(_ pasid: PASID, isOurs: Bool = true) {
        if isOurs { ioasid_free(hostSet, pasid.number) }
        ioasid_put(nil, pasid.number)
    }
}
