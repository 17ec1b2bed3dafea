// SPDX-License-Identifier: MIT
// A run of one world: random requests, then everything is given back, and nothing may be left.

import Glibc
import IOASIDHeaders

extension World {
    func run(requests: Int) {
        for _ in 0..<requests {
            guard !choices.isAtEnd else { break }
            if isAlone, choices.once(in: 16) { failing = 1 + choices.below(4) }
            // At 64 deep requests are refused or put off, of which the model knows nothing.
            isDeep = choices.once(in: 64)
            nestedLeft = isDeep ? 300 : 50
            request()
            failing = 0
            if choices.once(in: 32) { compareAll() }
        }
        end()
    }

    // MARK: What is asked

    private func anyID() -> UInt32 {
        let id = choices.below(Self.window + 1)
        return id == Self.window ? none : base + UInt32(id)
    }

    /// Mostly a live set. NULL is the system set, which a world that is not alone leaves alone.
    private func anySet() -> SetHandle? {
        switch choices.below(12) {
        case 0: return stale ?? SetHandle(bitPattern: 0x1000)
        case 1: return SetHandle(bitPattern: 0x1001 + choices.below(200))
        case 2 where isAlone: return nil
        case 3 where isAlone: return declared.handle
        case 4: return anyAddress()
        default:
            let owned = sets.filter { $0.kind == .owned && $0.handle != nil }
            return owned.isEmpty ? SetHandle(bitPattern: 0x1000) : choices.pick(owned).handle
        }
    }

    /// To check against: mostly the set of the id, or none.
    private func owner(_ id: UInt32) -> SetHandle? {
        switch choices.below(4) {
        case 0: return nil
        case 1: return anySet()
        default: return index(id).flatMap { ids[$0].set.handle }
        }
    }

    private func anyRange() -> (UInt32, UInt32) {
        switch choices.below(4) {
        case 0:
            let id = base + UInt32(choices.below(Self.window))
            return (id, id)
        case 1:
            let first = base + UInt32(choices.below(Self.window))
            return (first, base + UInt32(choices.below(Self.window)))
        case 2 where isAlone: return (0, none)
        default: return (base, base + UInt32(Self.window - 1))
        }
    }

    private func anyData() -> UInt { UInt(choices.below(3)) << 12 }

    /// One random request; also from handlers.
    func request() {
        let id = anyID()
        let subscriber = choices.pick(subscribers)
        switch choices.below(50) {
        case 0..<8:
            let set = anySet()
            let (min, max) = anyRange()
            // Who allocates in a set that is being swept may be swept, or not.
            guard !operations.contains(where: { $0.swept != nil && $0.swept?.handle == set }) else {
                return
            }
            if choices.once(in: 8) {
                allocByAddress(anyAddress(), min, max, anyData())
            } else {
                alloc(set, min, max, anyData())
            }
        case 8..<11: free(owner(id), id)
        case 11: freeWait(owner(id), id)
        case 12..<16: get(owner(id), id)
        case 16..<21: put(owner(id), id)
        case 21..<24: attachSPID(id, choices.once(in: 6) ? none : UInt32(choices.below(6)))
        case 24: detachSPID(id)
        case 25:
            notify(
                id, choices.pick([IOASID_NOTIFY_BIND, IOASID_NOTIFY_UNBIND]),
                isAlone ? UInt32(choices.below(4)) : 2)
        case 26: notify(id, choices.pick([IOASID_NOTIFY_ALLOC, IOASID_NOTIFY_FREE]), 2)
        case 27: findBySPID(anySet(), UInt32(choices.below(6)), get: true)
        case 28: attachData(id, anyData())
        case 29: attachFirstData(id, anyData())
        case 30, 31:
            guard sets.count < 7 else { return }
            let types = [IOASID_SET_TYPE_NULL, IOASID_SET_TYPE_NULL, IOASID_SET_TYPE_MM]
            let type = choices.once(in: 16) ? 9 : CInt(choices.pick(types).rawValue)
            setAlloc(anyToken(), UInt32(choices.below(8)), type)
        case 32: adjust(anySet(), CInt(choices.below(10)) - 1)
        case 33: setGet(anySet())
        case 34: if choices.once(in: 3) { setPutWait(anySet()) } else { setPut(anySet()) }
        case 35: setFree(anySet())
        case 36: freeAll(anySet())
        case 37, 38:
            subscriber.priority = CInt(choices.below(4))
            register(isAlone && choices.once(in: 3) ? nil : subscribable(), subscriber)
        case 39: unregister(isAlone && choices.once(in: 3) ? nil : subscribable(), subscriber)
        case 40:
            registerWithReplay(isAlone && choices.once(in: 3) ? nil : subscribable(), subscriber)
        case 41: registerMM(anyToken(), subscriber)
        case 42: unregisterMM(anyToken(), subscriber)
        case 43: findMMSet(anyToken())
        case 44:
            guard isAlone else { return walk(anySet()) }
            if choices.once(in: 2) {
                registerReclaim(subscriber)
            } else {
                unregisterReclaim(subscriber)
            }
        case 45:
            guard isAlone else { return walk(anySet()) }
            if choices.once(in: 2) {
                reserve(UInt32(choices.below(6)))
            } else {
                cancel(UInt32(choices.below(4)))
            }
        case 46: if isAlone { requestOfRanges() }
        case 47:
            // While nothing is left, which is seldom.
            if isAlone { installCapacity(choices.pick([Self.usualCapacity, Self.window, 7, 0])) }
        case 48: if isAlone, choices.once(in: 8) { reset() }
        default:
            guard isAlone else { return }
            let which = choices.below(3)
            if choices.once(in: 2) { registerAllocator(which) } else { unregisterAllocator(which) }
        }
    }

