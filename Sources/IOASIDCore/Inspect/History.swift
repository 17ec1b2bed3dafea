// SPDX-License-Identifier: MIT
// The history of references, and what is left over. history.c keeps it.

import CIOASIDCore
import CIOASIDRuntime
import IOASIDMemory
import IOASIDRuntime
import Synchronization

package enum History {
    package static func start() throws(RequestError) {
        cio_history_prepare()
        try CoreLock.withLock { () throws(RequestError) in
            guard !cio_history_is_on() else {
                throw RequestError.busy.because("the history is being kept")
            }
            guard cio_history_start() else { throw .memory }
            Trace.note()
        }
    }

    package static func stop() {
        CoreLock.withLock {
            cio_history_stop()
            Trace.note()
        }
    }

    /// Also says so to who asks in the environment.
    package static func startIfAsked() {
        guard cio_history_is_asked() else { return }
        try? start()
    }
}

extension History {
    package static var isOn: Bool { cio_history_is_on() }

    /// Refuses who puts what is not his own.
    @inline(never)
    package static func checkTag(_ id: ID, _ tag: UnsafeRawPointer?) throws(RequestError) {
        CoreLock.lock()
        defer { CoreLock.unlock() }
        guard tag != nil, let one = IDTable.incarnation(of: id),
            !cio_history_has_tag(id.rawValue, one.word.generation, tag)
        else { return }
        throw RequestError.unknown(ENOENT).because(
            "no reference of the id has this tag", UnsafeMutableRawPointer(mutating: tag),
            one.word.set)
    }
}

extension History {
    /// - Returns: how many things are left.
    package static func reportLeaks(
        _ out: UnsafeMutablePointer<FILE>?
    ) throws(RequestError) -> CInt {
        try Dump.write(out, cio_dump_leaks)
        return CoreLock.withLock { cio_left_over() }
    }
}

// MARK: For history.c and report.c

@_cdecl("cio_history_allocate") @implementation
public func cio_history_allocate(_ size: Int) -> UnsafeMutableRawPointer? {
    Memory.allocate(size)
}

@_cdecl("cio_history_release") @implementation
public func cio_history_release(_ block: UnsafeMutableRawPointer) {
    Memory.free(block)
}

/// - Returns: how many things are left; negative if it could not be written.
@_cdecl("cio_report_leaks") @implementation
public func cio_report_leaks(_ out: UnsafeMutablePointer<FILE>) -> CInt {
    do throws(RequestError) {
        return try History.reportLeaks(out)
    } catch {
        return 0 &- error.errno
    }
}

@_cdecl("cio_left_over") @implementation
public func cio_left_over() -> CInt {
    CInt(clamping: Core.leftOver)
}
