// SPDX-License-Identifier: MIT
// Refusals with what they were about. All of it is out of line, so that what succeeds pays nothing.

import CIOASIDCore
import CIOASIDRuntime
import IOASIDMemory
import IOASIDRuntime
import Synchronization

/// A constant string, by its address alone.
struct Cause: ExpressibleByStringLiteral {
    let text: UnsafePointer<CChar>

    @inline(__always)
    init(stringLiteral literal: StaticString) { text = literal.cString }
}

extension RequestError {
    /// - Parameter cause: the reason more exactly.
    @inline(never)
    func because(
        _ cause: Cause, _ set: SetNumber = .none, _ id: ID = .invalid
    ) -> RequestError {
        var details = Self.details(cause, set)
        details.id = id.rawValue
        return RequestError(self, details: &details)
    }

    /// The same with numbers; `.max` is none.
    @inline(never)
    func because(
        _ cause: Cause, _ set: SetNumber = .none, asked: UInt32 = .max, available: UInt32
    ) -> RequestError {
        var details = Self.details(cause, set)
        if asked != .max { details.asked = Int64(asked) }
        if available != .max { details.available = Int64(available) }
        if reason == IOASID_REFUSED_QUOTA { details.limit = Int64(SetTable[set].pointee.quota) }
        if reason == IOASID_REFUSED_CAPACITY { details.limit = Int64(Quota.capacity) }
        return RequestError(self, details: &details)
    }

    /// The same with the pointer that was handed in.
    @inline(never)
    func because(
        _ cause: Cause, _ address: UnsafeMutableRawPointer?, _ set: SetNumber = .none
    ) -> RequestError {
        var details = Self.details(cause, set)
        details.address = UnsafeRawPointer(address)
        return RequestError(self, details: &details)
    }

    @inline(never)
    private static func details(_ cause: Cause, _ set: SetNumber) -> ioasid_refused {
        var details = ioasid_refused()
        cio_refusal_clear(&details)
        details.cause = cause.text
        if set != .none {
            details.set = CInt(bitPattern: set.rawValue)
            SetNames.copy(set, to: &details)
        }
        return details
    }

    // MARK: Of sets

    /// No live set is meant by this pointer.
    @inline(never)
    static func noSet(_ handle: SetHandle?) -> RequestError {
        noSet.because("not a live set", handle)
    }

    /// No live set that somebody created is meant by this pointer.
    @inline(never)
    static func notOwned(_ handle: SetHandle?) -> RequestError {
        // A declared set that was never used is not known yet.
        if let handle, SetTable.find(handle) == nil, !cio_is_declared_set(handle) {
            return noSet(handle)
        }
        return noSet.because(
            "the system set and declared sets have no references and no quota", handle)
    }

    @inline(never)
    static func owner(of set: SetNumber) -> RequestError {
        owner.because("the id is of another set", set)
    }

    @inline(never)
    static func noMMSet(_ one: Incarnation) -> RequestError {
        noSet.because("the set of the id is not of IOASID_SET_TYPE_MM", one.word.set)
    }

    @inline(never)
    static func hasSet(_ token: UnsafeMutableRawPointer?, _ type: UInt32) -> RequestError {
        exists.because(
            "the token has a set", token,
            SetTokens.find(UInt(bitPattern: token), type) ?? .none)
    }

    // MARK: Of numbers

    @inline(never)
    static func range(_ range: IDRange, _ set: SetRef) -> RequestError {
        var details = details(
            range.isEmpty
                ? "the range is reversed"
                : range.low >= Quota.capacity
                    ? "the range is beyond the capacity" : "no free id in the range",
            SetTable.number(of: set))
        details.min = range.low
        details.max = range.high
        details.limit = Int64(Quota.capacity)
        return RequestError(.range, details: &details)
    }

    /// Of numbers that somebody wants to set aside, or give back.
    @inline(never)
    func because(_ cause: Cause, _ range: IDRange, _ id: ID = .invalid) -> RequestError {
        var details = Self.details(cause, .none)
        details.id = id.rawValue
        details.min = range.low
        details.max = range.high
        details.limit = Int64(Quota.capacity)
        return RequestError(self, details: &details)
    }

