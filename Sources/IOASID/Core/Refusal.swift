// SPDX-License-Identifier: MIT
// Why a request was refused: the errno its caller gets, and the reason that is counted and logged.

import CIOASID
import Synchronization

struct Refusal: Error {
    let reason: ioasid_refusal
    let errno: CInt

    @inline(__always)
    init(_ reason: ioasid_refusal, _ errno: CInt) {
        self.reason = reason
        self.errno = errno
    }

    static var memory: Refusal { Refusal(IOASID_REFUSED_MEMORY, ENOMEM) }
    static var argument: Refusal { Refusal(IOASID_REFUSED_ARGUMENT, EINVAL) }
    static var noSet: Refusal { Refusal(IOASID_REFUSED_SET, EINVAL) }
    static var owner: Refusal { Refusal(IOASID_REFUSED_OWNER, EACCES) }
    static var pending: Refusal { Refusal(IOASID_REFUSED_PENDING, EBUSY) }
    static var range: Refusal { Refusal(IOASID_REFUSED_RANGE, ENOSPC) }
    static var exists: Refusal { Refusal(IOASID_REFUSED_EXISTS, EEXIST) }
    static var overflow: Refusal { Refusal(IOASID_REFUSED_OVERFLOW, EOVERFLOW) }

    /// An id that is not in use; the published functions do not agree on the errno.
    static func unknown(_ errno: CInt) -> Refusal { Refusal(IOASID_REFUSED_UNKNOWN, errno) }
}

extension Refusal {
    /// Counts the refusal and says so on the log, as often as the log lets it.
    @inline(never)
    func note(_ id: UInt32 = noID, caller: StaticString = #function) {
        cio_count_refusal(reason)
        cio_probe_refuse(id, reason)
        // What a well-behaved user meets in a race is no news.
        guard reason != IOASID_REFUSED_PENDING else { return }
        Log.warn(Refusal.name(reason), id, caller: caller)
    }

    static func name(_ reason: ioasid_refusal) -> StaticString {
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
