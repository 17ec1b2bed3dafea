// SPDX-License-Identifier: MIT
// The boundary of <linux/xarray.h> and <linux/idr.h>.

@preconcurrency import CIOASIDKernel
import IOASIDKernel
import IOASIDMemory

private typealias Entry = UnsafeMutableRawPointer

private func withReaders<Result>(_ body: () -> Result) -> Result {
    ioasid_rcu_read_lock()
    defer { ioasid_rcu_read_unlock() }
    return body()
}

private func missing<Result>(_ result: Result) -> Result {
    warn("xarray, idr or ida: NULL where one should be")
    return result
}

/// An error as an entry.
private func failed(_ error: CInt) -> Entry? {
    Entry(bitPattern: UInt(bitPattern: Int(error)) << 2 | 2)
}

/// What users may see of an entry.
private func visible(_ entry: Entry?) -> Entry? { entry == Tree.zero ? nil : entry }

/// Values and aligned pointers; not errors, which could not be told from a failure.
private func isStorable(_ entry: Entry?) -> Bool {
    let raw = UInt(bitPattern: entry)
    guard raw & 3 == 2, raw < 4096 || xa_is_err(entry) else { return true }
    Tree.warn("xarray: what is to be stored is no entry")
    return false
}

private func reservable(_ entry: Entry?) -> Entry { entry ?? Tree.zero }

private func readable(_ xa: UnsafePointer<xarray>) -> Tree {
    Tree(UnsafeMutablePointer(mutating: xa))
}

@_cdecl("ioasid_xa_load") @implementation
public func ioasid_xa_load(
    _ xa: UnsafePointer<xarray>?, _ index: CUnsignedLong
) -> UnsafeMutableRawPointer? {
    guard let xa else { return missing(nil) }
    return withReaders { visible(readable(xa).load(index)) }
}

@_cdecl("ioasid_xa_store") @implementation
public func ioasid_xa_store(
    _ xa: UnsafeMutablePointer<xarray>?, _ index: CUnsignedLong, _ entry: UnsafeMutableRawPointer?
) -> UnsafeMutableRawPointer? {
    guard let xa else { return missing(failed(-EINVAL)) }
    guard isStorable(entry) else { return failed(-EINVAL) }
    let tree = Tree(xa)
    let old = tree.load(index)
    let keepsPlace = cio_xa_allocates(xa)
    guard tree.store(index, entry ?? (keepsPlace ? Tree.zero : nil)) else {
        return failed(-ENOMEM)
    }
    return visible(old)
}

@_cdecl("ioasid_xa_erase") @implementation
public func ioasid_xa_erase(
    _ xa: UnsafeMutablePointer<xarray>?, _ index: CUnsignedLong
) -> UnsafeMutableRawPointer? {
    guard let xa else { return missing(nil) }
    let tree = Tree(xa)
    let old = tree.load(index)
    _ = tree.store(index, nil)
    return visible(old)
}

@_cdecl("ioasid_xa_cmpxchg") @implementation
public func ioasid_xa_cmpxchg(
    _ xa: UnsafeMutablePointer<xarray>?, _ index: CUnsignedLong, _ old: UnsafeMutableRawPointer?,
    _ entry: UnsafeMutableRawPointer?
) -> UnsafeMutableRawPointer? {
    guard let xa else { return missing(failed(-EINVAL)) }
    guard isStorable(entry) else { return failed(-EINVAL) }
    let found = Tree(xa).load(index)
    guard found == old else { return visible(found) }
    // NULL empties the place; only a store reserves it.
    return Tree(xa).store(index, entry) ? visible(found) : failed(-ENOMEM)
}

@_cdecl("ioasid_xa_insert") @implementation
public func ioasid_xa_insert(
    _ xa: UnsafeMutablePointer<xarray>?, _ index: CUnsignedLong, _ entry: UnsafeMutableRawPointer?
) -> CInt {
    guard let xa else { return missing(-EINVAL) }
    guard isStorable(entry) else { return -EINVAL }
    let tree = Tree(xa)
    guard tree.load(index) == nil else { return -EBUSY }
    return tree.store(index, reservable(entry)) ? 0 : -ENOMEM
}

