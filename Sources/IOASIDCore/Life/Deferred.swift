// SPDX-License-Identifier: MIT
// Ends that were put off, because they came too deep inside callbacks: the outermost call does them.

import IOASIDMemory
import Synchronization

/// Two queues that need no memory: an id that ends has left the index of SPIDs, and lends its chain;
/// a set that ends lends its link. The last one points at itself, so that a link which is not zero
/// says that something is queued.
///
/// What is put off:
/// - an id that is FREE_PENDING and of which nobody was told: FREE is told later, and the
///   allocator's own reference, which it keeps until then, dropped;
/// - an id without references that its custom allocator has not yet got back;
/// - a set that is dying: its ids are freed later.
enum Deferred {
    private static let firstID = Cell<UInt32>(0)
    private static let lastID = Cell<UInt32>(0)
    private static let firstSet = Cell<UInt32>(0)
    private static let lastSet = Cell<UInt32>(0)

    /// In the child of fork(), until the first request has finished what the parent's threads had
    /// begun.
    static let isOfParent = Cell<UInt32>(0)

    static var isWaiting: Bool { firstID.value | firstSet.value != 0 }

    private static func note() { Attention.set(Attention.deferred, isWaiting) }

    // MARK: Ids

    static func append(_ one: Incarnation) {
        let link = one.id.rawValue &+ 1
        one.ref.links.pointee.chain.release(link)
        if let last = IDTable.links(of: ID(rawValue: lastID.value &- 1)), firstID.value != 0 {
            last.pointee.chain.release(link)
        } else {
            firstID.value = link
        }
        lastID.value = link
        note()
    }

    /// Is this FREE_PENDING id queued?
    static func contains(_ one: Incarnation) -> Bool { one.ref.links.pointee.chain.value != 0 }

    static func popID() -> ID? {
        let link = firstID.value
        guard link != 0 else { return nil }
        let id = ID(rawValue: link &- 1)
        guard let links = IDTable.links(of: id) else { return nil }
        firstID.value = link == lastID.value ? 0 : links.pointee.chain.value
        links.pointee.chain.release(0)
        note()
        return id
    }

    // MARK: Sets

    static func append(_ set: SetNumber) {
        let link = set.rawValue &+ 1
        SetTable[set].pointee.nextEnding = link
        if firstSet.value != 0 {
            SetTable[SetNumber(rawValue: lastSet.value &- 1)].pointee.nextEnding = link
        } else {
            firstSet.value = link
        }
        lastSet.value = link
        note()
    }

    static func popSet() -> SetNumber? {
        let link = firstSet.value
        guard link != 0 else { return nil }
        let set = SetNumber(rawValue: link &- 1)
        firstSet.value = link == lastSet.value ? 0 : SetTable[set].pointee.nextEnding
        SetTable[set].pointee.nextEnding = 0
        note()
        return set
    }

    static func forEachSet(_ body: (SetNumber) -> Void) {
        var link = firstSet.value
        while link != 0 {
            let set = SetNumber(rawValue: link &- 1)
            body(set)
            link = link == lastSet.value ? 0 : SetTable[set].pointee.nextEnding
        }
    }
}

extension Core {
    /// With the lock, outside all callbacks.
    static func finishDeferred(_ out: CallOut) {
        while true {
            if let id = Deferred.popID() {
                if let one = IDTable.incarnation(of: id) { finishFreeing(one, out) }
            } else if let set = Deferred.popSet() {
                finishEnding(set, out)
            } else {
                Deferred.isOfParent.value = 0
                return
            }
            Trace.flush()
        }
    }
}