    @inline(never)
    static func quota(_ set: SetRef) -> RequestError {
        RequestError(IOASID_REFUSED_QUOTA, ENOSPC).because(
            "the set's quota is used up", SetTable.number(of: set), asked: 1, available: 0)
    }

    @inline(never)
    static func capacity(_ asked: UInt32, _ set: SetRef? = nil) -> RequestError {
        RequestError(IOASID_REFUSED_CAPACITY, ENOSPC).because(
            "the capacity is used up", set.map { SetTable.number(of: $0) } ?? .none,
            asked: asked, available: Quota.available)
    }

    @inline(never)
    static var tooManySets: RequestError {
        var details = details("too many sets", .none)
        details.available = 0
        // The system set has a number, too.
        details.limit = Int64(SlotWord.setLimit) &- 1
        return RequestError(RequestError(IOASID_REFUSED_CAPACITY, ENOSPC), details: &details)
    }

    @inline(never)
    static func allocator(_ id: ID, _ range: IDRange, _ set: SetNumber) -> RequestError {
        var details = details(
            id == .invalid
                ? "the custom allocator gave no id"
                : !range.contains(id)
                    ? "the custom allocator gave an id out of the range"
                    : SetAside.contains(id)
                        ? "the custom allocator gave an id that is set aside"
                        : "the custom allocator gave an id that is in use", set)
        details.id = id.rawValue
        details.min = range.low
        details.max = range.high
        return RequestError(
            RequestError(IOASID_REFUSED_ALLOCATOR, ENOSPC), details: &details)
    }

    @inline(never)
    static func tooManyReferences(_ one: Incarnation) -> RequestError {
        var details = details("the id has as many references as it can", one.word.set)
        details.limit = Int64(SlotWord.referenceLimit)
        return RequestError(.overflow, details: &details)
    }

    // MARK: Of SPIDs

    /// Another id of the set has the SPID.
    @inline(never)
    static func spid(_ spid: SPID, of other: Incarnation) -> RequestError {
        var details = details("another id of the set has the SPID", other.word.set)
        details.spid = spid.rawValue
        details.owner = other.id.rawValue
        return RequestError(RequestError(IOASID_REFUSED_EXISTS, EINVAL), details: &details)
    }

    /// No id of the set has the SPID.
    @inline(never)
    static func noSPID(_ spid: SPID, _ set: SetNumber) -> RequestError {
        var details = details("no ACTIVE id of the set has the SPID", set)
        details.spid = spid.rawValue
        return RequestError(unknown(ENOENT), details: &details)
    }

    // MARK: Of callbacks

    @inline(never)
    static func freedByHandler(_ one: Incarnation) -> RequestError {
        unknown(ENOENT).because("a handler freed the id", one.word.set, one.id)
    }

    @inline(never)
    static func changedByHandler(_ set: SetNumber) -> RequestError {
        pending.because("a handler changed the id", set)
    }

    /// It would wait for itself.
    @inline(never)
    package static var deadlock: RequestError {
        RequestError(IOASID_REFUSED_BUSY, EDEADLK).because(
            "it would wait for itself, in a callback or a read-side section")
    }

    /// Beyond `CallOut.depthLimit`.
    @inline(never)
    static var tooDeep: RequestError { busy.because("64 handlers deep in each other") }

    @inline(never)
    static func subscribed(_ block: Block?) -> RequestError {
        exists.because("the subscriber is there already", block)
    }

    @inline(never)
    static func notSubscribed(_ block: Block?) -> RequestError {
        unknown(ENOENT).because("no such subscriber", block)
    }

    /// Of ioasid_notify().
    @inline(never)
    static var notBind: RequestError {
        argument.because("only BIND and UNBIND can be told by hand")
    }

    // MARK: Answers

    /// What ioasid_find() says.
    @inline(never)
    func answered(_ id: ID) -> RequestError {
        answer(id.rawValue, caller: "ioasid_find")
        return self
    }
}
