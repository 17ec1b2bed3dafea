// SPDX-License-Identifier: MIT
// What must hold whenever nobody has the core lock. Checked in checking builds, as the lock is left.

#if IOASID_CHECKS
import CIOASIDCore
import IOASIDMemory
import IOASIDRuntime
import Synchronization

func check(_ holds: Bool, _ invariant: StaticString) {
    guard !holds else { return }
    cio_broken(invariant.cString)
}

extension Core {
    private static let credit = Cell<UInt64>(0)
    private static let calls = Cell<UInt64>(0)

    /// Checks everything, as often as 16 ids or sets looked at for each call allow. Programs that
    /// call millions of times have to come to an end: later calls allow less.
    @inline(never)
    static func checkInvariants() {
        calls.increment()
        let isLate = calls.value > 1 << 15
        credit.value = credit.value &+ (isLate ? 1 : 16)
        let cost = Population.live &+ UInt64(SetTable.count)
        guard credit.value >= max(cost, isLate ? 64 : 0) else { return }
        credit.value = 0
        guard Deferred.isOfParent.value == 0 else { return }
        check(!Deferred.isWaiting, "nothing is put off when the outermost call ends")
        check(Delivery.innermost == nil, "no event is being told when nobody has the lock")
        var sum = Sum()
        SetTable.forEach { sum.add($0) }
        check(sum.ids == Population.live, "all ids are of some set")
        check(sum.pending == Population.pending.value, "pending ids are counted")
        check(
            sum.charges &+ Quota.heldBackByHand &+ SetAside.count
                == Quota.capacity &- Quota.available,
            "the capacity adds up")
        check(sum.withSPID == SPIDIndex.count, "the index has the ACTIVE ids with an SPID")
        check(sum.withToken == SetTokens.count, "the index has the live sets with a token")
        check(sum.declared == DeclaredSets.count, "the index has the declared sets")
        checkBitmap(sum)
    }

    /// A bit is taken exactly if the id is in use, or set aside.
    private static func checkBitmap(_ sum: Sum) {
        var taken: UInt32 = 0
        var next = FlatIDs.nextTaken(from: 0)
        while let number = next {
            taken &+= 1
            next = FlatIDs.nextTaken(from: number &+ 1)
        }
        check(
            taken == sum.belowCapacity &+ SetAside.count, "a number taken is in use or set aside")
        check(CustomIDs.takenCount == IDTable.customCount, "a record is taken for an id, or free")
    }

    /// What the lists of all sets have.
    private struct Sum {
        var ids: UInt64 = 0
        var pending: UInt64 = 0
        var charges: UInt32 = 0
        var withSPID: UInt32 = 0
        var withToken: UInt32 = 0
        var declared: UInt32 = 0
        var belowCapacity: UInt32 = 0

        mutating func add(_ set: SetNumber) {
            let record = SetTable[set]
            let active = walk(record.pointee.active, of: set, arePending: false)
            let pending = walk(record.pointee.pending, of: set, arePending: true)
            check(active &+ pending == record.pointee.count, "a set counts its ids")
            check(
                record.pointee.quota == 0 || record.pointee.count <= record.pointee.quota,
                "a set keeps to its quota")
            check(
                record.pointee.isLive || record.pointee.state == CIO_SET_DEAD,
                "no set is dying when nobody has the lock")
            check(
                record.pointee.state == CIO_SET_LIVE || record.pointee.count != 0,
                "a dead or lent set without ids is released")
            checkOrder(record)
            ids &+= UInt64(record.pointee.count)
            self.pending &+= UInt64(pending)
            charges &+= record.pointee.charge
            if record.pointee.isLive, record.pointee.token.value != 0 { withToken &+= 1 }
            if record.pointee.declared.value != 0 { declared &+= 1 }
        }

        private func checkOrder(_ record: SetRef) {
            var next = record.pointee.subscribers.first
            while let one = next, let later = one.pointee.next {
                check(one.pointee.precedes(later), "subscribers are in the order of priorities")
                next = later
            }
        }

        /// - Returns: how many ids are on a list.
        private mutating func walk(
            _ list: MemberList, of set: SetNumber, arePending: Bool
        ) -> UInt32 {
            var count: UInt32 = 0
            var previous = ID.invalid
            var id = list.first
            while id != .invalid {
                guard let one = IDTable.incarnation(of: id) else {
                    check(false, "a member of a set is in use")
                    return count
                }
                let links = one.ref.links
                check(one.word.set == set, "a member's word names its set")
                check(one.word.isPending == arePending, "a member is on the list of its state")
                check(one.word.references != 0, "a member has references")
                check(links.pointee.previous == previous, "a list is linked both ways")
                if !arePending, links.pointee.spid != .none {
                    withSPID &+= 1
                    let found = SPIDIndex.find(links.pointee.spid, in: set)
                    check(found?.id == id, "an SPID is found")
                }
                if id.rawValue < IDTable.capacity {
                    belowCapacity &+= 1
                    check(FlatIDs.isTaken(id.rawValue), "a number in use is taken")
                }
                previous = id
                id = links.pointee.next
                count &+= 1
            }
            check(list.last == previous, "a list knows its last member")
            return count
        }
    }
}
#endif
