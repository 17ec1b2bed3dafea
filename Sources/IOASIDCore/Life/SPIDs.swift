// SPDX-License-Identifier: MIT
// Set-private ids attached and detached; ids bound and unbound.

import CIOASIDCore
import CIOASIDRuntime
import IOASIDMemory
import IOASIDRuntime
import Synchronization

extension Core {
    package static func attachSPID(
        _ id: ID, _ spid: SPID, _ out: CallOut
    ) throws(RequestError) {
        guard spid != .none else { return try detachSPID(id, out) }
        try out.beginCreating()
        guard SPIDIndex.prepare() else { throw .memory }
        guard let one = IDTable.incarnation(of: id) else { throw .unknown(ENOENT) }
        guard one.word.isAlive else { throw .pending }
        if let other = SPIDIndex.find(spid, in: one.word.set), other.id != id {
            throw .spid(spid, of: other)
        }
        let links = one.ref.links
        if links.pointee.spid != spid {
            unbind(one, out)
            // Its handlers may have freed the id, bound it anew, or given the SPID away.
            let now = one.ref.word
            guard now.isSameLife(as: one.word), now.isAlive, !now.isBound,
                SPIDIndex.find(spid, in: now.set) == nil
            else {
                throw .changedByHandler(one.word.set)
            }
            if links.pointee.spid != .none { SPIDIndex.remove(one) }
            SPIDIndex.insert(one, spid)
        }
        guard !one.ref.word.isBound else { return }
        bind(one, to: .set, out)
    }

    /// Works while FREE_PENDING too: the id is unbound then, and not in the index.
    package static func detachSPID(_ id: ID, _ out: CallOut) throws(RequestError) {
        try out.beginCreating()
        guard let one = IDTable.incarnation(of: id) else { throw .unknown(ENOENT) }
        let links = one.ref.links
        guard links.pointee.spid != .none else { return }
        unbind(one, out)
        // Its handlers may have freed the id, bound it anew, or taken the SPID off.
        let now = one.ref.word
        guard now.isSameLife(as: one.word), !now.isBound, links.pointee.spid != .none else {
            return
        }
        if now.isAlive { SPIDIndex.remove(one) }
        links.pointee.setSPID(.none)
    }

    /// BIND and UNBIND by hand, for those who bind without an SPID or say so themselves.
    /// - Returns: what the handler that stopped BIND returned; UNBIND cannot be stopped.
    @inline(__always)
    package static func notify(
        _ id: ID, _ what: ioasid_notify_val, _ audience: Audience, _ out: CallOut
    ) throws(RequestError) -> CInt {
        guard what == IOASID_NOTIFY_BIND || what == IOASID_NOTIFY_UNBIND else {
            throw .notBind
        }
        try out.beginCreating()
        guard let one = IDTable.incarnation(of: id) else { throw .unknown(EINVAL) }
        if what == IOASID_NOTIFY_UNBIND {
            unbind(one, to: audience, out)
            return NOTIFY_DONE
        }
        guard one.word.isAlive else { throw .pending }
        guard !one.word.isBound else { return NOTIFY_DONE }
        return bind(one, to: audience, out)
    }

    /// Tells that an id is bound. It was ACTIVE and is not bound.
    @discardableResult
    private static func bind(_ one: Incarnation, to audience: Audience, _ out: CallOut) -> CInt {
        one.ref.become(.bound)
        let event = Event(IOASID_NOTIFY_BIND, one)
        cio_probe_bind(event.id.rawValue, event.spid.rawValue, event.set.rawValue)
        return out.send(event, to: audience)
    }

    /// Tells that an id is no longer bound, its SPID still in place. Nothing if it is not bound.
    private static func unbind(_ one: Incarnation, to audience: Audience = .set, _ out: CallOut) {
        guard one.ref.word.isBound else { return }
        one.ref.become(.active)
        let event = Event(IOASID_NOTIFY_UNBIND, one)
        cio_probe_unbind(event.id.rawValue, event.spid.rawValue, event.set.rawValue)
        out.send(event, to: audience)
    }
}
