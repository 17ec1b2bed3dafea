// SPDX-License-Identifier: MIT
// An end to everything that is left, for tests and fuzzers that start over.

import CIOASIDCore
import IOASIDMemory
import IOASIDRuntime
import Synchronization

extension Core {
    /// How many ids, sets, subscribers and allocators there are.
    static var leftOver: UInt64 {
        Population.live &+ SetPopulation.live.value &+ SetPopulation.gone.value
            &+ Subscriber.count.value &+ UInt64(Allocators.count)
    }

    /// Everything goes the way it always goes, but for those who would be told or asked: they leave
    /// first, since their code may be gone. Takes the lock itself.
    /// - Parameter out: where it is written what was left.
    /// - Returns: how much was left.
    package static func reset(_ out: UnsafeMutablePointer<FILE>?) throws(RequestError) -> CInt {
        guard !CoreLock.isInCallback else {
            throw RequestError.busy.because("in a callback or a read-side section")
        }
        if let out { try Dump.write(out, cio_dump_leaks) }
        return CallOut.withLock { out in
            let left = CInt(clamping: leftOver)
            Subscribers.dismissAll()
            Allocators.unregisterAll()
            finishDeferred(out)
            SetTable.forEach { endIDs(of: $0, out) }
            SetTable.forEach { endSet($0, out) }
            SetAside.removeAll()
            Quota.reset()
            return left
        }
    }

    /// The last id may take its set with it, so the set is not asked how many are left.
    private static func endIDs(of set: SetNumber, _ out: CallOut) {
        for _ in 0..<SetTable[set].pointee.count {
            let active = SetTable[set].pointee.active.first
            let first = active != .invalid ? active : SetTable[set].pointee.pending.first
            guard let one = IDTable.incarnation(of: first) else { return }
            try? freeLoudly(nil, one.id, out)
            while one.isCurrent, one.ref.word.references != 0 { drop(one, out) }
            Trace.flush()
        }
    }

    /// The system set and declared ones stay, without their names.
    private static func endSet(_ set: SetNumber, _ out: CallOut) {
        if SetTable.isOwned(set) {
            SetTable[set].pointee.references.value = 1
            SetTable[set].pointee.isReleased = false
            try? releaseSet(SetTable.handle(set), out)
            Trace.flush()
        } else if SetTable[set].pointee.name != 0 {
            SetNames.forget(set)
        }
    }
}
