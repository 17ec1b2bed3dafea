// SPDX-License-Identifier: MIT
// What the driver keeps about a device: its PASID table, domains, and page requests reported.

@preconcurrency import CIOASIDVTDDriver
@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory
import IOASIDVTDHardware

struct DriverDevice: Called {
    var next: Ref<DriverDevice>?
    var calls = Calls()
    /// The PASID directory and its size.
    let directory: HPA
    let directoryPages: UInt64
    var attachments = List<Attachment>()
    var handler: iommu_dev_fault_handler_t?
    var handlerData: UnsafeMutableRawPointer?
    /// Told to the handler and not answered yet.
    var reported = List<ReportedRequest>()
    /// How many entries are left with FPD.
    var quietEntries = 0
    /// Which are enabled. Guarded by the driver lock.
    var features: UInt32 = 0
    /// Bindings, guests' and processes'.
    var bindings = 0

    private static let directoryEntryBytes: UInt64 = 8

    static func pages(pasidLimit: UInt32) -> UInt64 {
        let bytes = UInt64(max(pasidLimit, 1 << 13) >> 6) &* directoryEntryBytes
        return (bytes &+ pageSize &- 1) >> pageShift
    }

    var entries: UInt64 { directoryPages << pageShift / DriverDevice.directoryEntryBytes }
}

// With the hardware lock held.
extension Ref<Device> {
    /// nil while the unit is not enabled.
    var driver: Ref<DriverDevice>? {
        pointee.driverRecord.map { Ref<DriverDevice>(raw: $0) }
    }

    /// Makes a PASID directory and a context entry.
    func enable() -> Bool {
        let machine = pointee.unit.pointee.machine
        let pages = DriverDevice.pages(pasidLimit: pointee.unit.pasidLimit)
        guard let directory = machine.allocatePages(pages) else { return false }
        let value = DriverDevice(directory: directory, directoryPages: pages)
        guard let made = Memory.make(value) else {
            machine.freePages(directory, pages)
            return false
        }
        guard let at = contextAddress() else {
            Memory.free(made)
            machine.freePages(directory, pages)
            return false
        }
        pointee.driverRecord = made.raw
        var flags = ContextEntry.pasidEnable
        if hasTLB { flags |= ContextEntry.deviceTLB }
        if hasPageRequests && pointee.unit.can(VTD_CAP_PRS) {
            flags |= ContextEntry.pageRequests
        }
        let entry = ContextEntry(
            directory: directory, pasidBits: pointee.unit.pointee.config.pasid_bits, flags: flags)
        pointee.unit.memory.setWord(at + 8, entry.word1)
        pointee.unit.memory.setWord(at, entry.word0)
        if pointee.unit.can(VTD_CAP_CM) {
            pointee.unit.submit(vtd_inv_context(VTD_INV_CONTEXT_DEVICE, pointee.source.number))
        }
        return true
    }

    /// The opposite, of a device without bindings and attachments.
    /// - Returns: the record, whose functions may be running yet.
    func disable() -> Ref<DriverDevice>? {
        guard let kept = driver else { return nil }
        let machine = pointee.unit.pointee.machine
        let memory = pointee.unit.memory
        if let at = contextAddress() { memory.setWord(at, 0) }
        pointee.unit.submit(vtd_inv_context(VTD_INV_CONTEXT_DEVICE, pointee.source.number))
        for index in 0..<kept.pointee.entries {
            let entry = memory.word(kept.pointee.directory + index &* 8) ?? 0
            if entry & 1 != 0 { machine.freePages(HPA(entry: entry), 1) }
        }
        machine.freePages(kept.pointee.directory, kept.pointee.directoryPages)
        kept.pointee.reported.forEach { Memory.free($0) }
        kept.pointee.reported = List()
        pointee.driverRecord = nil
        return kept
    }

    /// - Returns: false if it is in use.
    func leave() -> Bool {
        guard !isBusy else { return false }
        if let kept = disable() { kept.discard() }
        return true
    }

    /// - Returns: where the context entry is; nil if there is no page for its table.
    private func contextAddress() -> HPA? {
        guard let root = pointee.unit.driver?.pointee.root else { return nil }
        let memory = pointee.unit.memory
        let half = RootTable.halfEntry(root, pointee.source)
        var entry = memory.word(half) ?? 0
        if entry & 1 == 0 {
            guard let table = pointee.unit.pointee.machine.allocatePages(1) else { return nil }
            entry = table.bits | 1
            memory.setWord(half, entry)
        }
        return HPA(entry: entry) + RootTable.contextOffset(pointee.source)
    }

    func attachment(_ domain: Ref<Domain>) -> Ref<Attachment>? {
        driver?.pointee.attachments.find { $0.pointee.domain == domain }
    }

    func isAttached(to id: DomainID) -> Bool {
        driver?.pointee.attachments.find { $0.pointee.domain.pointee.id == id } != nil
    }

    var isBusy: Bool {
        guard let driver = driver else { return false }
        return driver.pointee.bindings > 0 || !driver.pointee.attachments.isEmpty
    }
}
