// SPDX-License-Identifier: MIT
// Each request twice: by the documents, and by the library.

import Glibc
import IOASIDHeaders

private func error(_ errno: CInt) -> Int { -Int(errno) }
private func pointer(_ data: UInt) -> UnsafeMutableRawPointer? {
    UnsafeMutableRawPointer(bitPattern: data)
}

// MARK: Ids

extension World {
    /// For a set that is any address.
    func allocByAddress(_ handle: SetHandle?, _ min: UInt32, _ max: UInt32, _ data: UInt) {
        if let handle, liveSet(handle) == nil {
            sets.append(SetModel(.lent, handle, type: IOASID_SET_TYPE_NULL, quota: 0))
        }
        alloc(handle, min, max, data, by: ioasid_alloc_by_address)
        if let set = liveSet(handle), set.kind == .lent, set.count == 0 { forgetLent(set) }
    }

    func alloc(
        _ handle: SetHandle?, _ min: UInt32, _ max: UInt32, _ data: UInt,
        by library: @escaping (SetHandle?, UInt32, UInt32, UnsafeMutableRawPointer?) -> UInt32 =
            ioasid_alloc
    ) {
        perform("alloc(\(text(handle)), \(min), \(max))") { [self] operation in
            operation.result = Int(none)
            guard let set = liveSet(handle), min <= max, charge(set) else { return }
            if let group = active {
                calls.append(.allocate(operation, group, min, max))
                operation.then { [self] in
                    accept(UInt32(operation.result), set, min, max, data, group, operation)
                }
            } else if let index = lowestFree(min, max) {
                hand(index, set, data, nil, operation)
            } else {
                uncharge(set)
            }
        } _: {
            Int(library(handle, min, max, pointer(data)))
        }
    }

    private func hand(
        _ index: Int, _ set: SetModel, _ data: UInt, _ group: GroupModel?, _ operation: Operation
    ) {
        create(index, set, data, group)
        let life = ids[index].life
        send(event(IOASID_NOTIFY_ALLOC, index), to: .set)
        operation.then { [self] in
            let isThere = isSameLife(index, life) && ids[index].state == .active
            operation.result = Int(isThere ? base + UInt32(index) : none)
        }
    }

    /// What a custom allocator picked.
    private func accept(
        _ id: UInt32, _ set: SetModel, _ min: UInt32, _ max: UInt32, _ data: UInt,
        _ group: GroupModel, _ operation: Operation
    ) {
        if id != none, isOurs(id), id >= min, id <= max, index(id) == nil,
            !isSetAside[Int(id - base)]
        {
            return hand(Int(id - base), set, data, group, operation)
        }
        operation.result = Int(none)
        // What is of no use goes back, unless it is a live id of its own.
        if id != none, index(id).map({ ids[$0].group !== group }) ?? true {
            calls.append(.free(id, group))
        }
        uncharge(set)
    }

    func free(_ handle: SetHandle?, _ id: UInt32) {
        perform("free(\(text(handle)), \(id))") { [self] operation in
            guard let index = index(id), isOwner(handle, index), ids[index].state == .active
            else { return }
            retire(index, operation) {}
        } _: {
            ioasid_free(handle, id)
            return 0
        }
    }

    /// Frees, and says whether the number is back. Not in callbacks.
    func freeWait(_ handle: SetHandle?, _ id: UInt32) {
        let name = "free_wait(\(text(handle)), \(id))"
        guard operations.isEmpty else {
            return answer(name) {
                error(EDEADLK)
            } _: {
                Int(ioasid_free_wait(handle, id, 0))
            }
        }
        perform(name) { [self] operation in
            guard let index = index(id) else {
                operation.result = error(EINVAL)
                return
            }
            guard isOwner(handle, index) else {
                operation.result = error(EACCES)
                return
            }
            let life = ids[index].life
            let isGone = { [self] in
                operation.result = isSameLife(index, life) ? error(ETIMEDOUT) : 0
            }
            if ids[index].state == .active { retire(index, operation, isGone) } else { isGone() }
        } _: {
            Int(ioasid_free_wait(handle, id, 0))
        }
    }

