// SPDX-License-Identifier: MIT
// Visiting the ids of a set.

import CIOASID
import Synchronization

extension Core {
    /// Takes the lock to copy the members, and calls out without it.
    static func forEach(
        _ handle: SetHandle?, _ visit: (UInt32) -> Void
    ) throws(Refusal) {
        let (set, ids) = try CoreLock.withLock { () throws(Refusal) -> (UInt32, Snapshot) in
            let set = try liveSet(handle)
            return (set, try Snapshot(of: set))
        }
        defer { ids.discard() }
        guard ids.count != 0 else { throw .unknown(ENOENT) }
        for index in 0..<ids.count {
            // An earlier visit, or anybody else, may have ended this one's life.
            guard let life = IDTable.life(ids[index]), life.word.set == set else { continue }
            visit(ids[index])
        }
    }
}
