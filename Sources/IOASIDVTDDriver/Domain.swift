// SPDX-License-Identifier: MIT
// Domains: second-level address spaces, and which devices they are attached to.

@preconcurrency import CIOASIDVTDDriver
@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory
import IOASIDVTDHardware

package struct Domain: Listed {
    package var next: Ref<Domain>?
    let machine: Ref<Machine>
    let id: DomainID
    let isIdentity: Bool
    /// Root of the second-level table; 0 of an identity domain.
    let root: HPA
    /// How many attachments there are, guest memories included.
    package var users = 0

    /// Ids 0 and 1 are reserved; 1 is of first-level entries.
    static let firstLevelID = DomainID(1)
    private static let lowestID: UInt16 = 2
    static let addressBits: UInt64 = 48

    var memory: PhysicalMemory { machine.pointee.memory }
    var table: PageTable { PageTable.secondLevel(memory, root: root) }

    /// Every domain there is: how a pointer from outside is told from nonsense.
    nonisolated(unsafe) private static var all = List<Domain>()

    /// Without a lock.
    package static func known(_ handle: OpaquePointer?) -> Ref<Domain>? {
        guard let handle else { return nil }
        let wanted = Ref<Domain>(handle)
        return Lock.hardware { all.find { $0 == wanted } }
    }

    private static func freeID() -> DomainID? {
        for id in lowestID..<UInt16.max {
            let isTaken = all.find { $0.pointee.id.number == id }
            if isTaken == nil { return DomainID(id) }
        }
        return nil
    }

    /// With the hardware lock held, as create and free.
    package static func create(_ machine: Ref<Machine>, isIdentity: Bool) -> (Ref<Domain>?, CInt) {
        guard let id = freeID() else { return (nil, -ENOSPC) }
        var root = HPA(0)
        if !isIdentity {
            guard let page = machine.allocatePages(1) else { return (nil, -ENOMEM) }
            root = page
        }
        let value = Domain(machine: machine, id: id, isIdentity: isIdentity, root: root)
        guard let domain = Memory.make(value) else {
            if root.bits != 0 { machine.freePages(root, 1) }
            return (nil, -ENOMEM)
        }
        all.add(domain)
        machine.pointee.tenants &+= 1
        return (domain, 0)
    }

    package static func destroy(_ domain: Ref<Domain>) {
        let machine = domain.pointee.machine
        all.remove(domain)
        machine.pointee.tenants &-= 1
        if !domain.pointee.isIdentity { domain.pointee.table.release(to: machine) }
        Memory.free(domain)
    }

    /// - Returns: the physical address, or nil if it is not mapped.
    package func translate(_ address: GPA) -> HPA? {
        guard address.bits >> Domain.addressBits == 0 else { return nil }
        if isIdentity { return HPA(address.bits) }
        guard let at = table.mappedEntry(address.bits), let bits = memory.word(at) else { return nil }
        return HPA(entry: bits) + address.inPage
    }

    private func isRange(_ address: GPA, _ size: UInt64) -> Bool {
        let limit = UInt64(1) << Domain.addressBits
        return !isIdentity && size > 0 && (address.bits | size) & (pageSize &- 1) == 0
            && address.bits < limit && size <= limit &- address.bits
    }

    /// Maps all of the range or, on error, nothing.
    package func map(_ address: GPA, _ physical: HPA, _ size: UInt64, _ bits: UInt64) -> CInt {
        guard isRange(address, size), physical.isPage, bits != 0,
            memory.contains(physical, size)
        else { return -EINVAL }
        var done: UInt64 = 0
        while done < size {
            let error = mapPage(address + done, physical + done, bits)
            guard error == 0 else {
                _ = clear(address, done)
                return error
            }
            done &+= pageSize
        }
        return 0
    }

    private func mapPage(_ address: GPA, _ page: HPA, _ bits: UInt64) -> CInt {
        let at = table.entryAddress(
            address.bits, physical: { HPA($0) }, newTable: { machine.allocatePages(1)?.bits })
        guard let at, let old = memory.word(at) else { return -ENOMEM }
        guard old & table.presence == 0 else { return -EEXIST }
        memory.setWord(at, page.bits | bits)
        return 0
    }

    /// - Returns: how many bytes were mapped. Caches still have them.
    private func clear(_ address: GPA, _ size: UInt64) -> UInt64 {
        var cleared: UInt64 = 0
        var done: UInt64 = 0
        while done < size {
            if let at = table.mappedEntry(address.bits &+ done) {
                memory.setWord(at, 0)
                cleared &+= pageSize
            }
            done &+= pageSize
        }
        return cleared
    }

    package func unmap(_ address: GPA, _ size: UInt64) -> UInt64 {
        guard isRange(address, size) else { return 0 }
        let cleared = clear(address, size)
        if cleared > 0 { flush() }
        return cleared
    }

    /// Makes every unit and device forget the domain's translations.
    private func flush() {
        machine.pointee.units.forEach { unit in
            guard unit.driver != nil else { return }
            unit.submit(vtd_inv_iotlb(VTD_INV_IOTLB_DOMAIN, id.number))
            unit.pointee.devices.forEach { device in
                guard device.hasTLB, device.isAttached(to: id) else { return }
                unit.submit(vtd_inv_dev_tlb(device.pointee.source.number))
                var every = vtd_inv_dev_ptlb(device.pointee.source.number, 0)
                every.qw.1 |= VTD_INV_DEV_GLOBAL
                unit.submit(every)
            }
        }
    }
}

/// A domain attached to a device: for requests without PASID, or, as one more, under a PASID.
struct Attachment: Listed {
    var next: Ref<Attachment>?
    let domain: Ref<Domain>
    let pasid: PASID
    /// How often, for mediated devices of one guest.
    var users = 1
    /// Guest PASIDs that the device has bound on the domain.
    var bindings = 0

    var isAuxiliary: Bool { pasid != .ofRequestsWithout }
}