    func get(_ handle: SetHandle?, _ id: UInt32) {
        answer("get(\(text(handle)), \(id))") {
            guard let index = index(id) else { return error(EINVAL) }
            guard ids[index].state == .active else { return error(EBUSY) }
            guard isOwner(handle, index) else { return error(EACCES) }
            ids[index].references += 1
            return 0
        } _: {
            Int(ioasid_get(handle, id))
        }
    }

    /// Lock-free unless it is the last reference.
    func put(_ handle: SetHandle?, _ id: UInt32) {
        let name = "put(\(text(handle)), \(id))"
        guard let index = index(id), isOwner(handle, index), ids[index].references == 1 else {
            return answer(name) {
                guard let index = self.index(id), isOwner(handle, index),
                    ids[index].references > 1
                else { return 0 }
                ids[index].references -= 1
                return 0
            } _: {
                ioasid_put(handle, id) ? 1 : 0
            }
        }
        perform(name) { [self] operation in
            guard let index = self.index(id), isOwner(handle, index), ids[index].references != 0
            else { return }
            let life = ids[index].life
            let isGone = { [self] in operation.result = isSameLife(index, life) ? 0 : 1 }
            if ids[index].state == .pending || ids[index].references > 1 {
                drop(index, operation, isGone)
            } else {
                retire(index, operation, isGone)
            }
        } _: {
            ioasid_put(handle, id) ? 1 : 0
        }
    }

    func attachData(_ id: UInt32, _ data: UInt) {
        let isInCallback = !operations.isEmpty
        answer("attach_data(\(id))") {
            guard let index = index(id) else { return error(ENOENT) }
            let old = ids[index].data
            guard old == 0 || old == data || !isInCallback else { return error(EDEADLK) }
            ids[index].data = data
            return 0
        } _: {
            Int(ioasid_attach_data(id, pointer(data)))
        }
    }

    func attachFirstData(_ id: UInt32, _ data: UInt) {
        answer("attach_first_data(\(id))") {
            guard let index = index(id) else { return error(ENOENT) }
            guard ids[index].data == 0 else { return error(EBUSY) }
            ids[index].data = data
            return 0
        } _: {
            Int(ioasid_attach_first_data(id, pointer(data)))
        }
    }
}

// MARK: SPIDs

extension World {
    func attachSPID(_ id: UInt32, _ spid: UInt32) {
        perform("attach_spid(\(id), \(spid))") { [self] operation in
            guard spid != none else { return detach(id, operation) }
            guard let index = index(id) else {
                operation.result = error(ENOENT)
                return
            }
            guard ids[index].state == .active else {
                operation.result = error(EBUSY)
                return
            }
            if let other = bySPID(spid, in: ids[index].set), other != index {
                operation.result = error(EINVAL)
                return
            }
            let life = ids[index].life
            let bindLast = { [self] in
                if !ids[index].isBound { bind(index, to: .set) }
            }
            guard ids[index].spid != spid else { return bindLast() }
            unbind(index)
            operation.then { [self] in
                guard isSameLife(index, life), ids[index].state == .active, !ids[index].isBound,
                    bySPID(spid, in: ids[index].set) == nil
                else {
                    operation.result = error(EBUSY)
                    return
                }
                ids[index].spid = spid
                ids[index].isIndexed = true
                bindLast()
            }
        } _: {
            Int(ioasid_attach_spid(id, spid))
        }
    }

    func detachSPID(_ id: UInt32) {
        perform("detach_spid(\(id))") { [self] operation in
            detach(id, operation)
        } _: {
            Int(ioasid_detach_spid(id))
        }
    }

    private func detach(_ id: UInt32, _ operation: Operation) {
        guard let index = index(id) else {
            operation.result = error(ENOENT)
            return
        }
        guard ids[index].spid != none else { return }
        let life = ids[index].life
        unbind(index)
        operation.then { [self] in
            guard isSameLife(index, life), !ids[index].isBound else { return }
            ids[index].spid = none
            ids[index].isIndexed = false
        }
    }

