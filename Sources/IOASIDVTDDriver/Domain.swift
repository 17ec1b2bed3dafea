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
    /// It was asked to carry guests' page tables.
    package fileprivate(set) var isNesting = false

    /// Ids 0 and 1 are reserved; 1 is of first-level entries.
    static let firstLevelID = DomainID(1)
    static let addressBits: UInt64 = 48

    var memory: PhysicalMemory { machine.pointee.memory }
    var table: PageTable { PageTable.secondLevel(memory, root: root) }

    // MARK: Every domain there is: how a pointer from outside is told from nonsense

    private static func bucket(_ domain: Ref<Domain>) -> Ref<List<Domain>> {
        Ref(raw: UnsafeMutableRawPointer(civtd_domain_bucket(domain.raw)))
    }

    /// Without a lock.
    package static func known(_ handle: OpaquePointer?) -> Ref<Domain>? {
        with(handle) { $0 }
    }

    /// Runs `body`, with the hardware lock, on the domain that a handle stands for.
    /// - Returns: nil if it stands for none.
    @inline(__always)
    package static func with<Result>(
        _ handle: OpaquePointer?, _ body: (Ref<Domain>) -> Result
    ) -> Result? {
        guard let handle else { return nil }
        let wanted = Ref<Domain>(handle)
        return Lock.hardware {
            guard bucket(wanted).pointee.find({ $0 == wanted }) != nil else { return nil }
            return body(wanted)
        }
    }

    /// With the hardware lock held, as create and free.
    package static func create(_ machine: Ref<Machine>, isIdentity: Bool) -> (Ref<Domain>?, CInt) {
        let number = civtd_take_domain_id()
        guard number != 0 else { return (nil, -ENOSPC) }
        let id = DomainID(UInt16(truncatingIfNeeded: number))
        var root = HPA(0)
        if !isIdentity {
            guard let page = machine.allocatePages(1) else {
                civtd_return_domain_id(number)
                return (nil, -ENOMEM)
            }
            root = page
        }
        let value = Domain(machine: machine, id: id, isIdentity: isIdentity, root: root)
        guard let domain = Memory.make(value) else {
            if root.bits != 0 { machine.freePages(root, 1) }
            civtd_return_domain_id(number)
            return (nil, -ENOMEM)
        }
        bucket(domain).pointee.prepend(domain)
        machine.pointee.tenants &+= 1
        return (domain, 0)
    }

    package static func destroy(_ domain: Ref<Domain>) {
        let machine = domain.pointee.machine
        bucket(domain).pointee.remove(domain)
        civtd_return_domain_id(CInt(domain.pointee.id.number))
        machine.pointee.tenants &-= 1
        if !domain.pointee.isIdentity { domain.pointee.table.release(to: machine) }
        Memory.free(domain)
    }

    // MARK: Translations. With the hardware lock held

    /// - Returns: the physical address, or nil if it is not mapped.
    package func translate(_ address: GPA) -> HPA? {
        guard address.bits >> Domain.addressBits == 0 else { return nil }
        if isIdentity { return HPA(address.bits) }
        guard let at = table.mappedEntry(address.bits), let bits = memory.word(at) else {
            return nil
        }
        return HPA(entry: bits) + address.inPage
    }

    private func isRange(_ address: GPA, _ size: UInt64) -> Bool {
        let limit = UInt64(1) << Domain.addressBits
        return !isIdentity && size > 0 && (address.bits | size) & (pageSize &- 1) == 0
            && address.bits < limit && size <= limit &- address.bits
    }

    func mapPage(_ address: GPA, _ page: HPA, _ bits: UInt64) -> CInt {
        guard isRange(address, pageSize) else { return -EINVAL }
        let at = table.entryAddress(
            address.bits, physical: { HPA($0) }, newTable: { machine.allocatePages(1)?.bits })
        guard let at, let old = memory.word(at) else { return -ENOMEM }
        guard old & table.presence == 0 else { return -EEXIST }
        memory.setWord(at, page.bits | bits)
        return 0
    }

    /// Unmaps and makes the caches forget.
    func unmapNow(_ address: GPA, _ size: UInt64) {
        var cleared = Cleared()
        table.clear(address.bits, size, &cleared)
        finish(cleared)
    }

    /// Tables go back when no cache leads to them any more.
    private func finish(_ cleared: Cleared) {
        if cleared.pages > 0 { flush() }
        machine.freeChain(cleared.tables)
    }

    // MARK: Mapping and unmapping. Without a lock; it is held for a piece of the range at a time

    /// So much is done before others get the lock.
    private static let piece: UInt64 = 1 << 30

    /// Maps all of the range or, on error, nothing.
    package static func map(
        _ handle: OpaquePointer?, _ address: GPA, _ physical: HPA, _ size: UInt64, _ bits: UInt64
    ) -> CInt {
        let isPossible = with(handle) {
            $0.pointee.isRange(address, size) && physical.isPage && bits != 0
                && $0.pointee.memory.contains(physical, size)
        }
        guard isPossible == true else { return -EINVAL }
        var done: UInt64 = 0
        while done < size {
            let end = min(size, done &+ piece / 512)
            let error: CInt? = with(handle) { domain in
                while done < end {
                    let error = domain.pointee.mapPage(address + done, physical + done, bits)
                    guard error == 0 else { return error }
                    done &+= pageSize
                }
                return 0
            }
            guard let error else { return -EINVAL }
            guard error == 0 else {
                _ = unmap(handle, address, done)
                return error
            }
        }
        _ = with(handle) { $0.pointee.flushAbsence() }
        return 0
    }

    /// - Returns: how many bytes were mapped.
    /// - Complexity: O(what is mapped), but for 2^18 words at most
    package static func unmap(_ handle: OpaquePointer?, _ address: GPA, _ size: UInt64) -> UInt64 {
        guard with(handle, { $0.pointee.isRange(address, size) }) == true else { return 0 }
        let end = address.bits &+ size
        var cleared = Cleared()
        var next = address.bits
        while next < end {
            let isThere: Bool? = with(handle) { domain in
                let table = domain.pointee.table
                next = table.firstMapped(next, end)
                guard next < end else { return true }
                let stop = min(end, (next | (piece &- 1)) &+ 1)
                table.clear(next, stop &- next, &cleared)
                next = stop
                return true
            }
            guard isThere == true else { break }
        }
        _ = with(handle) { $0.pointee.finish(cleared) }
        return cleared.pages << pageShift
    }

    // MARK: Invalidation. With the hardware lock held

    /// After mapping: units in caching mode have cached that nothing was there.
    func flushAbsence() {
        machine.pointee.units.forEach { unit in
            guard unit.driver != nil, unit.can(VTD_CAP_CM) else { return }
            unit.submit(vtd_inv_iotlb(VTD_INV_IOTLB_DOMAIN, id.number))
        }
    }

    /// Makes every unit and device forget the domain's translations.
    private func flush() {
        machine.pointee.units.forEach { unit in
            guard unit.driver != nil else { return }
            unit.enqueue(vtd_inv_iotlb(VTD_INV_IOTLB_DOMAIN, id.number))
            unit.pointee.devices.forEach { device in
                guard device.hasTLB, device.isAttached(to: id) else { return }
                unit.enqueue(vtd_inv_dev_tlb(device.pointee.source.number))
                var every = vtd_inv_dev_ptlb(device.pointee.source.number, 0)
                every.qw.1 |= VTD_INV_DEV_GLOBAL
                unit.submit(every)
            }
            unit.ring(drain: false)
        }
    }
}

// With the hardware lock held.
extension Ref<Domain> {
    /// A domain in use stays what it is, and units that do not nest cannot have any that does.
    package func setNesting(_ isNesting: Bool) -> CInt {
        guard !pointee.isIdentity else { return -EINVAL }
        let units = pointee.machine.pointee.units
        guard pointee.users == 0, !isNesting || units.find({ !$0.can(VTD_CAP_NEST) }) == nil
        else { return -ENODEV }
        pointee.isNesting = isNesting
        return 0
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