@_cdecl("ioasid_xa_release") @implementation
public func ioasid_xa_release(_ xa: UnsafeMutablePointer<xarray>?, _ index: CUnsignedLong) {
    guard let xa else { return missing(()) }
    let tree = Tree(xa)
    if tree.load(index) == Tree.zero { _ = tree.store(index, nil) }
}

@_cdecl("ioasid_xa_alloc") @implementation
public func ioasid_xa_alloc(
    _ xa: UnsafeMutablePointer<xarray>?, _ id: UnsafeMutablePointer<UInt32>?,
    _ entry: UnsafeMutableRawPointer?, _ min: UInt32, _ max: UInt32
) -> CInt {
    guard let xa, let id else { return missing(-EINVAL) }
    guard cio_xa_allocates(xa) else {
        Tree.warn("xa_alloc in an array without XA_FLAGS_ALLOC")
        return -EINVAL
    }
    guard isStorable(entry) else { return -EINVAL }
    let first = cio_xa_zero_is_busy(xa) && min == 0 ? 1 : UInt(min)
    let tree = Tree(xa)
    guard let index = tree.findRoom(from: first, to: UInt(max)) else { return -EBUSY }
    guard tree.store(index, reservable(entry)) else { return -ENOMEM }
    id.pointee = UInt32(truncatingIfNeeded: index)
    return 0
}

@_cdecl("ioasid_xa_alloc_cyclic") @implementation
public func ioasid_xa_alloc_cyclic(
    _ xa: UnsafeMutablePointer<xarray>?, _ id: UnsafeMutablePointer<UInt32>?,
    _ entry: UnsafeMutableRawPointer?, _ min: UInt32, _ max: UInt32,
    _ next: UnsafeMutablePointer<UInt32>?
) -> CInt {
    guard let xa, let id, let next else { return missing(-EINVAL) }
    let start = Swift.max(min, next.pointee)
    var result = ioasid_xa_alloc(xa, id, entry, start, max)
    // The last one was the highest of all numbers.
    if result == 0, cio_xa_has_wrapped(xa) {
        cio_xa_set_wrapped(xa, false)
        result = 1
    }
    if result == -EBUSY, start > min {
        result = ioasid_xa_alloc(xa, id, entry, min, max)
        if result == 0 { result = 1 }
    }
    guard result >= 0 else { return result }
    next.pointee = id.pointee &+ 1
    if next.pointee == 0 { cio_xa_set_wrapped(xa, true) }
    return result
}

@_cdecl("ioasid_xa_get_mark") @implementation
public func ioasid_xa_get_mark(
    _ xa: UnsafePointer<xarray>?, _ index: CUnsignedLong, _ mark: xa_mark_t
) -> Bool {
    guard let xa else { return missing(false) }
    return withReaders { readable(xa).isMarked(index, mark) }
}

@_cdecl("ioasid_xa_set_mark") @implementation
public func ioasid_xa_set_mark(
    _ xa: UnsafeMutablePointer<xarray>?, _ index: CUnsignedLong, _ mark: xa_mark_t, _ set: Bool
) {
    guard let xa else { return missing(()) }
    guard mark < Tree.marks else { return Tree.warn("xarray: no such mark") }
    Tree(xa).setMark(index, mark, set)
}

@_cdecl("ioasid_xa_marked") @implementation
public func ioasid_xa_marked(_ xa: UnsafePointer<xarray>?, _ mark: xa_mark_t) -> Bool {
    guard let xa else { return missing(false) }
    return withReaders { readable(xa).isAnythingMarked(mark) }
}

