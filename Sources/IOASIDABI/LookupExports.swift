// SPDX-License-Identifier: MIT
// Exports: look-ups by id, and the private data. An unknown id is an answer here, not an error.

import CIOASID
import CIOASIDCore
import CIOASIDKernel
import CIOASIDRuntime
import IOASIDCore
import IOASIDKernel
import IOASIDMemory
import IOASIDRuntime
import Synchronization

@_cdecl("ioasid_find") @implementation
public func ioasid_find(
    _ set: UnsafeMutablePointer<ioasid_set>?, _ ioasid: ioasid_t,
    _ getter: (@convention(c) (UnsafeMutableRawPointer?) -> Bool)?
) -> UnsafeMutableRawPointer? {
    guard let getter else { return find(set, ioasid) }
    return find(set, ioasid, getter)
}

/// The private data, or ERR_PTR(-errno). What nearly always happens, in line and without a call.
@inline(__always)
private func find(_ set: SetHandle?, _ ioasid: ioasid_t) -> UnsafeMutableRawPointer? {
    if let life = IDTable.flatLife(ioasid), set == nil || SetTable.isHandle(set, of: life.word.set),
        case .found(let data) = life.data { return data }
    return findAgain(set, ioasid)
}

/// Everything else: no id, another's id, an id of a custom allocator, a word that changed.
@inline(never)
private func findAgain(_ set: SetHandle?, _ ioasid: ioasid_t) -> UnsafeMutableRawPointer? {
    do throws(Refusal) {
        return try Core.data(set, ioasid)
    } catch {
        return error.pointer
    }
}

/// The same if the getter agrees. Out of line, to keep the plain look-up lean.
@inline(never)
private func find(
    _ set: SetHandle?, _ ioasid: ioasid_t,
    _ getter: @convention(c) (UnsafeMutableRawPointer?) -> Bool
) -> UnsafeMutableRawPointer? {
    ReadSide.section {
        let found = find(set, ioasid)
        return cio_is_err(found) || getter(found) ? found : nil
    }
}

@_cdecl("ioasid_is_active") @implementation
public func ioasid_is_active(_ ioasid: ioasid_t) -> Bool {
    IDTable.life(ioasid)?.word.isActive ?? false
}

@_cdecl("ioasid_is_in_set") @implementation
public func ioasid_is_in_set(
    _ set: UnsafeMutablePointer<ioasid_set>?, _ ioasid: ioasid_t
) -> Bool {
    guard let life = IDTable.life(ioasid) else { return false }
    guard let set else { return life.word.set == SetTable.system }
    return SetTable.isHandle(set, of: life.word.set)
}

@_cdecl("ioasid_find_set") @implementation
public func ioasid_find_set(_ ioasid: ioasid_t) -> UnsafeMutablePointer<ioasid_set>? {
    guard let life = IDTable.life(ioasid) else {
        return SetHandle(bitPattern: UInt(bitPattern: Refusal.unknown(ENOENT).pointer))
    }
    return SetTable.handle(life.word.set)
}

@_cdecl("ioasid_attach_data") @implementation
public func ioasid_attach_data(_ ioasid: ioasid_t, _ data: UnsafeMutableRawPointer?) -> CInt {
    Returns.status(ioasid) { () throws(Refusal) in try Core.attachData(ioasid, data) }
}

@_cdecl("ioasid_detach_data") @implementation
public func ioasid_detach_data(_ ioasid: ioasid_t) -> CInt {
    ioasid_attach_data(ioasid, nil)
}
