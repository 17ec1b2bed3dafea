// SPDX-License-Identifier: MIT
// Set-private ids: attached, detached, and found in either direction.

import CIOASID
import CIOASIDCore
import CIOASIDRuntime
import IOASIDMemory
import IOASIDRuntime
import Synchronization

/// ACTIVE ids that have an SPID, by set and SPID. The links of an id hold its SPID and chain.
package enum SPIDs: IndexedRecords {
    private static let index = HashIndex<SPIDs>()

    /// - Returns: the id of a set that has this SPID, and its word.
    /// - Complexity: O(1), no lock
    @inline(__always)
    package static func find(_ set: UInt32, _ spid: UInt32) -> (id: UInt32, life: Life)? {
        guard spid != noID else { return nil }
        var found: Life?
        let id = index.find(hash(set, spid)) { id in
            guard IDTable.links(id)?.pointee.spid.value == spid, let life = IDTable.life(id),
                life.word.set == set, life.word.isActive
            else { return false }
            found = life
            return true
        }
        guard let id, let found else { return nil }
        return (id, found)
    }

    // The number of an index's record is the id. An id on a chain has an entry.
    package static func hash(_ id: UInt32) -> UInt32 {
        guard let life = IDTable.life(id) else { return 0 }
        return hash(life.word.set, life.entry.links.pointee.spid.value)
    }
    package static func next(_ id: UInt32) -> UInt32 {
        IDTable.links(id)?.pointee.spidChain.acquire() ?? 0
    }
    package static func setNext(_ id: UInt32, _ link: UInt32) {
        IDTable.links(id)?.pointee.spidChain.value = link
    }

    /// Guests choose SPIDs, and must not be able to choose a long chain for everybody: the hash
    /// depends on where this process has its table.
    @inline(__always)
    private static func hash(_ set: UInt32, _ spid: UInt32) -> UInt32 {
        var hash = (spid ^ IDTable.seed) &+ set &* 0x9e37_79b1
        hash = (hash ^ hash &>> 16) &* 0x7feb_352d
        hash = (hash ^ hash &>> 15) &* 0x846c_a68b
        return hash ^ hash &>> 16
    }

    package static func prepare() -> Bool { index.prepare() }

    /// Stops look-ups from finding an id; it keeps its SPID until that is cleared.
    package static func remove(_ id: UInt32, _ entry: Entry) {
        guard entry.links.pointee.spid.value != noID else { return }
        index.remove(id)
    }

    package static func insert(_ id: UInt32, _ entry: Entry, _ spid: UInt32) {
        entry.links.pointee.spid.release(spid)
        index.insert(id)
    }
}

extension Core {
    package static func attachSPID(_ id: UInt32, _ spid: UInt32) throws(Refusal) {
        guard spid != noID else { return try detachSPID(id) }
        Delivery.settle()
        try Delivery.checkDepth()
        guard SPIDs.prepare() else { throw .memory }
        guard let life = IDTable.life(id) else { throw .unknown(ENOENT) }
        guard life.word.isActive else { throw .pending }
        if let other = SPIDs.find(life.word.set, spid)?.id, other != id {
            throw Refusal(IOASID_REFUSED_EXISTS, EINVAL)
        }
        let links = life.entry.links
        if links.pointee.spid.value != spid {
            unbind(id, life)
            // Its handlers may have freed the id, bound it anew, or given the SPID away.
            let now = life.entry.word
            guard now.isSameLife(as: life.word), now.isActive, !now.isBound,
                SPIDs.find(now.set, spid) == nil
            else { throw .pending }
            SPIDs.remove(id, life.entry)
            SPIDs.insert(id, life.entry, spid)
        }
        guard !life.entry.word.isBound else { return }
        bind(id, life, to: .set)
    }

    /// Lock-free.
    package static func spid(_ id: UInt32) -> UInt32 {
        while let life = IDTable.life(id) {
            let spid = life.entry.links.pointee.spid.acquire()
            if life.entry.word.isSameLife(as: life.word) { return spid }
        }
        return noID
    }

    /// Works while FREE_PENDING too: the id is unbound then, and not in the index.
    package static func detachSPID(_ id: UInt32) throws(Refusal) {
        Delivery.settle()
        guard let life = IDTable.life(id) else { throw .unknown(ENOENT) }
        let links = life.entry.links
        guard links.pointee.spid.value != noID else { return }
        unbind(id, life)
        // Its handlers may have freed the id, or bound it anew: then so it is.
        let now = life.entry.word
        guard now.isSameLife(as: life.word), !now.isBound else { return }
        if now.isActive { SPIDs.remove(id, life.entry) }
        links.pointee.spid.value = noID
    }

    /// Tells that an id is bound. It was ACTIVE and is not bound.
    @discardableResult
    private static func bind(_ id: UInt32, _ life: Life, to audience: Audience) -> CInt {
        life.entry.move(to: .bound)
        let event = event(IOASID_NOTIFY_BIND, id, life)
        cio_probe_bind(id, event.spid, event.set)
        Trace.change(event)
        return Delivery.send(event, to: audience)
    }

    /// Tells that an id is no longer bound, its SPID still in place. Nothing if it is not bound.
    private static func unbind(
        _ id: UInt32, _ life: Life, to audience: Audience = .set
    ) {
        guard life.entry.word.isBound else { return }
        life.entry.move(to: .active)
        let event = event(IOASID_NOTIFY_UNBIND, id, life)
        cio_probe_unbind(id, event.spid, event.set)
        Trace.change(event)
        Delivery.send(event, to: audience)
    }

    package static func event(_ what: ioasid_notify_val, _ id: UInt32, _ life: Life) -> Event {
        Event(
            what: what, id: id, spid: life.entry.links.pointee.spid.value, set: life.word.set,
            data: life.entry.data)
    }

    /// BIND and UNBIND by hand, for those who bind without an SPID or say so themselves.
    /// - Returns: what the handler that stopped BIND returned; UNBIND cannot be stopped.
    package static func notify(
        _ id: UInt32, _ what: ioasid_notify_val, _ audience: Audience
    ) throws(Refusal) -> CInt {
        guard what == IOASID_NOTIFY_BIND || what == IOASID_NOTIFY_UNBIND else { throw .argument }
        Delivery.settle()
        guard let life = IDTable.life(id) else { throw .unknown(EINVAL) }
        if what == IOASID_NOTIFY_UNBIND {
            unbind(id, life, to: audience)
            return NOTIFY_DONE
        }
        guard life.word.isActive else { throw .pending }
        guard !life.word.isBound else { return NOTIFY_DONE }
        try Delivery.checkDepth()
        return bind(id, life, to: audience)
    }
}
