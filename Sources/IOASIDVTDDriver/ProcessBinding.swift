// SPDX-License-Identifier: MIT
// Processes of the host: their page table, their PASIDs, bind and unbind (intel_svm_bind_mm).

@preconcurrency import CIOASIDVTDDriver
@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory
import IOASIDVTDHardware

/// The page table of a process, which lasts while one of its PASIDs does. Guarded by the hardware
/// lock; made and dropped with the driver lock held as well.
///
/// The structure of the process is held (mm_count), its memory is not: a process ends whether it is
/// bound or not. That it does is heard by the FREE of the PASID of its mm, which comes after its last
/// user has gone; one that has no PASID gets one of its bindings' for as long.
package struct AddressSpace: Listed {
    package var next: Ref<AddressSpace>?
    let mm: UnsafeMutablePointer<mm_struct>
    let machine: Ref<Machine>
    let root: HPA
    /// Its entries are cleared.
    var hasEnded = false
    /// The PASID of the process, if it is one of ours.
    var lent: PASID?
    /// The PASID that later bindings share; private ones are not.
    var shared: Ref<Binding>?
    var users = 0

    nonisolated(unsafe) private static var all = List<AddressSpace>()

    private var table: PageTable { PageTable.firstLevel(machine.pointee.memory, root: root.bits) }

    private static func find(_ mm: UnsafeMutablePointer<mm_struct>) -> Ref<AddressSpace>? {
        all.find { $0.pointee.mm == mm }
    }

    /// - Returns: the space of a process, made if it has none; nil and the error otherwise.
    static func of(
        _ mm: UnsafeMutablePointer<mm_struct>, _ machine: Ref<Machine>
    ) -> (Ref<AddressSpace>?, CInt) {
        guard isAlive(mm) else { return (nil, -EINVAL) }
        return Lock.hardware {
            if let space = find(mm) {
                return space.pointee.machine == machine ? (space, 0) : (nil, -EINVAL)
            }
            guard let root = machine.allocatePages(1) else { return (nil, -ENOMEM) }
            let value = AddressSpace(mm: mm, machine: machine, root: root)
            guard let space = Memory.make(value) else {
                machine.freePages(root, 1)
                return (nil, -ENOMEM)
            }
            mmgrab(mm)
            all.prepend(space)
            return (space, 0)
        }
    }

    /// Without `binding`, or without users at all, the space goes.
    static func drop(_ space: Ref<AddressSpace>, _ binding: Ref<Binding>?) {
        let mm = space.pointee.mm
        let isGone: Bool = Lock.hardware {
            if binding != nil { space.pointee.users &-= 1 }
            if space.pointee.shared == binding { space.pointee.shared = nil }
            guard space.pointee.users == 0 else { return false }
            all.remove(space)
            space.pointee.table.release(to: space.pointee.machine)
            Memory.free(space)
            return true
        }
        if isGone { mmdrop(mm) }
    }

    static func isAlive(_ mm: UnsafeMutablePointer<mm_struct>) -> Bool {
        civtd_mm_users(mm) > 0
    }

    /// - Returns: a space whose process has ended since the last call; nil if there is none.
    static func takeEnded() -> Ref<AddressSpace>? {
        Lock.hardware {
            let ended = all.find { !$0.pointee.hasEnded && !isAlive($0.pointee.mm) }
            ended?.pointee.hasEnded = true
            return ended
        }
    }

    // MARK: The PASID that tells the end. With the driver lock held

    /// Gives the process the PASID of a binding, unless it has one.
    static func lend(_ space: Ref<AddressSpace>, _ pasid: PASID) {
        let mm = space.pointee.mm
        guard civtd_mm_pasid(mm) == 0, mmget_not_zero(mm) else { return }
        Retired.pending.add(mm)
        space.pointee.lent = pasid
        mm_pasid_set(mm, pasid.number)
    }

    /// Before a binding gives up its PASID.
    /// - Returns: false if the process is ending, and frees the PASID by itself.
    static func takeBack(_ space: Ref<AddressSpace>, _ binding: Ref<Binding>) -> Bool {
        guard space.pointee.lent == binding.pointee.pasid else { return true }
        let mm = space.pointee.mm
        guard mmget_not_zero(mm) else { return false }
        if civtd_mm_pasid(mm) == binding.pointee.pasid.number { mm_pasid_init(mm) }
        space.pointee.lent = nil
        var other: Ref<Binding>?
        Bindings.forEachOpenly { candidate in
            if case .process(let its) = candidate.pointee.source, its == space { other = candidate }
        }
        if let other { lend(space, other.pointee.pasid) }
        Retired.pending.add(mm)
        return true
    }

    /// Caches are told if something else was mapped there, as mmap() over a page tells them.
    package static func map(
        _ mm: UnsafeMutablePointer<mm_struct>, _ address: IOVA, _ page: HPA, _ access: UInt32
    ) -> CInt {
        var replaced: Ref<AddressSpace>?
        let error: CInt = Lock.hardware {
            guard let space = find(mm) else { return -ENOENT }
            let machine = space.pointee.machine
            let at = space.pointee.table.entryAddress(
                address.bits, physical: { HPA($0) },
                newTable: { machine.allocatePages(1)?.bits })
            guard let at else { return -ENOMEM }
            if machine.pointee.memory.word(at) != 0 { replaced = space }
            machine.pointee.memory.setWord(at, page.bits | firstLevelBits(access))
            return 0
        }
        if let replaced { ProcessBinding.flush(replaced, address) }
        return error
    }

    /// - Returns: the space whose page it was, so that caches can be told; nil if there was none.
    package static func clear(
        _ mm: UnsafeMutablePointer<mm_struct>, _ address: IOVA
    ) -> Ref<AddressSpace>? {
        Lock.hardware {
            guard let space = find(mm), let at = space.pointee.table.mappedEntry(address.bits)
            else {
                return nil
            }
            space.pointee.machine.pointee.memory.setWord(at, 0)
            return space
        }
    }
}

