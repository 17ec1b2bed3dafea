// SPDX-License-Identifier: MIT
// Visiting the ids of a set.

import IOASIDMemory
import IOASIDRuntime

extension Core {
    /// Takes the lock to copy the members, and visits them without it.
    /// - Returns: false if the set is empty.
    package static func forEach(
        _ handle: SetHandle?, _ visit: (ID) -> Void
    ) throws(RequestError) -> Bool {
        let ids = try CoreLock.withLock { () throws(RequestError) in
            try Snapshot(of: SetTable.number(of: try liveSet(handle)))
        }
        // The copy would be lost with a thread that is cancelled in a visit.
        Cancellation.heldInCallbacks {
            for index in 0..<ids.count {
                // An earlier visit, or anybody else, may have ended this one's life.
                if ids.incarnation(index) != nil { visit(ids[index]) }
            }
        }
        return ids.count != 0
    }
}
