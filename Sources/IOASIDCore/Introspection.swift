// SPDX-License-Identifier: MIT
// Counters and dumps: copied under the lock, written without it.

import CIOASID
import CIOASIDCore
import CIOASIDRuntime
import IOASIDMemory
import IOASIDRuntime
import Synchronization

extension Core {
    package static func fill(_ stats: UnsafeMutablePointer<ioasid_stats>) {
        stats.pointee.capacity = UInt64(Capacity.value)
        stats.pointee.available = UInt64(Capacity.available)
        stats.pointee.live = Population.live
        stats.pointee.pending = Population.pending.value
        stats.pointee.sets = SetPopulation.live.value
        stats.pointee.dying = SetPopulation.gone.value
        stats.pointee.subscribers = Subscriber.count.value
        stats.pointee.allocs = Population.allocs.value
        stats.pointee.reclaims = Population.reclaims.value
        stats.pointee.events = Delivery.calls.value
        stats.pointee.memory = UInt64(clamping: Memory.blocksInUse)
        cio_copy_refusals(&stats.pointee.refused.0)
    }

    /// Hands copies of all sets and ids to a writer on the C floor (dump.c).
    package static func dump(
        _ out: UnsafeMutablePointer<FILE>?,
        _ write: (UnsafeMutablePointer<FILE>, UnsafePointer<cio_dump>, @convention(c) (ioasid_refusal) -> UnsafePointer<CChar>?) -> CInt
    ) throws(Refusal) {
        guard let out else { throw .argument }
        var copy = cio_dump()
        defer {
            Memory.free(copy.sets)
            Memory.free(copy.ids)
        }
        try CoreLock.withLock { () throws(Refusal) in try take(&copy) }
        guard write(out, &copy, { Refusal.name($0).cString }) == 0 else { throw Refusal(IOASID_REFUSED_ARGUMENT, EIO) }
    }

    private static func take(_ copy: inout cio_dump) throws(Refusal) {
        fill(&copy.stats)
        guard SetTable.prepare() else { throw .memory }
        let setRoom = Int(SetTable.count) &* MemoryLayout<cio_dump_set>.stride
        let idRoom = (Int(Population.live) &+ 1) &* MemoryLayout<cio_dump_id>.stride
        guard let sets = Memory.allocate(setRoom) else { throw .memory }
        copy.sets = sets.assumingMemoryBound(to: cio_dump_set.self)
        guard let ids = Memory.allocate(idRoom) else { throw .memory }
        copy.ids = ids.assumingMemoryBound(to: cio_dump_id.self)
        var set = SetTable.next(from: SetTable.system)
        while let one = set {
            try take(one, &copy)
            set = SetTable.next(from: one &+ 1)
        }
    }

    private static func take(_ set: UInt32, _ copy: inout cio_dump) throws(Refusal) {
        let record = SetTable[set]
        let members = try Snapshot(of: set)
        defer { members.discard() }
        copy.sets[copy.nr_sets] = cio_dump_set(
            number: set, type: record.pointee.type, state: record.pointee.state.value,
            quota: record.pointee.quota, references: record.pointee.references.value,
            is_declared: record.pointee.declared.value != 0, nr_ids: members.count, handle: UnsafeRawPointer(SetTable.handle(set)),
            token: UnsafeRawPointer(bitPattern: record.pointee.token.value))
        copy.nr_sets &+= 1
        for index in 0..<members.count {
            guard let life = IDTable.life(members[index]) else { continue }
            copy.ids[copy.nr_ids] = cio_dump_id(
                id: members[index], spid: life.entry.links.pointee.spid.value,
                references: UInt32(truncatingIfNeeded: life.word.references),
                is_pending: life.word.isPending, is_bound: life.word.isBound,
                data: UnsafeRawPointer(life.entry.data))
            copy.nr_ids &+= 1
        }
    }
}
