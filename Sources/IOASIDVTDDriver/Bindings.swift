// SPDX-License-Identifier: MIT
// Which PASID is bound to what: one record a PASID, with its devices, its work item and references.

@preconcurrency import CIOASIDVTDDriver
@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory
import IOASIDVTDHardware

/// A PASID in use (the kernel's struct intel_svm). The private data of the id stays its owner's:
/// the driver finds the record in its own table.
struct Binding: Listed {
    var next: Ref<Binding>?
    /// Second: see record(of:).
    var work = work_struct()
    let pasid: PASID
    let source: Source
    var devices = List<BoundDevice>()
    /// The table's, and the queued work item's. Guarded by the table lock, as all below.
    var references = 1
    /// FREE was told: nothing more can be bound.
    var isFreed = false
    /// In the table.
    var isLive = false

    /// The record that a work item is part of.
    static func record(of work: UnsafeMutablePointer<work_struct>) -> Ref<Binding> {
        Ref(raw: UnsafeMutableRawPointer(work) - MemoryLayout<Ref<Binding>?>.stride)
    }

    enum Source {
        /// A guest's process, as it was bound.
        case guest(iommu_gpasid_bind_data)
        /// A process of the host.
        case process(Ref<AddressSpace>)
    }
}

extension Ref<Binding> {
    var isOfEndedProcess: Bool {
        guard case .process(let space) = pointee.source else { return false }
        return !AddressSpace.isAlive(space.pointee.mm)
    }
}

/// A device that uses the PASID (the kernel's struct intel_svm_dev). It knows its unit.
struct BoundDevice: Called {
    var next: Ref<BoundDevice>?
    var calls = Calls()
    let device: Ref<Device>
    /// The guest's domain; nil for a process of the host.
    let attachment: Ref<Attachment>?
    let operations: UnsafeMutablePointer<svm_dev_ops>?
    var users = 1
}

/// Changed with the driver lock and the table lock held, so that either is enough to read.
package enum Bindings {
    private static let buckets = 1024
    nonisolated(unsafe) private static var table: UnsafeMutablePointer<List<Binding>>?
    /// Work items queued or running. Guarded by the table lock.
    nonisolated(unsafe) private static var works = 0

    static func prepare() -> Bool {
        guard table == nil else { return true }
        table = Memory.allocate(buckets, of: List<Binding>.self)
        return table != nil
    }

    static func discard() {
        Memory.free(table)
        table = nil
    }

    private static func bucket(_ pasid: PASID) -> UnsafeMutablePointer<List<Binding>>? {
        guard let table else { return nil }
        return table + Int(pasid.number % UInt32(buckets))
    }

    // MARK: With either lock held

    static func find(_ pasid: PASID) -> Ref<Binding>? {
        bucket(pasid)?.pointee.find { $0.pointee.pasid == pasid }
    }

    static func boundDevice(_ binding: Ref<Binding>, _ device: Ref<Device>) -> Ref<BoundDevice>? {
        binding.pointee.devices.find { $0.pointee.device == device }
    }

    @inline(__always)
    static func forEach(_ body: (Ref<Binding>) -> Void) {
        guard let table else { return }
        for index in 0..<buckets { table[index].forEach(body) }
    }

    // MARK: With the driver lock held

    /// For a body that may take the table lock, or one before it. Links are read with that lock: TSan
    /// takes what the notifier changes of a record for its first word.
    @inline(__always)
    static func forEachOpenly(_ body: (Ref<Binding>) -> Void) {
        guard let table else { return }
        for index in 0..<buckets {
            var item = table[index].first
            while let binding = item {
                body(binding)
                item = Lock.table { binding.pointee.next }
            }
        }
    }

    static func insert(_ binding: Ref<Binding>) {
        Lock.table {
            bucket(binding.pointee.pasid)?.pointee.prepend(binding)
            binding.pointee.isLive = true
        }
    }

    static func remove(_ binding: Ref<Binding>) {
        Lock.table {
            bucket(binding.pointee.pasid)?.pointee.remove(binding)
            binding.pointee.isLive = false
        }
    }

    /// One user of the device more or less.
    /// - Returns: how many there are now.
    static func count(_ bound: Ref<BoundDevice>, _ change: Int) -> Int {
        Lock.table {
            bound.pointee.users &+= change
            return bound.pointee.users
        }
    }

    static func isFreed(_ binding: Ref<Binding>) -> Bool {
        Lock.table { binding.pointee.isFreed }
    }

    static func add(_ bound: Ref<BoundDevice>, to binding: Ref<Binding>) {
        Lock.table { binding.pointee.devices.prepend(bound) }
        // With the lock that the lists of attachments are walked with.
        Lock.hardware {
            bound.pointee.attachment?.pointee.bindings &+= 1
            bound.pointee.device.driver?.pointee.bindings &+= 1
        }
    }

    /// The device's DMA is over when this returns: entry cleared, caches empty, requests answered.
    static func remove(_ bound: Ref<BoundDevice>, from binding: Ref<Binding>, quiet: Bool) {
        _ = Lock.table { binding.pointee.devices.remove(bound) }
        let device = bound.pointee.device
        Lock.hardware {
            device.tearDown(binding.pointee.pasid, quiet: quiet)
            PageRequests.drain(device, binding.pointee.pasid)
            bound.pointee.attachment?.pointee.bindings &-= 1
            device.driver?.pointee.bindings &-= 1
            Retired.pending.add(bound)
        }
    }

    // MARK: References, without a lock

    static func keep(_ binding: Ref<Binding>) {
        Lock.table { binding.pointee.references &+= 1 }
    }

    static func drop(_ binding: Ref<Binding>) {
        let isLast: Bool = Lock.table {
            binding.pointee.references &-= 1
            return binding.pointee.references == 0
        }
        if isLast { Memory.free(binding) }
    }

    /// From the notifier: pins the record of a PASID that is going, for its work item.
    /// - Returns: nil if there is none, or if it is to be unbound yet
    static func markFreed(_ pasid: PASID) -> Ref<Binding>? {
        Lock.table {
            guard let binding = find(pasid), !binding.isOfEndedProcess else { return nil }
            binding.pointee.isFreed = true
            binding.pointee.references &+= 1
            works &+= 1
            return binding
        }
    }

    /// The work item is done, or was queued already.
    static func workDone(_ binding: Ref<Binding>) {
        drop(binding)
        Lock.table {
            works &-= 1
            if works == 0 { civtd_works_done() }
        }
    }

    package static func waitForWorks() {
        Lock.table {
            while works > 0 { civtd_wait_for_works() }
        }
    }
}
