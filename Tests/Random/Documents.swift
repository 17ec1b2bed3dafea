// SPDX-License-Identifier: MIT
// What the documents say: how ids and sets live and end, and who is told. Nothing here calls the
// library.

import Glibc
import IOASIDHeaders

extension World {
    // MARK: Looking up

    func isOurs(_ id: UInt32) -> Bool { id >= base && id < base + UInt32(Self.window) }

    func index(_ id: UInt32) -> Int? {
        guard isOurs(id), ids[Int(id - base)].state != .free else { return nil }
        return Int(id - base)
    }

    func liveSet(_ handle: SetHandle?) -> SetModel? {
        sets.first {
            $0.state == .live && $0.handle == handle && ($0.kind == .system) == (handle == nil)
        }
    }

    func ownedSet(_ handle: SetHandle?) -> SetModel? {
        liveSet(handle).flatMap { $0.kind == .owned ? $0 : nil }
    }

    /// NULL does not check.
    func isOwner(_ handle: SetHandle?, _ index: Int) -> Bool {
        handle == nil || ids[index].set.handle == handle
    }

    func bySPID(_ spid: UInt32, in set: SetModel) -> Int? {
        ids.firstIndex { $0.state == .active && $0.set === set && $0.isIndexed && $0.spid == spid }
    }

    func isSameLife(_ index: Int, _ life: Int) -> Bool {
        ids[index].state != .free && ids[index].life == life
    }

    // MARK: Telling

    struct Audience: OptionSet {
        let rawValue: UInt32
        static let all = Audience(rawValue: UInt32(IOASID_NOTIFY_FLAG_ALL))
        static let set = Audience(rawValue: UInt32(IOASID_NOTIFY_FLAG_SET))
    }

    /// By priority, highest first; then as registered.
    func send(_ event: EventModel, to audience: Audience) {
        var recipients = audience.contains(.all) ? toAll : []
        if audience.contains(.set) { recipients += event.set.subscriptions }
        send(event, to: recipients)
    }

    func send(_ event: EventModel, to recipients: [Subscription]) {
        let sorted = recipients.sorted {
            ($1.priority, $0.sequence) < ($0.priority, $1.sequence)
        }
        for one in sorted { calls.append(.handler(event, one)) }
    }

    func event(_ what: ioasid_notify_val, _ index: Int, isReplay: Bool = false) -> EventModel {
        let id = ids[index]
        return EventModel(
            what, id.set, id: base + UInt32(index), spid: id.spid, data: id.data, isReplay: isReplay
        )
    }

    /// Whoever leaves hears no more.
    func forget(_ subscription: Subscription) {
        calls.removeAll {
            if case .handler(_, let one) = $0 { return one === subscription }
            return false
        }
    }

    // MARK: Ids

    func charge(_ set: SetModel) -> Bool {
        if set.quota == 0 {
            guard available >= 1 else { return false }
            taken += 1
        } else if set.count >= set.quota {
            return false
        }
        set.count += 1
        return true
    }

    func uncharge(_ set: SetModel) {
        set.count -= 1
        if set.quota == 0 { taken -= 1 }
        guard set.count == 0 else { return }
        if set.state == .dead { release(set) }
        if set.kind == .lent { forgetLent(set) }
    }

    func lowestFree(_ min: UInt32, _ max: UInt32) -> Int? {
        (0..<Swift.min(Self.window, capacity)).first {
            ids[$0].state == .free && !isSetAside[$0] && base + UInt32($0) >= min
                && base + UInt32($0) <= max
        }
    }

    func create(_ index: Int, _ set: SetModel, _ data: UInt, _ group: GroupModel?) {
        lives += 1
        ids[index] = IDModel(
            state: .active, life: lives, set: set, references: 1, data: data, group: group)
        group?.uses += 1
    }

    /// FREE to all and the set, then the allocator's reference is dropped.
    func retire(_ index: Int, _ operation: Operation, _ after: @escaping () -> Void) {
        let life = ids[index].life
        let free = event(IOASID_NOTIFY_FREE, index)
        ids[index].isIndexed = false
        ids[index].isBound = false
        ids[index].state = .pending
        send(free, to: [.all, .set])
        operation.then { [self] in
            // A handler may have put this reference too.
            guard isSameLife(index, life), ids[index].references != 0 else { return after() }
            drop(index, operation, after)
        }
    }

