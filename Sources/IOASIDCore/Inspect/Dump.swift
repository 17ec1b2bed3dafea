// SPDX-License-Identifier: MIT
// Dumps: sets and ids copied under the lock, written without it.

import CIOASIDCore
import IOASIDMemory
import IOASIDRuntime
import Synchronization

package enum Dump {
    /// Hands copies of all sets and ids to a writer of dump.c.
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
        let written = Cancellation.held {
            writer(out, &copy.dump, { RequestError.name($0).cString }) == 0
        }
        guard written else {
            throw RequestError(IOASID_REFUSED_ARGUMENT, EIO)
        }
    }

    private struct Copy: ~Copyable {
        var dump = cio_dump()

        deinit {
            Memory.free(UnsafeMutableRawPointer(dump.sets))
            Memory.free(UnsafeMutableRawPointer(dump.ids))
        }

        mutating func fill() throws(RequestError) {
            Core.fill(&dump.stats)
            guard SetTable.prepare() else { throw .memory }
            dump.sets = Memory.allocate(Int(SetTable.count), of: cio_dump_set.self)
            dump.ids = Memory.allocate(Int(Population.live) &+ 1, of: cio_dump_id.self)
            guard dump.sets != nil, dump.ids != nil else { throw .memory }
            var next = SetTable.next(from: SetTable.system)
            while let set = next {
                try add(set)
                next = SetTable.next(from: set.next)
            }
        }

        private mutating func add(_ set: SetNumber) throws(RequestError) {
            let record = SetTable[set]
            let members = try Snapshot(of: set)
            dump.sets[dump.nr_sets] = cio_dump_set(
                number: set.rawValue, type: record.pointee.type, state: record.pointee.state,
                quota: record.pointee.quota, references: record.pointee.references.value,
                is_declared: record.pointee.declared.value != 0, nr_ids: members.count,
                handle: UnsafeRawPointer(SetTable.handle(set)),
                token: UnsafeRawPointer(bitPattern: record.pointee.token.value))
            dump.nr_sets &+= 1
            for index in 0..<members.count {
                if let one = members.incarnation(index) { add(one) }
            }
        }

        private mutating func add(_ one: Incarnation) {
            dump.ids[dump.nr_ids] = cio_dump_id(
                id: one.id.rawValue, spid: one.ref.links.pointee.spid.rawValue,
                references: UInt32(truncatingIfNeeded: one.word.references),
                is_pending: one.word.isPending, is_bound: one.word.isBound,
                data: UnsafeRawPointer(one.ref.data))
            dump.nr_ids &+= 1
        }
    }
}