package enum ProcessBinding {
    package static func bind(
        _ device: Ref<Device>, _ mm: UnsafeMutablePointer<mm_struct>,
        _ pasid: UnsafeMutablePointer<CInt>, isPrivate: Bool,
        _ operations: UnsafeMutablePointer<svm_dev_ops>?
    ) -> CInt {
        // With the lock, as in Attach.fits().
        let machine = Lock.hardware { device.pointee.unit.pointee.machine }
        let (space, refusal) = AddressSpace.of(mm, machine)
        guard let space else { return refusal }
        let error: CInt
        if !isPrivate, let binding = space.pointee.shared {
            error = addDevice(device, operations, to: binding)
            if error == 0 { pasid.pointee = CInt(binding.pointee.pasid.number) }
        } else {
            error = bindFirst(device, space, pasid, isPrivate: isPrivate, operations)
        }
        if error != 0 { AddressSpace.drop(space, nil) }
        return error
    }

    private static func addDevice(
        _ device: Ref<Device>, _ operations: UnsafeMutablePointer<svm_dev_ops>?,
        to binding: Ref<Binding>
    ) -> CInt {
        guard !Bindings.isFreed(binding) else { return -EBUSY }
        if let bound = Bindings.boundDevice(binding, device) {
            guard bound.pointee.operations == operations else { return -EBUSY }
            _ = Bindings.count(bound, 1)
            return 0
        }
        return connect(device, operations, to: binding)
    }

    private static func bindFirst(
        _ device: Ref<Device>, _ space: Ref<AddressSpace>, _ pasid: UnsafeMutablePointer<CInt>,
        isPrivate: Bool, _ operations: UnsafeMutablePointer<svm_dev_ops>?
    ) -> CInt {
        guard let number = Driver.allocatePASID() else { return -ENOSPC }
        guard let binding = Memory.make(Binding(pasid: number, source: .process(space))) else {
            Driver.releasePASID(number)
            return -ENOMEM
        }
        civtd_init_work(&binding.pointer.pointee.work, freeAsync)
        let error = connect(device, operations, to: binding)
        guard error == 0 else {
            Driver.releasePASID(number)
            Bindings.drop(binding)
            return error
        }
        Lock.hardware {
            space.pointee.users &+= 1
            if !isPrivate { space.pointee.shared = binding }
        }
        Bindings.insert(binding)
        AddressSpace.lend(space, number)
        // It may have ended meanwhile, before anybody listened.
        while let ended = AddressSpace.takeEnded() { end(ended) }
        pasid.pointee = CInt(number.number)
        return 0
    }

    private static func connect(
        _ device: Ref<Device>, _ operations: UnsafeMutablePointer<svm_dev_ops>?,
        to binding: Ref<Binding>
    ) -> CInt {
        guard case .process(let space) = binding.pointee.source else { return -EINVAL }
        let bound = Memory.make(
            BoundDevice(device: device, attachment: nil, operations: operations))
        guard let bound else { return -ENOMEM }
        let isSetUp = Lock.hardware {
            device.setUp(
                binding.pointee.pasid, .firstLevel(root: space.pointee.root))
        }
        guard isSetUp else {
            Memory.free(bound)
            return -ENOMEM
        }
        Bindings.add(bound, to: binding)
        return 0
    }

    package static func unbind(_ device: Ref<Device>, _ pasid: PASID) -> CInt {
        guard let binding = Bindings.find(pasid), case .process = binding.pointee.source,
            let bound = Bindings.boundDevice(binding, device)
        else {
            Lock.hardware { device.recordFaults(of: pasid) }
            return -EINVAL
        }
        GuestBinding.disconnect(bound, from: binding)
        return 0
    }

    package static func isValid(_ device: Ref<Device>, _ pasid: PASID) -> CInt {
        guard let binding = Bindings.find(pasid), Bindings.boundDevice(binding, device) != nil,
            case .process(let space) = binding.pointee.source
        else { return -EINVAL }
        return Bindings.isFreed(binding) || !AddressSpace.isAlive(space.pointee.mm) ? 0 : 1
    }

    /// The process has ended: nothing of it can be reached any more, although it is still bound. Runs
    /// in the notifier, with the core lock held.
    static func end(_ space: Ref<AddressSpace>) {
        Lock.table {
            Bindings.forEach { binding in
                guard case .process(let its) = binding.pointee.source, its == space else { return }
                binding.pointee.devices.forEach { bound in
                    let device = bound.pointee.device
                    Lock.hardware {
                        device.tearDown(binding.pointee.pasid, quiet: true)
                        PageRequests.drain(device, binding.pointee.pasid)
                    }
                }
            }
        }
    }

    /// Tells the device's driver that a page request was answered.
    package static func tell(_ device: Ref<Device>, _ request: PageRequest, code: UInt32) {
        let told: Ref<BoundDevice>? = Lock.table {
            guard let pasid = request.pasid, let binding = Bindings.find(pasid),
                let bound = Bindings.boundDevice(binding, device),
                bound.pointee.operations != nil
            else { return nil }
            Lock.hardware { bound.beginCall() }
            return bound
        }
        guard let told else { return }
        defer { Lock.hardware { told.endCall() } }
        guard let callback = told.pointee.operations?.pointee.fault_cb else { return }
        var wanted: CInt = 0
        if request.wantsRead { wanted |= SVM_REQ_READ }
        if request.wantsWrite { wanted |= SVM_REQ_WRITE }
        if request.wantsExecute { wanted |= SVM_REQ_EXEC }
        if request.isPrivileged { wanted |= SVM_REQ_PRIV }
        callUser {
            callback(
                device.handle, request.pasid?.number ?? 0, request.address, nil, wanted,
                CInt(bitPattern: code))
        }
    }

    /// After a page of a process went: every unit and device forgets it.
    package static func flush(_ space: Ref<AddressSpace>, _ address: IOVA) {
        Lock.table {
            Bindings.forEach { binding in
                guard case .process(let bound) = binding.pointee.source, bound == space else {
                    return
                }
                flush(binding, address)
            }
        }
    }

    private static func flush(_ binding: Ref<Binding>, _ address: IOVA) {
        let pasid = binding.pointee.pasid.number
        binding.pointee.devices.forEach { bound in
            let device = bound.pointee.device
            Lock.hardware {
                let unit = device.pointee.unit
                unit.enqueue(
                    vtd_inv_piotlb_pages(Domain.firstLevelID.number, pasid, address.bits, 0))
                if device.hasTLB {
                    unit.enqueue(vtd_inv_dev_ptlb(device.pointee.source.number, pasid))
                }
                _ = unit.ring(drain: false)
            }
        }
    }
}
