// SPDX-License-Identifier: MIT
// Exports: looking inside.

import CIOASID
import CIOASIDCore
import CIOASIDRuntime
import IOASIDCore
import IOASIDMemory
import IOASIDRuntime
import Synchronization

@_cdecl("ioasid_get_stats") @implementation
public func ioasid_get_stats(_ stats: UnsafeMutablePointer<ioasid_stats>?) {
    guard let stats else { return RequestError.argument.note() }
    CoreLock.withLock { Core.fill(stats) }
}

@_cdecl("ioasid_refusal_name") @implementation
public func ioasid_refusal_name(_ why: ioasid_refusal) -> UnsafePointer<CChar>? {
    let name: StaticString =
        why.rawValue < IOASID_REFUSED_NR.rawValue
        ? RequestError.name(why) : "unknown"
    return name.cString
}

@_cdecl("ioasid_dump") @implementation
public func ioasid_dump(_ out: UnsafeMutablePointer<FILE>?) -> CInt {
    Returns.status { () throws(RequestError) in try Dump.write(out, cio_dump_text) }
}

@_cdecl("ioasid_dump_dot") @implementation
public func ioasid_dump_dot(_ out: UnsafeMutablePointer<FILE>?) -> CInt {
    Returns.status { () throws(RequestError) in try Dump.write(out, cio_dump_dot) }
}

@_cdecl("ioasid_trace_start") @implementation
public func ioasid_trace_start(_ out: UnsafeMutablePointer<FILE>?) -> CInt {
    Returns.status { () throws(RequestError) in try Trace.start(out) }
}

@_cdecl("ioasid_trace_stop") @implementation
public func ioasid_trace_stop() {
    Trace.stop()
}

@_cdecl("ioasid_history_start") @implementation
public func ioasid_history_start() -> CInt {
    Returns.status { () throws(RequestError) in try History.start() }
}

@_cdecl("ioasid_history_stop") @implementation
public func ioasid_history_stop() {
    History.stop()
}

@_cdecl("ioasid_report_leaks") @implementation
public func ioasid_report_leaks(_ out: UnsafeMutablePointer<FILE>?) -> CInt {
    Returns.number { () throws(RequestError) in try History.reportLeaks(out) }
}

@_cdecl("ioasid_reset") @implementation
public func ioasid_reset(_ out: UnsafeMutablePointer<FILE>?) -> CInt {
    Returns.number { () throws(RequestError) in try Core.reset(out) }
}

@_cdecl("ioasid_get_tagged") @implementation
public func ioasid_get_tagged(
    _ set: UnsafeMutablePointer<ioasid_set>?, _ ioasid: ioasid_t, _ tag: UnsafeRawPointer?
) -> CInt {
    guard History.isOn else { return getReference(set, ioasid) }
    return withTag(tag) { getReference(set, ioasid) }
}

@_cdecl("ioasid_put_tagged") @implementation
public func ioasid_put_tagged(
    _ set: UnsafeMutablePointer<ioasid_set>?, _ ioasid: ioasid_t, _ tag: UnsafeRawPointer?
) -> Bool {
    guard History.isOn else { return putReference(set, ioasid) }
    return withTag(tag) {
        let isWrong = Returns.status(ioasid) { () throws(RequestError) in
            try History.checkTag(ID(rawValue: ioasid), tag)
        }
        return isWrong == 0 && putReference(set, ioasid)
    }
}

@_cdecl("ioasid_fail_nth") @implementation
public func ioasid_fail_nth(_ nth: CUnsignedLong) -> CUnsignedLong {
    Memory.failNth(nth)
}

/// Does what takes or puts a reference, under a tag.
private func withTag<Result>(_ tag: UnsafeRawPointer?, _ body: () -> Result) -> Result {
    CallOut.withLock { _ in
        cio_history_tag(tag)
        defer { cio_history_tag(nil) }
        return body()
    }
}