    func notify(_ id: UInt32, _ what: ioasid_notify_val, _ flags: UInt32) {
        let name = "notify(\(id), \(what.rawValue), \(flags))"
        guard what == IOASID_NOTIFY_BIND || what == IOASID_NOTIFY_UNBIND, flags != 0, flags < 4
        else {
            return answer(name) {
                error(EINVAL)
            } _: {
                Int(ioasid_notify(id, what, flags))
            }
        }
        let audience = Audience(rawValue: flags)
        perform(name) { [self] operation in
            guard let index = index(id) else {
                operation.result = error(EINVAL)
                return
            }
            guard what == IOASID_NOTIFY_BIND else { return unbind(index, to: audience) }
            guard ids[index].state == .active else {
                operation.result = error(EBUSY)
                return
            }
            guard !ids[index].isBound else { return }
            let event = bind(index, to: audience)
            operation.then { operation.result = Int(notifier_to_errno(event.result)) }
        } _: {
            Int(ioasid_notify(id, what, flags))
        }
    }

    func findBySPID(_ handle: SetHandle?, _ spid: UInt32, get: Bool) {
        answer("find_by_spid(\(text(handle)), \(spid), \(get))") {
            guard let set = liveSet(handle), let index = bySPID(spid, in: set) else {
                return Int(none)
            }
            if get { ids[index].references += 1 }
            return Int(base) + index
        } _: {
            Int(
                get
                    ? ioasid_find_by_spid(handle, spid)
                    : ioasid_find_by_spid_ref(handle, spid, false))
        }
    }
}

// MARK: Sets

extension World {
    func setAlloc(_ token: UInt, _ quota: UInt32, _ type: CInt) {
        perform("set_alloc(\(token), \(quota), \(type))") { [self] operation in
            let isMM = type == CInt(IOASID_SET_TYPE_MM.rawValue)
            guard isMM || type == CInt(IOASID_SET_TYPE_NULL.rawValue), !isMM || token != 0 else {
                operation.result = error(EINVAL)
                return
            }
            let type = ioasid_set_type(UInt32(type))
            let owner = sets.first {
                $0.state == .live && $0.kind == .owned && $0.token == token && $0.type == type
            }
            guard token == 0 || owner == nil else {
                operation.result = error(EEXIST)
                return
            }
            guard quota <= CInt.max, Int(quota) <= available else {
                operation.result = error(ENOSPC)
                return
            }
            taken += Int(quota)
            let set = SetModel(.owned, nil, token: token, type: type, quota: Int(quota))
            sets.append(set)
            newest = set
            if isMM {
                set.subscriptions = waiting.filter { $0.mm == token }
                waiting.removeAll { $0.mm == token }
            }
            send(EventModel(IOASID_NOTIFY_SET_ALLOC, set), to: .all)
            operation.then { [self] in
                if set.state != .live { operation.result = error(EINVAL) } else { newest = set }
            }
        } _: {
            let handle = ioasid_set_alloc(pointer(token), quota, type)
            guard !ioasid_is_err(handle) else { return Int(bitPattern: handle) }
            created = handle
            return 0
        }
        // Nobody may have been told.
        if let handle = created {
            created = nil
            guard let set = newest, set.handle ?? handle == handle else {
                fail("set_alloc() does not return what it told of")
            }
            set.handle = handle
        }
    }

    func adjust(_ handle: SetHandle?, _ quota: CInt) {
        answer("adjust_set(\(text(handle)), \(quota))") {
            guard let set = ownedSet(handle), quota > 0, Int(quota) >= set.count else {
                return error(EINVAL)
            }
            let charge = set.quota != 0 ? set.quota : set.count
            guard Int(quota) <= charge + available else { return error(ENOSPC) }
            taken += Int(quota) - charge
            set.quota = Int(quota)
            return 0
        } _: {
            Int(ioasid_adjust_set(handle, quota))
        }
    }

