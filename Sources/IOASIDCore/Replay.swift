// SPDX-License-Identifier: MIT
// What a late subscriber has missed: as the events that tell of what exists.

import CIOASID
import CIOASIDCore
import CIOASIDRuntime
import IOASIDMemory
import IOASIDRuntime
import Synchronization

/// Where a replay has got to. To be discarded.
///
/// Whoever changes something settles first. Only the handler that is told the rest of its replay
/// that way can change something while the replay lasts: then see `isAhead`.
package struct Replay {
    private let ids: Snapshot
    private var index = 0
    /// ALLOC of the present id was told; was it bound then? Later BINDs are told as they happen.
    private var isAllocTold = false
    private var wasBound = false
    /// The next set to tell of; nil when there are no more.
    private var set: UInt32?

    /// Takes the place of the event in a delivery that is a replay.
    package static var nothing: Event {
        Event(what: IOASID_NOTIFY_ALLOC, id: noID, spid: noID, set: 0, data: nil)
    }

    /// Of a set; or, for nil, of all sets and their ids. `next` leaves out what is FREE_PENDING.
    package init(of set: UInt32?) throws(Refusal) {
        if let set {
            ids = try Snapshot(of: set)
        } else {
            ids = try Snapshot(ofAllActive: ())
            self.set = SetTable.next(from: SetTable.system)
        }
    }

    package func discard() { ids.discard() }

    /// - Returns: the next event; nil when all is told.
    package mutating func next() -> Event? {
        while let set {
            self.set = SetTable.next(from: set &+ 1)
            if Core.isOwned(set) { return Core.event(IOASID_NOTIFY_SET_ALLOC, set) }
        }
        while index < ids.count {
            let id = ids[index]
            let life = ids.isLive(index) ? IDTable.life(id) : nil
            if let life, life.word.isActive, !isAllocTold {
                isAllocTold = true
                wasBound = life.word.isBound
                return Core.event(IOASID_NOTIFY_ALLOC, id, life)
            }
            isAllocTold = false
            index &+= 1
            if let life, wasBound, life.word.isBound {
                return Core.event(IOASID_NOTIFY_BIND, id, life)
            }
        }
        return nil
    }

    /// Will this id be told of yet? Then what happens to it meanwhile need not be: the replay tells
    /// how it stands when its turn comes.
    package func isAhead(_ id: UInt32) -> Bool {
        guard let place = ids.index(of: id), ids.isLive(place) else { return false }
        return place > index || place == index && !isAllocTold
    }
}

extension Core {
    /// Subscribes, and tells what exists, in one go: the lock is held from first to last.
    package static func subscribeWithReplay(_ handle: SetHandle?, _ block: Block?) throws(Refusal) {
        Delivery.settle()
        try Delivery.checkDepth()
        guard SetTable.prepare() else { throw .memory }
        var replay = try Replay(of: handle == nil ? nil : try liveSet(handle))
        defer { replay.discard() }
        let new = try subscribe(handle, block)
        withUnsafeMutablePointer(to: &replay) { Delivery.send($0, to: new) }
    }
}
