// SPDX-License-Identifier: MIT
// Exports: look-ups by id, and the private data. An unknown id is an answer here, not an error.

import CIOASID
import CIOASIDCore
import CIOASIDRuntime
import IOASIDCore
import IOASIDMemory
import IOASIDRuntime
import Synchronization

@_cdecl("ioasid_find") @implementation
public func ioasid_find(
    _ set: UnsafeMutablePointer<ioasid_set>?, _ ioasid: ioasid_t,
    _ getter: (@convention(c) (UnsafeMutableRawPointer?) -> Bool)?
) -> UnsafeMutableRawPointer? {
    guard let getter else { return find(set, ID(rawValue: ioasid)) }
    return find(set, ID(rawValue: ioasid), getter)
}

/// The private data, or ERR_PTR(-errno).
@inline(__always)
private func find(_ set: SetHandle?, _ id: ID) -> UnsafeMutableRawPointer? {
    do throws(RequestError) {
        return try Core.find(set, id)
    } catch {
        return error.pointer
    }
}

/// The same if the getter agrees. Out of line, to keep the plain look-up lean. A thread that were
/// cancelled in a getter would leave its section open.
@inline(never)
private func find(
    _ set: SetHandle?, _ id: ID, _ getter: @convention(c) (UnsafeMutableRawPointer?) -> Bool
) -> UnsafeMutableRawPointer? {
    Cancellation.held {
        ReadSide.section {
            let found = find(set, id)
            return cio_is_err(found) || getter(found) ? found : nil
        }
    }
}

@_cdecl("ioasid_is_active") @implementation
public func ioasid_is_active(_ ioasid: ioasid_t) -> Bool {
    IDTable.incarnation(of: ID(rawValue: ioasid))?.word.isAlive ?? false
}

@_cdecl("ioasid_is_in_set") @implementation
public func ioasid_is_in_set(
    _ set: UnsafeMutablePointer<ioasid_set>?, _ ioasid: ioasid_t
) -> Bool {
    guard let one = IDTable.incarnation(of: ID(rawValue: ioasid)) else { return false }
    guard let set else { return one.word.set == SetTable.system }
    return SetTable.isHandle(set, of: one.word.set)
}

@_cdecl("ioasid_find_set") @implementation
public func ioasid_find_set(_ ioasid: ioasid_t) -> UnsafeMutablePointer<ioasid_set>? {
    guard let one = IDTable.incarnation(of: ID(rawValue: ioasid)) else {
        RequestError.unknown(ENOENT).answer(ioasid, caller: "ioasid_find_set")
        return SetHandle(bitPattern: UInt(bitPattern: RequestError.unknown(ENOENT).pointer))
    }
    return SetTable.handle(one.word.set)
}

@_cdecl("ioasid_attach_data") @implementation
public func ioasid_attach_data(_ ioasid: ioasid_t, _ data: UnsafeMutableRawPointer?) -> CInt {
    attach(data, to: ioasid)
}

@_cdecl("ioasid_attach_first_data") @implementation
public func ioasid_attach_first_data(
    _ ioasid: ioasid_t, _ data: UnsafeMutableRawPointer?
) -> CInt {
    Returns.status(ioasid) { () throws(RequestError) in
        try Core.attachData(ID(rawValue: ioasid), data, replaces: false)
    }
}

@_cdecl("ioasid_detach_data") @implementation
public func ioasid_detach_data(_ ioasid: ioasid_t) -> CInt {
    attach(nil, to: ioasid)
}

/// In the name of the function where the call stands.
@inline(never)
private func attach(
    _ data: UnsafeMutableRawPointer?, to ioasid: ioasid_t, caller: StaticString = #function
) -> CInt {
    Returns.status(ioasid, caller: caller) { () throws(RequestError) in
        try Core.attachData(ID(rawValue: ioasid), data)
    }
}