    func setGet(_ handle: SetHandle?) {
        answer("set_get(\(text(handle)))") {
            ownedSet(handle)?.references += 1
            return 0
        } _: {
            ioasid_set_get(handle)
            return 0
        }
    }

    func setPut(_ handle: SetHandle?) {
        perform("set_put(\(text(handle)))") { [self] operation in
            guard let set = ownedSet(handle) else { return }
            dropReference(of: set, operation)
        } _: {
            ioasid_set_put(handle)
            return 0
        }
    }

    /// Puts, and says whether the set and all its ids are gone. Not in callbacks.
    func setPutWait(_ handle: SetHandle?) {
        let name = "set_put_wait(\(text(handle)))"
        guard operations.isEmpty else {
            return answer(name) {
                error(EDEADLK)
            } _: {
                Int(ioasid_set_put_wait(handle, 0))
            }
        }
        perform(name) { [self] operation in
            guard let set = ownedSet(handle) else {
                operation.result = error(EINVAL)
                return
            }
            dropReference(of: set, operation) {
                operation.result = set.state == .gone ? 0 : error(ETIMEDOUT)
            }
        } _: {
            Int(ioasid_set_put_wait(handle, 0))
        }
    }

    func findMMSet(_ mm: UInt) {
        answer("find_mm_set(\(mm))") {
            Int(bitPattern: mmSet(mm)?.handle)
        } _: {
            Int(bitPattern: ioasid_find_mm_set(OpaquePointer(bitPattern: mm)))
        }
    }

    func setFree(_ handle: SetHandle?) {
        perform("set_free(\(text(handle)))") { [self] operation in
            guard let set = ownedSet(handle), !set.isReleased else {
                operation.result = error(EINVAL)
                return
            }
            guard !ids.contains(where: { $0.state == .active && $0.set === set }) else {
                operation.result = error(EBUSY)
                return
            }
            set.isReleased = true
            dropReference(of: set, operation)
        } _: {
            Int(ioasid_set_free(handle))
        }
    }

    func freeAll(_ handle: SetHandle?) {
        perform("free_all_in_set(\(text(handle)))") { [self] operation in
            guard let set = liveSet(handle) else { return }
            operation.swept = set
            sweep(set, operation) {}
        } _: {
            ioasid_free_all_in_set(handle)
            return 0
        }
    }

    // MARK: Capacity

    func reserve(_ number: UInt32) {
        answer("reserve_capacity(\(number))") {
            guard number <= CInt.max else { return error(EINVAL) }
            guard number != 0 else { return available }
            guard Int(number) <= available else { return error(ENOSPC) }
            taken += Int(number)
            heldBack += Int(number)
            return Int(number)
        } _: {
            Int(ioasid_reserve_capacity(number))
        }
    }

    func cancel(_ number: UInt32) {
        answer("cancel_capacity(\(number))") {
            guard Int(number) <= heldBack else { return error(EINVAL) }
            taken -= Int(number)
            heldBack -= Int(number)
            return available
        } _: {
            Int(ioasid_cancel_capacity(number))
        }
    }

    /// Says how many there are then.
    func installCapacity(_ number: Int) {
        answer("install_capacity(\(number))") {
            if taken == 0, number != 0 { capacity = number }
            return capacity
        } _: {
            ioasid_install_capacity(UInt32(number))
            // There is no result that could say so.
            var refused = ioasid_refused()
            if ioasid_get_capacity() != number, ioasid_last_refusal(&refused),
                refused.reason == IOASID_REFUSED_MEMORY
            {
                return error(ENOMEM)
            }
            return Int(ioasid_get_capacity())
        }
    }

