// SPDX-License-Identifier: MIT
// The one place where an error becomes what a C caller gets, and is counted and logged.

import CIOASID
import CIOASIDCore
import CIOASIDRuntime
import IOASIDCore
import IOASIDMemory
import IOASIDRuntime

/// What exported functions return: each convention of the header under one name. The log says which
/// function it was: `caller` is where the call stands.
package enum Returns {
    /// 0, or -errno.
    @inline(__always)
    package static func status(
        _ id: UInt32 = .max, caller: StaticString = #function,
        _ body: () throws(RequestError) -> Void
    ) -> CInt {
        do throws(RequestError) {
            try body()
            return 0
        } catch {
            error.note(id, caller: caller)
            return 0 &- error.errno
        }
    }

    /// A number, or -errno.
    @inline(__always)
    package static func number(
        caller: StaticString = #function, _ body: () throws(RequestError) -> CInt
    ) -> CInt {
        do throws(RequestError) {
            return try body()
        } catch {
            error.note(caller: caller)
            return 0 &- error.errno
        }
    }

    /// An id, or INVALID_IOASID.
    @inline(__always)
    package static func id(
        caller: StaticString = #function, _ body: () throws(RequestError) -> ID?
    ) -> ioasid_t {
        do throws(RequestError) {
            return (try body() ?? .invalid).rawValue
        } catch {
            error.note(caller: caller)
            return ID.invalid.rawValue
        }
    }

    /// The answer, or false.
    @inline(__always)
    package static func truth(
        _ id: UInt32, caller: StaticString = #function, _ body: () throws(RequestError) -> Bool
    ) -> Bool {
        do throws(RequestError) {
            return try body()
        } catch {
            error.note(id, caller: caller)
            return false
        }
    }

    /// A pointer, or ERR_PTR(-errno).
    @inline(__always)
    package static func pointer(
        caller: StaticString = #function,
        _ body: () throws(RequestError) -> UnsafeMutableRawPointer?
    ) -> UnsafeMutableRawPointer? {
        do throws(RequestError) {
            return try body()
        } catch {
            error.note(caller: caller)
            return error.pointer
        }
    }
}

extension RequestError {
    /// ERR_PTR(-errno)
    @inline(__always)
    package var pointer: UnsafeMutableRawPointer? {
        UnsafeMutableRawPointer(bitPattern: 0 &- Int(errno))
    }
}
