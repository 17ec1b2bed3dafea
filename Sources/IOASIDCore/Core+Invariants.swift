// SPDX-License-Identifier: MIT
// What must hold whenever nobody has the core lock. Checked in checking builds, as the lock is left.

#if IOASID_CHECKS
import CIOASID
import CIOASIDCore
import CIOASIDRuntime
import IOASIDMemory
import IOASIDRuntime
import Synchronization

extension Core {
    private static let credit = Cell<UInt64>(0)

    /// Checks everything, as often as 16 ids or sets looked at for each call allow.
    @inline(never)
    package static func checkInvariants() {
        credit.value = credit.value &+ 16
        let cost = Population.live &+ UInt64(SetTable.count)
        guard credit.value >= cost else { return }
        credit.value = 0
        var ids: UInt64 = 0
        var pending: UInt64 = 0
        var charges = Capacity.heldBackByHand
        var set = SetTable.count == 0 ? nil : SetTable.next(from: SetTable.system)
        while let one = set {
            let record = SetTable[one]
            let activeHere = check(record.pointee.active, of: one, arePending: false)
            let pendingHere = check(record.pointee.pending, of: one, arePending: true)
            check(activeHere &+ pendingHere == record.pointee.count, "a set counts its ids")
            check(
                record.pointee.quota == 0 || record.pointee.count <= record.pointee.quota,
                "a set keeps to its quota")
            check(
                record.pointee.state.value != SetState.dead || record.pointee.count != 0,
                "a dead set without ids is buried")
            ids &+= UInt64(record.pointee.count)
            pending &+= UInt64(pendingHere)
            charges &+= record.pointee.charge
            set = SetTable.next(from: one &+ 1)
        }
        check(ids == Population.live, "all ids are of some set")
        check(pending == Population.pending.value, "pending ids are counted")
        check(charges == Capacity.value &- Capacity.available, "the capacity adds up")
    }

    /// - Returns: how many ids are on a list.
    private static func check(_ list: IDList, of set: UInt32, arePending: Bool) -> UInt32 {
        var count: UInt32 = 0
        var previous = noID
        var id = list.first
        while id != noID {
            guard let life = IDTable.life(id) else {
                check(false, "a member of a set is in use")
                return count
            }
            let links = life.entry.links
            check(life.word.set == set, "a member's word names its set")
            check(life.word.isPending == arePending, "a member is on the list of its state")
            check(life.word.references != 0, "a member has references")
            check(links.pointee.previous == previous, "a list is linked both ways")
            if !arePending, links.pointee.spid.value != noID {
                check(SPIDs.find(set, links.pointee.spid.value)?.id == id, "an SPID is found")
            }
            previous = id
            id = links.pointee.next
            count &+= 1
        }
        check(list.last == previous, "a list knows its last member")
        return count
    }

    private static func check(_ holds: Bool, _ invariant: StaticString) {
        guard !holds else { return }
        cio_broken(invariant.cString)
    }
}
#endif