    func reserveRange(_ min: UInt32, _ max: UInt32) {
        answer("reserve_range(\(min), \(max))") {
            guard min <= max, Int(max) < capacity else { return error(EINVAL) }
            let range = Int(min)...Int(max)
            if let taken = range.first(where: { isSetAside[$0] || ids[$0].state != .free }) {
                return error(isSetAside[taken] ? EEXIST : EBUSY)
            }
            guard range.count <= available else { return error(ENOSPC) }
            for number in range { isSetAside[number] = true }
            taken += range.count
            return 0
        } _: {
            Int(ioasid_reserve_range(min, max))
        }
    }

    func cancelRange(_ min: UInt32, _ max: UInt32) {
        answer("cancel_range(\(min), \(max))") {
            guard min <= max, Int(max) < Self.window else { return error(EINVAL) }
            let range = Int(min)...Int(max)
            guard range.allSatisfy({ isSetAside[$0] }) else { return error(EINVAL) }
            for number in range { isSetAside[number] = false }
            taken -= range.count
            return 0
        } _: {
            Int(ioasid_cancel_range(min, max))
        }
    }

    // MARK: Starting over

    /// Nobody is told, and nothing is left. Then there are as many numbers as at first.
    func reset() {
        answer("reset") {
            guard operations.isEmpty else { return error(EBUSY) }
            let left = ids.count { $0.state != .free } + sets.count { $0.kind == .owned }
            let subscriptions = sets.map(\.subscriptions) + [toAll, toReclaims, waiting]
            defer { forgetAll() }
            return left + subscriptions.joined().count
                + groups.map(\.allocators).joined().count
        } _: {
            Int(ioasid_reset(nil))
        }
        guard operations.isEmpty else { return }
        compare("get_capacity", Int(ioasid_get_capacity()), capacity)
        installCapacity(Self.usualCapacity)
    }

    private func forgetAll() {
        stale = sets.last { $0.kind == .owned }?.handle ?? stale
        for set in sets where set.kind != .system && set.kind != .declared { set.state = .gone }
        sets = [system, declared]
        for set in sets { (set.count, set.subscriptions) = (0, []) }
        (toAll, toReclaims, waiting, groups) = ([], [], [], [])
        ids = ids.map { _ in IDModel() }
        isSetAside = isSetAside.map { _ in false }
        (taken, heldBack, capacity) = (0, 0, 1 << 20)
    }
}

// MARK: Subscribers

extension World {
    private func subscribe(
        _ subscriber: Subscriber, _ list: inout [Subscription], mm: UInt = 0
    ) -> Int {
        guard !list.contains(where: { $0.subscriber === subscriber }) else { return error(EEXIST) }
        sequence += 1
        list.append(Subscription(subscriber, subscriber.priority, sequence, mm: mm))
        return 0
    }

    private func unsubscribe(
        _ subscriber: Subscriber, _ list: inout [Subscription], mm: UInt = 0
    ) {
        let place = list.firstIndex { $0.subscriber === subscriber && $0.mm == mm }
        if let place { forget(list.remove(at: place)) }
    }

    /// Those of the set of an mm, present or to come.
    func registerMM(_ mm: UInt, _ subscriber: Subscriber) {
        answer("register_notifier_mm(\(mm))") {
            guard mm != 0 else { return error(EINVAL) }
            let isThere = { (one: Subscription) in one.subscriber === subscriber && one.mm == mm }
            let dying = sets.filter { $0.state == .dying && $0.type == IOASID_SET_TYPE_MM }
            guard !waiting.contains(where: isThere),
                !dying.contains(where: { $0.subscriptions.contains(where: isThere) })
            else { return error(EEXIST) }
            guard let set = mmSet(mm) else {
                sequence += 1
                waiting.append(Subscription(subscriber, subscriber.priority, sequence, mm: mm))
                return 0
            }
            guard !set.subscriptions.contains(where: { $0.subscriber === subscriber }) else {
                return error(EEXIST)
            }
            guard set.count == 0 else { return error(EBUSY) }
            return subscribe(subscriber, &set.subscriptions, mm: mm)
        } _: {
            Int(ioasid_register_notifier_mm(OpaquePointer(bitPattern: mm), subscriber.block))
        }
    }