    func drop(_ index: Int, _ operation: Operation, _ after: @escaping () -> Void) {
        ids[index].references -= 1
        guard ids[index].references == 0 else { return after() }
        reclaim(index, operation, after)
    }

    /// The number returns to whom it came from; then RECLAIM.
    private func reclaim(_ index: Int, _ operation: Operation, _ after: @escaping () -> Void) {
        let event = event(IOASID_NOTIFY_RECLAIM, index)
        let id = ids[index]
        if let group = id.group, !group.allocators.isEmpty {
            calls.append(.free(base + UInt32(index), group))
        }
        operation.then(
            { [self] in
                ids[index].state = .free
                if let group = id.group {
                    group.uses -= 1
                    forgetIfUnused(group)
                }
                uncharge(id.set)
                send(event, to: toReclaims)
            }, after)
    }

    // MARK: Sets

    /// Frees what the set has: no more ids than there were. The documents do not say in which order;
    /// it is the oldest first.
    func sweep(_ set: SetModel, _ operation: Operation, _ after: @escaping () -> Void) {
        sweep(set, set.count, operation, after)
    }

    private func sweep(
        _ set: SetModel, _ left: Int, _ operation: Operation, _ after: @escaping () -> Void
    ) {
        let members = ids.indices.filter { ids[$0].state == .active && ids[$0].set === set }
        let oldest = members.min { ids[$0].life < ids[$1].life }
        guard left != 0, set.state != .gone, let oldest else { return after() }
        retire(oldest, operation) { [self] in
            operation.then { [self] in sweep(set, left - 1, operation, after) }
        }
    }

    func dropReference(
        of set: SetModel, _ operation: Operation, _ after: @escaping () -> Void = {}
    ) {
        set.references -= 1
        guard set.references == 0 else { return after() }
        set.state = .dying
        operation.swept = set
        operation.then { [self] in
            sweep(set, operation) { [self] in
                detachSubscribers(set)
                send(EventModel(IOASID_NOTIFY_SET_FREE, set), to: .all)
                operation.then { [self] in
                    set.state = .dead
                    if set.count == 0 { release(set) }
                    after()
                }
            }
        }
    }

    /// Who came by its mm waits for the next set, or goes to it if it is there already.
    private func detachSubscribers(_ set: SetModel) {
        set.subscriptions.forEach(forget)
        let staying = set.subscriptions.filter { $0.mm != 0 }
        set.subscriptions = []
        if let next = mmSet(set.token) { next.subscriptions += staying } else { waiting += staying }
    }

    func mmSet(_ mm: UInt) -> SetModel? {
        sets.first {
            $0.kind == .owned && $0.state == .live && $0.type == IOASID_SET_TYPE_MM
                && $0.token == mm
        }
    }

    /// An address is a set for as long as it has ids.
    func forgetLent(_ set: SetModel) {
        set.subscriptions.forEach(forget)
        set.state = .gone
        sets.removeAll { $0 === set }
    }

    /// The last id is reclaimed: the quota returns.
    private func release(_ set: SetModel) {
        taken -= set.quota
        set.state = .gone
        sets.removeAll { $0 === set }
        // Another world's, perhaps.
        if isAlone { stale = set.handle }
    }

    // MARK: SPIDs

    /// Nothing if it is not bound.
    func unbind(_ index: Int, to audience: Audience = .set) {
        guard ids[index].isBound else { return }
        ids[index].isBound = false
        send(event(IOASID_NOTIFY_UNBIND, index), to: audience)
    }

    @discardableResult
    func bind(_ index: Int, to audience: Audience) -> EventModel {
        ids[index].isBound = true
        let event = event(IOASID_NOTIFY_BIND, index)
        send(event, to: audience)
        return event
    }

    // MARK: Custom allocators

    func forgetIfUnused(_ group: GroupModel) {
        if group.allocators.isEmpty, group.uses == 0 { groups.removeAll { $0 === group } }
    }
}
