// SPDX-License-Identifier: MIT
// Names that users give their sets, for people who read logs, dumps and traces.

import CIOASIDCore
import CIOASIDRuntime
import IOASIDMemory
import IOASIDRuntime
import Synchronization

/// A block of checked memory each, so that a set without a name takes none.
enum SetNames {
    /// With the zero byte.
    static var bytes: Int { Int(IOASID_SET_NAME_BYTES) }

    /// With the core lock.
    static func name(_ set: SetNumber) -> UnsafeMutablePointer<CChar>? {
        UnsafeMutablePointer(bitPattern: SetTable[set].pointee.name)
    }

    @inline(never)
    static func forget(_ set: SetNumber) {
        Memory.free(UnsafeMutableRawPointer(name(set)))
        SetTable[set].pointee.name = 0
    }

    static func set(_ set: SetNumber, _ text: UnsafePointer<CChar>) throws(RequestError) {
        guard
            let place = name(set)
                ?? Memory.allocate(bytes)?.bindMemory(to: CChar.self, capacity: bytes)
        else { throw .memory }
        cio_copy_name(place, text)
        SetTable[set].pointee.name = UInt(bitPattern: place)
    }

    /// Nothing without the lock: the name may go meanwhile.
    static func copy(_ set: SetNumber, to details: inout ioasid_refused) {
        guard CoreLock.isMine, let name = name(set) else { return }
        withUnsafeMutablePointer(to: &details) { cio_refusal_name_set($0, name) }
    }
}

extension Core {
    package static func nameSet(
        _ handle: SetHandle?, _ text: UnsafePointer<CChar>?
    ) throws(RequestError) {
        let set = SetTable.number(of: try liveSet(handle))
        guard let text else {
            if SetTable[set].pointee.name != 0 { SetNames.forget(set) }
            return
        }
        try SetNames.set(set, text)
    }
}
