// SPDX-License-Identifier: MIT
// ACTIVE ids that have an SPID, by set and SPID. The links of an id hold its SPID and chain.

import IOASIDMemory
import Synchronization

enum SPIDIndex: IndexedRecords {
    private static let index = HashIndex<SPIDIndex>()

    #if IOASID_CHECKS
    static var count: UInt32 { index.count }
    #endif

    /// - Returns: false for want of memory.
    static func prepare() -> Bool { index.prepare() }

    /// - Returns: the id of a set that has this SPID.
    /// - Complexity: O(1), no lock
    @inline(__always)
    static func find(_ spid: SPID, in set: SetNumber) -> Incarnation? {
        guard spid != .none else { return nil }
        var found: Incarnation?
        _ = index.find(hash(set, spid)) { id in
            guard IDTable.links(of: id)?.pointee.spid == spid,
                let one = IDTable.incarnation(of: id), one.word.set == set, one.word.isAlive
            else { return false }
            found = one
            return true
        }
        return found
    }

    static func insert(_ one: Incarnation, _ spid: SPID) {
        one.ref.links.pointee.setSPID(spid)
        index.insert(one.id)
    }

    /// Stops look-ups from finding an id, which must still have its SPID: it keeps that until it
    /// gets another one.
    static func remove(_ one: Incarnation) {
        index.remove(one.id)
        one.ref.links.pointee.chain.value = 0
    }

    // MARK: The index

    /// Guests choose SPIDs, and must not be able to choose a long chain for everybody: the hash
    /// depends on where this process has its table.
    ///
    /// Nor need they be scattered: 16 numbers in sequence have the 16 buckets of one cache line. Which of
    /// these is whose depends on the others' hash, too, so that any other pattern is scattered.
    @inline(__always)
    static func hash(_ set: SetNumber, _ spid: SPID, seed: UInt32 = IDTable.seed) -> UInt32 {
        var hash = (spid.rawValue &>> 4 ^ seed) &+ set.rawValue &* 0x9e37_79b1
        hash = (hash ^ hash &>> 16) &* 0x7feb_352d
        hash = (hash ^ hash &>> 15) &* 0x846c_a68b
        return hash ^ hash &>> 16 ^ spid.rawValue & 15
    }

    // An id on a chain has links, and its word names its set.
    static func hash(_ id: ID) -> UInt32 {
        guard let one = IDTable.incarnation(of: id) else { return 0 }
        return hash(one.word.set, one.ref.links.pointee.spid)
    }
    static func link(_ id: ID) -> UInt32 { IDTable.links(of: id)?.pointee.chain.acquire() ?? 0 }
    static func setLink(_ id: ID, _ link: UInt32) {
        IDTable.links(of: id)?.pointee.chain.release(link)
    }
}
