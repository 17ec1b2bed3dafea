// SPDX-License-Identifier: MIT
// Why a request was refused: the errno its caller gets, and the reason that is counted and logged.

import CIOASID
import CIOASIDRuntime
import IOASIDMemory
import Synchronization

package struct RequestError: Error {
    package let reason: ioasid_refusal
    /// The errno, and above it the ticket of what is kept about it: two words are all that comes back
    /// in registers.
    private let code: CInt

    @inline(__always)
    package init(_ reason: ioasid_refusal, _ errno: CInt) {
        self.reason = reason
        code = errno
    }

    package var errno: CInt { code & 0xfff }
    private var ticket: UInt32 { UInt32(bitPattern: code) &>> 12 }

    /// The same refusal, with its details (refusal.h).
    package init(_ error: RequestError, details: inout ioasid_refused) {
        reason = error.reason
        code = error.errno | CInt(bitPattern: cio_refusal_keep(&details) &<< 12)
    }

    package static var memory: RequestError { RequestError(IOASID_REFUSED_MEMORY, ENOMEM) }
    package static var argument: RequestError { RequestError(IOASID_REFUSED_ARGUMENT, EINVAL) }
    package static var noSet: RequestError { RequestError(IOASID_REFUSED_SET, EINVAL) }
    package static var owner: RequestError { RequestError(IOASID_REFUSED_OWNER, EACCES) }
    package static var pending: RequestError { RequestError(IOASID_REFUSED_PENDING, EBUSY) }
    package static var range: RequestError { RequestError(IOASID_REFUSED_RANGE, ENOSPC) }
    package static var exists: RequestError { exists(EEXIST) }
    package static func exists(_ errno: CInt) -> RequestError {
        RequestError(IOASID_REFUSED_EXISTS, errno)
    }
    package static var busy: RequestError { RequestError(IOASID_REFUSED_BUSY, EBUSY) }
    package static var overflow: RequestError { RequestError(IOASID_REFUSED_OVERFLOW, EOVERFLOW) }

    /// An id that is not in use; the published functions do not agree on the errno.
    package static func unknown(_ errno: CInt) -> RequestError {
        RequestError(IOASID_REFUSED_UNKNOWN, errno)
    }
}

extension RequestError {
    /// Counts the refusal and says so on the log, as often as the log lets it.
    @inline(never)
    package func note(_ id: UInt32 = .max, caller: StaticString = #function) {
        let refused = record(id, caller)
        // What a well-behaved user meets in a race is no news.
        guard reason != IOASID_REFUSED_PENDING else { return }
        withUnsafePointer(to: refused) { cio_refusal_log($0, caller.cString) }
    }

    /// An answer of a look-up: counted and told like any refusal, but no news.
    @inline(never)
    package func answer(_ id: UInt32 = .max, caller: StaticString) {
        _ = record(id, caller)
    }

    @inline(never)
    private func record(_ id: UInt32, _ caller: StaticString) -> ioasid_refused {
        cio_count_refusal(reason)
        cio_probe_refuse(id, reason)
        let isID = reason == IOASID_REFUSED_UNKNOWN && id != .max
        let cause: StaticString = isID ? "the id is not in use" : RequestError.name(reason)
        var refused = ioasid_refused()
        cio_refusal_note(
            &refused, ticket, reason, errno, cause.cString, caller.cString, id)
        return refused
    }

    package static func name(_ reason: ioasid_refusal) -> StaticString {
        switch reason {
        case IOASID_REFUSED_SET: "not a live set"
        case IOASID_REFUSED_QUOTA: "the set's quota is used up"
        case IOASID_REFUSED_CAPACITY: "the capacity is used up"
        case IOASID_REFUSED_RANGE: "no free id in the range"
        case IOASID_REFUSED_ALLOCATOR: "the custom allocator had no id of use"
        case IOASID_REFUSED_MEMORY: "out of memory"
        case IOASID_REFUSED_UNKNOWN: "unknown id, subscriber or allocator"
        case IOASID_REFUSED_PENDING: "the id is being freed"
        case IOASID_REFUSED_OWNER: "of another owner"
        case IOASID_REFUSED_EXISTS: "already there"
        case IOASID_REFUSED_BUSY: "in use"
        case IOASID_REFUSED_OVERFLOW: "too many references"
        default: "an argument makes no sense"
        }
    }
}
