// SPDX-License-Identifier: MIT
// Dumps: sets and ids copied under the lock, written without it.

import CIOASIDCore
import IOASIDMemory
import IOASIDRuntime
import Synchronization

package enum Dump {
    /// Hands copies of all sets and ids to a writer of dump.c.
    @inline(never)
    package static func write(
        _ out: UnsafeMutablePointer<FILE>?,
        _ writer: (
            UnsafeMutablePointer<FILE>, UnsafePointer<cio_dump>,
            @convention(c) (ioasid_refusal) -> UnsafePointer<CChar>?
        ) -> CInt
    ) throws(RequestError) {
        guard let out else { throw .argument }
        var copy = Copy()
        try CoreLock.withLock { () throws(RequestError) in try copy.fill() }
        let written = Cancellation.heldInCallbacks {
            writer(out, &copy.dump, { RequestError.name($0).cString }) == 0
        }
        guard written else {
            throw RequestError(IOASID_REFUSED_ARGUMENT, EIO).because("the stream did not take it")
        }
    }

    private struct Copy: ~Copyable {
        var dump = cio_dump()

        deinit {
            Memory.free(UnsafeMutableRawPointer(dump.sets))
            Memory.free(UnsafeMutableRawPointer(dump.ids))
            Memory.free(UnsafeMutableRawPointer(dump.holders))
            Memory.free(UnsafeMutableRawPointer(dump.subscribers))
            Memory.free(UnsafeMutableRawPointer(dump.allocators))
            Memory.free(UnsafeMutableRawPointer(dump.ranges))
        }

        @inline(never)
        mutating func fill() throws(RequestError) {
            Core.fill(&dump.stats)
            guard SetTable.prepare() else { throw .memory }
            dump.sets = Memory.allocate(Int(SetTable.count), of: cio_dump_set.self)
            dump.ids = Memory.allocate(Int(Population.live) &+ 1, of: cio_dump_id.self)
            dump.holders = Memory.allocate(cio_history_count() &+ 1, of: cio_dump_holder.self)
            dump.subscribers = Memory.allocate(
                Int(Subscriber.count.value) &+ 1, of: cio_dump_subscriber.self)
            dump.allocators = Memory.allocate(
                Int(Allocators.count) &+ 1, of: cio_dump_allocator.self)
            var ranges = 1
            SetAside.forEachRange { _ in ranges &+= 1 }
            dump.ranges = Memory.allocate(ranges, of: cio_dump_range.self)
            guard dump.sets != nil, dump.ids != nil, dump.holders != nil, dump.subscribers != nil,
                dump.allocators != nil, dump.ranges != nil
            else { throw .memory }
            SetAside.forEachRange {
                dump.ranges[dump.nr_ranges] = cio_dump_range(min: $0.low, max: $0.high)
                dump.nr_ranges &+= 1
            }
            dump.has_history = cio_history_is_on()
            dump.has_gaps = cio_history_has_gaps()
            add(Subscribers.toAll, UInt32.max)
            add(Subscribers.toReclaim, UInt32.max &- 1)
            WaitingSubscribers.forEachList { add($0, UInt32.max &- 2) }
            dump.reserved = Quota.heldBackByHand
            Allocators.forEach { ops, alloc, uses in
                dump.allocators[dump.nr_allocators] = cio_dump_allocator(
                    ops: UnsafeRawPointer(ops),
                    function: UnsafeRawPointer(bitPattern: alloc),
                    uses: uses)
                dump.nr_allocators &+= 1
            }
            var next = SetTable.next(from: SetTable.system)
            while let set = next {
                try add(set)
                next = SetTable.next(from: set.next)
            }
        }

        private mutating func add(_ set: SetNumber) throws(RequestError) {
            let record = SetTable[set]
            let members = try Snapshot(of: set)
            // The memory is zeroes.
            let copy = dump.sets + dump.nr_sets
            copy.pointee.number = set.rawValue
            copy.pointee.type = record.pointee.type
            copy.pointee.state = record.pointee.state
            copy.pointee.quota = record.pointee.quota
            copy.pointee.references = record.pointee.references.value
            copy.pointee.is_declared = record.pointee.declared.value != 0
            copy.pointee.nr_ids = members.count
            copy.pointee.handle = UnsafeRawPointer(SetTable.handle(set))
            copy.pointee.token = UnsafeRawPointer(bitPattern: record.pointee.token.value)
            if let name = SetNames.name(set) { cio_dump_name(copy, name) }
            add(Subscribers.of(set), set.rawValue)
            dump.nr_sets &+= 1
            for index in 0..<members.count {
                if let one = members.incarnation(index) { add(one) }
            }
        }

        private mutating func add(_ one: Incarnation) {
            let holders = cio_history_copy(
                one.id.rawValue, one.word.generation, dump.holders + dump.nr_holders)
            dump.nr_holders &+= holders
            dump.ids[dump.nr_ids] = cio_dump_id(
                id: one.id.rawValue, spid: one.ref.links.pointee.spid.rawValue,
                references: UInt32(truncatingIfNeeded: one.word.references),
                is_pending: one.word.isPending, is_bound: one.word.isBound,
                is_queued: one.word.isPending && Deferred.contains(one),
                is_whole: cio_history_is_whole(one.id.rawValue, one.word.generation),
                data: UnsafeRawPointer(one.ref.data), nr_holders: holders)
            dump.nr_ids &+= 1
        }

        private mutating func add(_ list: SubscriberList, _ set: UInt32) {
            list.pointee.forEach { one in
                dump.subscribers[dump.nr_subscribers] = cio_dump_subscriber(
                    block: UnsafeRawPointer(one.pointee.block),
                    function: one.pointee.function,
                    priority: one.pointee.priority, set: set)
                dump.nr_subscribers &+= 1
            }
        }
    }
}