    func unregisterMM(_ mm: UInt, _ subscriber: Subscriber) {
        answer("unregister_notifier_mm(\(mm))") {
            guard mm != 0 else { return 0 }
            let isThere = { (one: Subscription) in one.subscriber === subscriber && one.mm == mm }
            let set = mmSet(mm)
            if let set, set.subscriptions.contains(where: isThere) {
                unsubscribe(subscriber, &set.subscriptions, mm: mm)
            } else if set == nil, waiting.contains(where: isThere) {
                waiting.removeAll(where: isThere)
            } else if let dying = sets.last(where: {
                $0.state == .dying && $0.subscriptions.contains(where: isThere)
            }) {
                unsubscribe(subscriber, &dying.subscriptions, mm: mm)
            }
            return 0
        } _: {
            ioasid_unregister_notifier_mm(OpaquePointer(bitPattern: mm), subscriber.block)
            return 0
        }
    }

    /// Those of a set, or for nil those to all.
    func register(_ handle: SetHandle?, _ subscriber: Subscriber) {
        answer("register_notifier(\(text(handle)), \(subscriber.priority))") {
            guard handle != nil else { return subscribe(subscriber, &toAll) }
            guard let set = liveSet(handle) else { return error(EINVAL) }
            return subscribe(subscriber, &set.subscriptions)
        } _: {
            Int(ioasid_register_notifier(handle, subscriber.block))
        }
    }

    func registerWithReplay(_ handle: SetHandle?, _ subscriber: Subscriber) {
        perform("register_notifier_replay(\(text(handle)))") { [self] operation in
            let set = handle == nil ? nil : liveSet(handle)
            guard handle == nil || set != nil else {
                operation.result = error(EINVAL)
                return
            }
            var list = set?.subscriptions ?? toAll
            operation.result = subscribe(subscriber, &list)
            guard operation.result == 0, let new = list.last else { return }
            if let set { set.subscriptions = list } else { toAll = list }
            if set == nil {
                let owned = sets.filter { $0.kind == .owned && $0.state == .live }
                for one in owned.sorted(by: { $0.number < $1.number }) {
                    let event = EventModel(IOASID_NOTIFY_SET_ALLOC, one, isReplay: true)
                    calls.append(.handler(event, new))
                }
            }
            for index in ids.indices where ids[index].state == .active {
                guard set == nil || ids[index].set === set else { continue }
                let alloc = event(IOASID_NOTIFY_ALLOC, index, isReplay: true)
                calls.append(.handler(alloc, new))
                guard ids[index].isBound else { continue }
                calls.append(.handler(event(IOASID_NOTIFY_BIND, index, isReplay: true), new))
            }
        } _: {
            Int(ioasid_register_notifier_replay(handle, subscriber.block))
        }
    }

    func unregister(_ handle: SetHandle?, _ subscriber: Subscriber) {
        answer("unregister_notifier(\(text(handle)))") {
            if handle == nil {
                unsubscribe(subscriber, &toAll)
            } else if let set = sets.first(where: { $0.handle == handle && $0.state != .dead }) {
                unsubscribe(subscriber, &set.subscriptions)
            }
            return 0
        } _: {
            ioasid_unregister_notifier(handle, subscriber.block)
            return 0
        }
    }

    func registerReclaim(_ subscriber: Subscriber) {
        answer("register_reclaim") {
            subscribe(subscriber, &toReclaims)
        } _: {
            Int(ioasid_register_reclaim(subscriber.block))
        }
    }

    func unregisterReclaim(_ subscriber: Subscriber) {
        answer("unregister_reclaim") {
            unsubscribe(subscriber, &toReclaims)
            return 0
        } _: {
            ioasid_unregister_reclaim(subscriber.block)
            return 0
        }
    }

    // MARK: Custom allocators

