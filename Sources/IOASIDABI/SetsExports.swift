// SPDX-License-Identifier: MIT
// Exports: sets and the capacity they draw on.

import CIOASID
import CIOASIDCore
import CIOASIDRuntime
import IOASIDCore
import IOASIDMemory
import IOASIDRuntime
import Synchronization

@_cdecl("ioasid_set_alloc") @implementation
public func ioasid_set_alloc(
    _ token: UnsafeMutableRawPointer?, _ quota: ioasid_t, _ type: CInt
) -> UnsafeMutablePointer<ioasid_set>? {
    let set = Returns.pointer { () throws(RequestError) in
        try CallOut.withLock { out throws(RequestError) -> UnsafeMutableRawPointer? in
            UnsafeMutableRawPointer(try Core.createSet(token, quota, type, out))
        }
    }
    return set?.assumingMemoryBound(to: ioasid_set.self)
}

@_cdecl("ioasid_adjust_set") @implementation
public func ioasid_adjust_set(_ set: UnsafeMutablePointer<ioasid_set>?, _ quota: CInt) -> CInt {
    Returns.status { () throws(RequestError) in
        try CoreLock.withLock { () throws(RequestError) in try Core.adjustSet(set, quota) }
    }
}

@_cdecl("ioasid_set_get") @implementation
public func ioasid_set_get(_ set: UnsafeMutablePointer<ioasid_set>?) {
    getSet(set)
}

/// In the name of the function where the call stands.
@inline(never)
private func getSet(_ set: SetHandle?, caller: StaticString = #function) {
    _ = Returns.status(caller: caller) { () throws(RequestError) in
        try CoreLock.withLock { () throws(RequestError) in try Core.getSet(set) }
    }
}

@_cdecl("ioasid_set_get_locked") @implementation
public func ioasid_set_get_locked(_ set: UnsafeMutablePointer<ioasid_set>?) {
    getSet(set)
}

@_cdecl("ioasid_set_put") @implementation
public func ioasid_set_put(_ set: UnsafeMutablePointer<ioasid_set>?) {
    _ = Returns.status { () throws(RequestError) in
        try CallOut.withLock { out throws(RequestError) in try Core.putSet(set, out) }
    }
}

/// In the name of the function where the call stands.
@inline(never)
private func putSet(_ set: SetHandle?, caller: StaticString = #function) {
    _ = Returns.status(caller: caller) { () throws(RequestError) in
        try CallOut.withLock { out throws(RequestError) in try Core.putSet(set, out) }
    }
}

@_cdecl("ioasid_set_put_locked") @implementation
public func ioasid_set_put_locked(_ set: UnsafeMutablePointer<ioasid_set>?) {
    putSet(set)
}

@_cdecl("ioasid_set_free") @implementation
public func ioasid_set_free(_ set: UnsafeMutablePointer<ioasid_set>?) -> CInt {
    Returns.status { () throws(RequestError) in
        try CallOut.withLock { out throws(RequestError) in try Core.releaseSet(set, out) }
    }
}

@_cdecl("ioasid_free_all_in_set") @implementation
public func ioasid_free_all_in_set(_ set: UnsafeMutablePointer<ioasid_set>?) {
    _ = Returns.status { () throws(RequestError) in
        try CallOut.withLock { out throws(RequestError) in try Core.freeAll(set, out) }
    }
}

@_cdecl("ioasid_find_mm_set") @implementation
public func ioasid_find_mm_set(_ token: OpaquePointer?) -> UnsafeMutablePointer<
    ioasid_set
>? {
    let set = CoreLock.withLock {
        SetTokens.find(mm: UInt(bitPattern: token)).flatMap { SetTable.handle($0) }
    }
    if set == nil {
        RequestError(IOASID_REFUSED_SET, ENOENT).answer(caller: "ioasid_find_mm_set")
    }
    return set
}

@_cdecl("ioasid_set_for_each_ioasid") @implementation
public func ioasid_set_for_each_ioasid(
    _ set: UnsafeMutablePointer<ioasid_set>?,
    _ fn: (@convention(c) (ioasid_t, UnsafeMutableRawPointer?) -> Void)?,
    _ data: UnsafeMutableRawPointer?
) -> CInt {
    // An empty set is an answer, not worth a line on the log.
    Returns.number { () throws(RequestError) in
        guard let fn else { throw .argument }
        return try Core.forEach(set) { fn($0.rawValue, data) } ? 0 : 0 &- ENOENT
    }
}

@_cdecl("ioasid_set_name") @implementation
public func ioasid_set_name(
    _ set: UnsafeMutablePointer<ioasid_set>?, _ name: UnsafePointer<CChar>?
) -> CInt {
    Returns.status { () throws(RequestError) in
        try CoreLock.withLock { () throws(RequestError) in try Core.nameSet(set, name) }
    }
}

// MARK: Capacity

@_cdecl("ioasid_install_capacity") @implementation
public func ioasid_install_capacity(_ total: ioasid_t) {
    _ = Returns.status { () throws(RequestError) in
        try CoreLock.withLock { () throws(RequestError) in try Quota.install(total) }
    }
}

@_cdecl("ioasid_get_capacity") @implementation
public func ioasid_get_capacity() -> ioasid_t {
    Quota.capacity
}

@_cdecl("ioasid_reserve_capacity") @implementation
public func ioasid_reserve_capacity(_ nr_ioasid: ioasid_t) -> CInt {
    Returns.number { () throws(RequestError) in
        try CoreLock.withLock { () throws(RequestError) in try Quota.reserve(nr_ioasid) }
    }
}

@_cdecl("ioasid_cancel_capacity") @implementation
public func ioasid_cancel_capacity(_ nr_ioasid: ioasid_t) -> CInt {
    Returns.number { () throws(RequestError) in
        try CoreLock.withLock { () throws(RequestError) in try Quota.cancel(nr_ioasid) }
    }
}

@_cdecl("ioasid_reserve_range") @implementation
public func ioasid_reserve_range(_ min: ioasid_t, _ max: ioasid_t) -> CInt {
    Returns.status { () throws(RequestError) in
        let range = IDRange(min, through: max)
        try CoreLock.withLock { () throws(RequestError) in try SetAside.add(range) }
    }
}

@_cdecl("ioasid_cancel_range") @implementation
public func ioasid_cancel_range(_ min: ioasid_t, _ max: ioasid_t) -> CInt {
    Returns.status { () throws(RequestError) in
        let range = IDRange(min, through: max)
        try CoreLock.withLock { () throws(RequestError) in try SetAside.remove(range) }
    }
}

@_cdecl("ioasid_next_range") @implementation
public func ioasid_next_range(
    _ from: ioasid_t, _ min: UnsafeMutablePointer<ioasid_t>?, _ max: UnsafeMutablePointer<ioasid_t>?
) -> Bool {
    guard let range = CoreLock.withLock({ SetAside.next(from: from) }) else { return false }
    min?.pointee = range.low
    max?.pointee = range.high
    return true
}