    /// One that causes an event if it can, so that handlers are deep in each other.
    func requestOfWhichIsTold() {
        let inUse = ids.indices.filter { ids[$0].state == .active }
        guard let index = inUse.isEmpty ? nil : choices.pick(inUse), !choices.once(in: 3) else {
            return request()
        }
        let id = base + UInt32(index)
        if choices.once(in: 4) {
            free(nil, id)
        } else {
            attachSPID(id, ids[index].spid == none ? UInt32(choices.below(64)) : none)
        }
    }

    private func requestOfRanges() {
        let first = choices.below(Self.window)
        let last = first - 1 + choices.below(6)
        let (min, max) = (UInt32(first), UInt32(Swift.max(0, last)))
        if choices.once(in: 2) { reserveRange(min, max) } else { cancelRange(min, max) }
    }

    /// NULL would be all.
    private func subscribable() -> SetHandle? { anySet() ?? declared.handle }

    /// Never followed; a world has its own.
    private func anyToken() -> UInt { token(choices.below(5)) }

    private func token(_ which: Int) -> UInt {
        which == 0 ? 0 : UInt(base) << 16 | UInt(which) << 12
    }

    /// Of a set of mainline's kind: never followed.
    private func anyAddress() -> SetHandle? {
        SetHandle(bitPattern: UInt(base) << 16 | UInt(0x8000 + choices.below(2) * 64))
    }

    // MARK: The end

    private func end() {
        for subscriber in subscribers {
            for set in sets where set.kind != .system { unregister(set.handle, subscriber) }
            for token in 0..<5 { unregisterMM(self.token(token), subscriber) }
            guard isAlone else { continue }
            unregister(nil, subscriber)
            unregisterReclaim(subscriber)
        }
        for index in ids.indices {
            let id = base + UInt32(index)
            free(nil, id)
            for _ in 0..<ids[index].references { put(nil, id) }
            if ids[index].state != .free { fail("id \(id) does not go") }
        }
        for set in sets where set.kind == .owned {
            for _ in 0..<set.references { setPut(set.handle) }
        }
        compareAll()
        guard isAlone else { return }
        for which in 0..<3 { unregisterAllocator(which) }
        cancel(UInt32(heldBack))
        for number in isSetAside.indices where isSetAside[number] {
            cancelRange(UInt32(number), UInt32(number))
        }
        installCapacity(Self.usualCapacity)
        var stats = ioasid_stats()
        ioasid_get_stats(&stats)
        compare("live ids", Int(stats.live), 0)
        compare("FREE_PENDING ids", Int(stats.pending), 0)
        compare("sets", Int(stats.sets), 0)
        compare("dying sets", Int(stats.dying), 0)
        compare("subscribers", Int(stats.subscribers), 0)
        compare("available", Int(stats.available), capacity)
    }
}
