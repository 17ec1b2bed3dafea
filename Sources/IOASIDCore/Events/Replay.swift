// SPDX-License-Identifier: MIT
// What a late subscriber has missed: as the events that tell of what exists.

@preconcurrency import CIOASIDCore
import IOASIDMemory
import IOASIDRuntime

/// Where a replay has got to: first sets in the order of their numbers, then ids.
///
/// Whoever changes something flushes first. Only the handler that is told the rest of its replay
/// that way can change something while the replay lasts: then see `willTell`.
struct Replay: ~Copyable {
    private let ids: Snapshot
    private var index = 0
    /// ALLOC of the present id was told; was it bound then? Later BINDs are told as they happen.
    private var isAllocTold = false
    private var wasBound = false
    /// The next set to tell of; nil when there are no more.
    private var set: SetNumber?

    /// Of a set; or, for nil, of all sets and their ids. What is FREE_PENDING is left out.
    init(of set: SetNumber?) throws(RequestError) {
        if let set {
            ids = try Snapshot(of: set)
        } else {
            ids = try Snapshot(ofAllActive: ())
            self.set = SetTable.system
        }
    }

    /// - Returns: the next event; nil when all is told.
    mutating func next() -> Event? { nextSet() ?? nextID() }

    private mutating func nextSet() -> Event? {
        while let from = set {
            guard let set = SetTable.next(from: from) else {
                self.set = nil
                return nil
            }
            self.set = set.next
            if SetTable.isOwned(set) { return Event(IOASID_NOTIFY_SET_ALLOC, set) }
        }
        return nil
    }

    private mutating func nextID() -> Event? {
        while index < ids.count {
            let one = ids.incarnation(index)
            if let one, one.word.isAlive, !isAllocTold {
                isAllocTold = true
                wasBound = one.word.isBound
                return Event(IOASID_NOTIFY_ALLOC, one)
            }
            isAllocTold = false
            index &+= 1
            if let one, wasBound, one.word.isBound { return Event(IOASID_NOTIFY_BIND, one) }
        }
        return nil
    }

    /// Is the turn of the event's set or id still to come? Then what happens to it meanwhile is not
    /// told: the replay tells how it stands when its turn comes.
    func willTell(_ event: Event) -> Bool {
        if let set, event.set.rawValue >= set.rawValue { return true }
        guard event.id != .invalid, let place = ids.index(of: event.id),
            ids.incarnation(place) != nil
        else { return false }
        return place > index || place == index && !isAllocTold
    }
}
