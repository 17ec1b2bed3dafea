// SPDX-License-Identifier: MIT
// What the driver keeps about a device: its PASID table, domains, and page requests reported.

import CIOASIDVTD

struct DriverDevice {
    /// The PASID directory and its size.
    let directory: UInt64
    let directoryPages: UInt64
    var attachments = List<Attachment>()
    var handler: iommu_dev_fault_handler_t?
    var handlerData: UnsafeMutableRawPointer?
    /// Told to the handler and not answered yet.
    var reported = List<ReportedRequest>()
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
extension Device {
    /// Makes a PASID directory and a context entry.
    mutating func enable(_ driverUnit: Ref<DriverUnit>) -> Bool {
        let machine = unit.pointee.machine
        let pages = DriverDevice.pages(pasidLimit: unit.pointee.pasidLimit)
        guard let directory = machine.pointee.allocatePages(pages) else { return false }
        let value = DriverDevice(directory: directory, directoryPages: pages)
        guard let made = Memory.make(value) else {
            machine.pointee.freePages(directory, pages)
            return false
        }
        guard let at = contextAddress(driverUnit) else {
            Memory.release(made)
            machine.pointee.freePages(directory, pages)
            return false
        }
        driver = made
        var flags = ContextEntry.pasidEnable
        if hasTLB { flags |= ContextEntry.deviceTLB }
        if hasPageRequests && unit.pointee.can(VTD_CAP_PRS) { flags |= ContextEntry.pageRequests }
        let entry = ContextEntry(
            directory: directory, pasidBits: unit.pointee.config.pasid_bits, flags: flags)
        unit.pointee.memory.setWord(at &+ 8, entry.word1)
        unit.pointee.memory.setWord(at, entry.word0)
        return true
    }

    /// The opposite, of a device without bindings and attachments.
    mutating func disable(_ driverUnit: Ref<DriverUnit>) {
        guard let kept = driver else { return }
        let machine = unit.pointee.machine
        let memory = unit.pointee.memory
        if let at = contextAddress(driverUnit) { memory.setWord(at, 0) }
        unit.pointee.submit(vtd_inv_context(VTD_INV_CONTEXT_DEVICE, sourceID))
        for index in 0..<kept.pointee.entries {
            let entry = memory.word(kept.pointee.directory &+ index &* 8) ?? 0
            if entry & 1 != 0 { machine.pointee.freePages(entry & addressMask, 1) }
        }
        machine.pointee.freePages(kept.pointee.directory, kept.pointee.directoryPages)
        kept.pointee.reported.forEach { Memory.release($0) }
        driver = nil
        Memory.release(kept)
    }

    /// - Returns: where the context entry is; nil if there is no page for its table.
    private func contextAddress(_ driverUnit: Ref<DriverUnit>) -> UInt64? {
        let memory = unit.pointee.memory
        let half = RootTable.halfEntry(driverUnit.pointee.root, sourceID)
        var entry = memory.word(half) ?? 0
        if entry & 1 == 0 {
            guard let table = unit.pointee.machine.pointee.allocatePages(1) else { return nil }
            entry = table | 1
            memory.setWord(half, entry)
        }
        return entry & addressMask &+ RootTable.contextOffset(sourceID)
    }

    func attachment(_ domain: Ref<Domain>) -> Ref<Attachment>? {
        driver?.pointee.attachments.find { $0.pointee.domain == domain }
    }

    func isAttached(to domainID: UInt16) -> Bool {
        driver?.pointee.attachments.find { $0.pointee.domain.pointee.id == domainID } != nil
    }

    var isBusy: Bool {
        guard let driver else { return false }
        return driver.pointee.bindings > 0 || !driver.pointee.attachments.isEmpty
    }
}
