// SPDX-License-Identifier: MIT
// Visiting the ids of a set.

import CIOASID
import CIOASIDCore
import CIOASIDRuntime
import IOASIDMemory
import IOASIDRuntime
import Synchronization

extension Core {
    /// Takes the lock to copy the members, and calls out without it.
    /// - Returns: false if the set is empty.
    package static func forEach(
        _ handle: SetHandle?, _ visit: (UInt32) -> Void
    ) throws(Refusal) -> Bool {
        let ids = try CoreLock.withLock { () throws(Refusal) in
            try Snapshot(of: try liveSet(handle))
        }
        defer { ids.discard() }
        for index in 0..<ids.count {
            // An earlier visit, or anybody else, may have ended this one's life.
            if ids.isLive(index) { visit(ids[index]) }
        }
        return ids.count != 0
    }
}
