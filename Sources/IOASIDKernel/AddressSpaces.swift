// SPDX-License-Identifier: MIT
// Address spaces made by mm_alloc(): a type-stable table, so that a pointer is known by arithmetic.

@preconcurrency import CIOASIDKernel
import IOASIDMemory
import Synchronization

package typealias MM = UnsafeMutablePointer<mm_struct>

/// A token may be any pointer. Only one that lies in this table is followed; a count of 0 says
/// that nobody lives there. Lists and limits are guarded by a lock of their own, with nothing inside it.
package enum AddressSpaces {
    private typealias Record = UnsafeMutablePointer<cio_mm>

    private static var capacity: UInt32 { 1 << 20 }
    private static var stride: UInt { UInt(MemoryLayout<cio_mm>.stride) }
    /// How many records are made writable at a time.
    private static var step: UInt32 { 4096 }
    /// So many rest before a grace period is worth its while.
    private static var enoughToWait: UInt32 { 64 }

    private static let start = Cell<UInt>(0)
    /// Records below this number have been used.
    private static let used = Cell<UInt32>(0)
    /// Lists by number + 1. Those that rest may still be looked at by a reader.
    private static let free = Cell<UInt32>(0)
    private static let resting = Cell<UInt32>(0)
    private static let restingCount = Cell<UInt32>(0)
    /// Those that rested until a grace period began, which a thread waits for: one at a time.
    private static let awaited = Cell<UInt32>(0)

    /// - Returns: an address space with one user and one reference, or nil for want of memory.
    package static func make() -> MM? {
        let (ready, mustWait) = withLock { () -> (MM?, Bool) in
            if let number = popFree() { return (bring(number), false) }
            guard awaited.value == 0, restingCount.value >= enoughToWait, ioasid_may_wait() else {
                return (unused().map { bring($0) }, false)
            }
            awaitResting()
            return (nil, true)
        }
        guard mustWait else { return ready }
        ioasid_rcu_synchronize()
        return withLock {
            free.value = appended(awaited.value, before: free.value)
            awaited.value = 0
            return popFree().map { bring($0) }
        }
    }

    /// With the lock, so without ever waiting.
    static func makeAtOnce() -> MM? {
        (popFree() ?? unused()).map { bring($0) }
    }

    static func withLock<Result>(_ body: () -> Result) -> Result {
        pthread_mutex_lock(&cio_mm_mutex)
        defer { pthread_mutex_unlock(&cio_mm_mutex) }
        return body()
    }

    /// In the child of fork(): whoever waited is not here, nor are those who had a lock.
    package static func afterForkInChild() {
        for number in 0..<used.value {
            let mm = stable(&record(number).pointee.mm)
            if atomic_read(&mm.pointee.mm_count) != 0 { cio_mm_unlock_in_child(mm) }
        }
        guard awaited.value != 0 else { return }
        resting.value = appended(awaited.value, before: resting.value)
        restingCount.value = enoughToWait
        awaited.value = 0
    }

    /// - Returns: whether this is a live address space of ours; it has one more reference then.
    package static func grabIfKnown(_ pointer: UnsafeMutableRawPointer) -> Bool {
        guard let record = record(at: pointer) else { return false }
        return atomic_inc_not_zero(&record.pointee.mm.mm_count)
    }

    /// Drops a user.
    /// - Returns: whether it was the last one: the reference of all users is to be dropped then.
    package static func dropUser(_ mm: MM) -> Bool {
        let left = atomic_dec_if_positive(&mm.pointee.mm_users)
        if left < 0 { warn("mmput of an mm without users") }
        return left == 0
    }

    /// - Returns: what `mm_pasid_set()` stored, unless its owner took it back; never what others
    ///   wrote into the field.
    package static func takePASID(_ mm: MM) -> UInt32? {
        let none = UInt32.max
        let stored = mm.pointee.stored &- 1
        let found = mm.pointee.pasid
        mm.pointee.stored = 0
        guard stored != none else { return nil }
        if found == stored {
            mm.pointee.pasid = none
        } else if found == none || found == 0 {
            return nil
        }
        return stored
    }

    /// Drops a reference. The last one retires what is ours.
    package static func drop(_ mm: MM) {
        let left = atomic_dec_if_positive(&mm.pointee.mm_count)
        if left < 0 { warn("mmdrop of an mm without references") }
        guard left == 0, let record = record(at: mm) else { return }
        withLock {
            record.pointee.next = resting.value
            resting.value = number(of: record) &+ 1
            restingCount.increment()
        }
    }

    // MARK: Records

    private static func record(at pointer: UnsafeMutableRawPointer) -> Record? {
        let count = used.acquire()
        let offset = UInt(bitPattern: pointer) &- start.value
        guard count != 0, offset % stride == 0, offset / stride < UInt(count) else { return nil }
        return pointer.assumingMemoryBound(to: cio_mm.self)
    }

    private static func record(_ number: UInt32) -> Record {
        Record(bitPattern: start.value &+ UInt(number) &* stride).unsafelyUnwrapped
    }

    private static func number(of record: Record) -> UInt32 {
        UInt32(truncatingIfNeeded: (UInt(bitPattern: record) &- start.value) / stride)
    }

    /// Nobody sees it as live before its count is set, last.
    private static func bring(_ number: UInt32) -> MM {
        let record = record(number)
        mm_pasid_init(&record.pointee.mm)
        record.pointee.mm.pasid = cio_mm_no_pasid()
        cio_mm_begin(&record.pointee.mm)
        atomic_set(&record.pointee.mm.mm_users, 1)
        atomic_set_release(&record.pointee.mm.mm_count, 1)
        return UnsafeMutableRawPointer(record).assumingMemoryBound(to: mm_struct.self)
    }

    /// A record that was never used.
    private static func unused() -> UInt32? {
        let number = used.value
        guard number < capacity, reserve() else { return nil }
        if number % step == 0 {
            guard Memory.commit(record(number), Int(step) &* Int(stride)) else { return nil }
        }
        used.release(number &+ 1)
        return number
    }

    private static func reserve() -> Bool {
        if start.value != 0 { return true }
        guard let memory = Memory.reserve(Int(capacity) &* Int(stride)) else { return false }
        start.value = UInt(bitPattern: memory)
        return true
    }

    // MARK: Lists

    private static func popFree() -> UInt32? {
        guard free.value != 0 else { return nil }
        let number = free.value &- 1
        free.value = record(number).pointee.next
        return number
    }

    private static func awaitResting() {
        awaited.value = resting.value
        resting.value = 0
        restingCount.value = 0
    }

    private static func appended(_ list: UInt32, before rest: UInt32) -> UInt32 {
        var last = record(list &- 1)
        while last.pointee.next != 0 { last = record(last.pointee.next &- 1) }
        last.pointee.next = rest
        return list
    }
}

// MARK: For the core

@_cdecl("cio_mm_pin") @implementation
public func cio_mm_pin(_ mm: UnsafeMutablePointer<mm_struct>?) -> Bool {
    mm.map { AddressSpaces.grabIfKnown($0) } ?? false
}

@_cdecl("cio_mm_unpin") @implementation
public func cio_mm_unpin(_ mm: UnsafeMutablePointer<mm_struct>?) {
    if let mm { AddressSpaces.drop(mm) }
}
