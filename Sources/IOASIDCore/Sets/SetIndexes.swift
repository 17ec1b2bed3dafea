// SPDX-License-Identifier: MIT
// Sets by token, and declared sets by address.

import CIOASIDCore
import IOASIDMemory
import Synchronization

/// Live sets by type and token.
package enum SetTokens: IndexedRecords {
    private static let index = HashIndex<SetTokens>()

    static func prepare() -> Bool { index.prepare() }
    #if IOASID_CHECKS
    static var count: UInt32 { index.count }
    #endif

    static func find(_ token: UInt, _ type: UInt32) -> SetNumber? {
        index.find(hash(token, type)) {
            SetTable[$0].pointee.token.acquire() == token && SetTable[$0].pointee.type == type
        }
    }

    /// The set of an address space.
    package static func find(mm: UInt) -> SetNumber? { find(mm, IOASID_SET_TYPE_MM.rawValue) }

    static func insert(_ set: SetNumber) { index.insert(set) }
    static func remove(_ set: SetNumber) { index.remove(set) }

    private static func hash(_ token: UInt, _ type: UInt32) -> UInt32 {
        hashAddress(token) &+ type
    }

    package static func hash(_ set: SetNumber) -> UInt32 {
        hash(SetTable[set].pointee.token.value, SetTable[set].pointee.type)
    }
    package static func link(_ set: SetNumber) -> UInt32 {
        SetTable[set].pointee.tokenChain.acquire()
    }
    package static func setLink(_ set: SetNumber, _ link: UInt32) {
        SetTable[set].pointee.tokenChain.release(link)
    }
}

/// Declared sets by address, which are never given up once adopted, and lent ones, which are.
enum DeclaredSets: IndexedRecords {
    private static let index = HashIndex<DeclaredSets>()

    static func prepare() -> Bool { index.prepare() }
    #if IOASID_CHECKS
    static var count: UInt32 { index.count }
    #endif

    @inline(never)
    static func find(_ address: UInt) -> SetNumber? {
        index.find(hashAddress(address)) { SetTable[$0].pointee.declared.acquire() == address }
    }

    static func insert(_ set: SetNumber) { index.insert(set) }
    static func remove(_ set: SetNumber) { index.remove(set) }

    static func hash(_ set: SetNumber) -> UInt32 {
        hashAddress(SetTable[set].pointee.declared.value)
    }
    static func link(_ set: SetNumber) -> UInt32 { SetTable[set].pointee.declaredChain.acquire() }
    static func setLink(_ set: SetNumber, _ link: UInt32) {
        SetTable[set].pointee.declaredChain.release(link)
    }
}

/// Spreads addresses, and numbers that somebody passes for addresses: every bit of them moves the
/// low bits, which choose the bucket.
func hashAddress(_ address: UInt) -> UInt32 {
    var hash = UInt64(address)
    hash = (hash ^ hash &>> 32) &* 0x9e37_79b9_7f4a_7c15
    hash = (hash ^ hash &>> 29) &* 0xbf58_476d_1ce4_e5b9
    return UInt32(truncatingIfNeeded: hash &>> 32)
}