    func registerAllocator(_ which: Int) {
        guard let allocators else { return }
        answer("register_allocator(\(which))") {
            guard !groups.contains(where: { $0.allocators.contains(which) }) else {
                return error(EEXIST)
            }
            let hasDefault = ids.contains { $0.state != .free && $0.group == nil }
            guard active != nil || !hasDefault else { return error(EAGAIN) }
            let functions = Allocators.functions(of: which)
            let group = groups.first { $0.functions == functions } ?? GroupModel(functions)
            // Who has lost its turn waits for another one.
            if group.allocators.isEmpty {
                groups.removeAll { $0 === group }
                groups.append(group)
            }
            group.allocators.append(which)
            return 0
        } _: {
            Int(ioasid_register_allocator(allocators.ops[which]))
        }
    }

    func unregisterAllocator(_ which: Int) {
        guard let allocators else { return }
        answer("unregister_allocator(\(which))") {
            guard let group = groups.first(where: { $0.allocators.contains(which) }) else {
                return 0
            }
            group.allocators.removeAll { $0 == which }
            forgetIfUnused(group)
            return 0
        } _: {
            ioasid_unregister_allocator(allocators.ops[which])
            return 0
        }
    }
}

// MARK: Look-ups

extension World {
    /// Everything that can be asked, of everything.
    func compareAll() {
        for index in ids.indices {
            let id = base + UInt32(index)
            let model = ids[index]
            let isThere = model.state != .free
            let data = isThere ? Int(model.data) : error(ENOENT)
            compare("find(\(id))", Int(bitPattern: ioasid_find(nil, id, nil)), data)
            compare(
                "is_active(\(id))", ioasid_is_active(id) ? 1 : 0, model.state == .active ? 1 : 0)
            compare("find_spid(\(id))", Int(ioasid_find_spid(id)), Int(isThere ? model.spid : none))
            let set = isThere ? Int(bitPattern: model.set.handle) : error(ENOENT)
            compare("find_set(\(id))", Int(bitPattern: ioasid_find_set(id)), set)
            for set in sets where set.handle != nil || set.kind == .system {
                let isIn = isThere && model.set === set
                compare("is_in_set(\(id))", ioasid_is_in_set(set.handle, id) ? 1 : 0, isIn ? 1 : 0)
            }
        }
        for set in sets where set.state == .live && set.kind == .owned {
            guard let seen = set.handle else { continue }
            compare("quota", Int(seen.pointee.quota), set.quota)
            compare("nr_ioasids", Int(seen.pointee.nr_ioasids), set.count)
        }
        guard isAlone else { return }
        compare("available", Int(ioasid_reserve_capacity(0)), available)
        compareRanges()
    }

    private func compareRanges() {
        var numbers: [UInt32] = []
        var (from, min, max) = (UInt32(0), UInt32(0), UInt32(0))
        while ioasid_next_range(from, &min, &max) {
            numbers += min...max
            from = max + 1
        }
        let model = isSetAside.indices.filter { isSetAside[$0] }.map(UInt32.init)
        if numbers != model { fail("\(numbers) are set aside, not \(model)") }
    }

    /// The ids of a set in ascending order.
    func walk(_ handle: SetHandle?) {
        answer("for_each(\(text(handle)))") {
            guard let set = liveSet(handle) else { return error(EINVAL) }
            visited = ids.indices.filter { ids[$0].state != .free && ids[$0].set === set }
                .map { base + UInt32($0) }
            return visited.isEmpty ? error(ENOENT) : 0
        } _: {
            seen = []
            let result = ioasid_set_for_each_ioasid(
                handle,
                { id, world in
                    Unmanaged<World>.fromOpaque(world!).takeUnretainedValue().seen.append(id)
                }, Unmanaged.passUnretained(self).toOpaque())
            return Int(result)
        }
        if seen != visited { fail("visited \(seen), not \(visited)") }
        (seen, visited) = ([], [])
    }

    func text(_ handle: SetHandle?) -> String {
        guard isTold, let handle else { return "-" }
        return sets.firstIndex { $0.handle == handle }.map { "set \($0)" } ?? "?"
    }
}