@_cdecl("ioasid_xa_find") @implementation
public func ioasid_xa_find(
    _ xa: UnsafePointer<xarray>?, _ index: UnsafeMutablePointer<CUnsignedLong>?,
    _ max: CUnsignedLong, _ filter: xa_mark_t
) -> UnsafeMutableRawPointer? {
    guard let xa, let index else { return missing(nil) }
    guard filter < Tree.marks || filter == Tree.present else {
        Tree.warn("xarray: no such mark")
        return nil
    }
    return withReaders {
        guard let (found, entry) = readable(xa).find(from: index.pointee, to: max, filter) else {
            return nil
        }
        index.pointee = found
        return entry
    }
}

@_cdecl("ioasid_xa_destroy") @implementation
public func ioasid_xa_destroy(_ xa: UnsafeMutablePointer<xarray>?) {
    guard let xa else { return missing(()) }
    Tree(xa).removeAll { _ in }
}

// MARK: IDR

@_cdecl("ioasid_idr_alloc") @implementation
public func ioasid_idr_alloc(
    _ idr: UnsafeMutablePointer<idr>?, _ ptr: UnsafeMutableRawPointer?,
    _ id: UnsafeMutablePointer<UInt32>?, _ max: CUnsignedLong
) -> CInt {
    guard let idr, let id else { return missing(-EINVAL) }
    let base = UInt(idr.pointee.idr_base)
    guard max >= base else { return -ENOSPC }
    let first = UInt(id.pointee) > base ? UInt(id.pointee) &- base : 0
    let last = min(max, UInt(UInt32.max)) &- base
    let tree = Tree(stable(&idr.pointee.idr_rt))
    guard let index = tree.findRoom(from: first, to: last) else { return -ENOSPC }
    guard tree.store(index, reservable(ptr)) else { return -ENOMEM }
    id.pointee = UInt32(truncatingIfNeeded: index &+ base)
    return 0
}

@_cdecl("ioasid_idr_replace") @implementation
public func ioasid_idr_replace(
    _ idr: UnsafeMutablePointer<idr>?, _ ptr: UnsafeMutableRawPointer?, _ id: CUnsignedLong
) -> UnsafeMutableRawPointer? {
    guard let idr else { return missing(ERR_PTR(Int(-EINVAL))) }
    let tree = Tree(stable(&idr.pointee.idr_rt))
    let index = id &- UInt(idr.pointee.idr_base)
    guard let old = tree.load(index) else { return ERR_PTR(Int(-ENOENT)) }
    _ = tree.store(index, reservable(ptr))
    return visible(old)
}

// MARK: IDA

/// With the lock of the array, as <linux/xarray.h> takes it.
private func locked<Result>(
    _ ida: UnsafeMutablePointer<ida>, _ body: (NumberAllocator) -> Result
) -> Result {
    ioasid_xa_enter(&ida.pointee.xa)
    defer { ioasid_xa_leave(&ida.pointee.xa) }
    return body(NumberAllocator(stable(&ida.pointee.xa)))
}

@_cdecl("ioasid_ida_alloc") @implementation
public func ioasid_ida_alloc(
    _ ida: UnsafeMutablePointer<ida>?, _ min: UInt32, _ max: UInt32
) -> CInt {
    guard let ida else { return missing(-EINVAL) }
    let last = UInt(Swift.min(max, UInt32(Int32.max)))
    switch locked(ida, { $0.take(from: UInt(min), to: last) }) {
    case .number(let number): return CInt(truncatingIfNeeded: number)
    case .noneFree: return -ENOSPC
    case .noMemory: return -ENOMEM
    }
}

@_cdecl("ioasid_ida_free") @implementation
public func ioasid_ida_free(_ ida: UnsafeMutablePointer<ida>?, _ id: UInt32) {
    guard let ida else { return missing(()) }
    guard locked(ida, { $0.giveBack(UInt(id)) }) else {
        return warn("ida_free of a number that is not taken")
    }
}

@_cdecl("ioasid_ida_destroy") @implementation
public func ioasid_ida_destroy(_ ida: UnsafeMutablePointer<ida>?) {
    guard let ida else { return missing(()) }
    locked(ida) { $0.giveAllBack() }
}
