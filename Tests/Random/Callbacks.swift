// SPDX-License-Identifier: MIT
// What the library calls: each call must be the next one of the model. Some make requests themselves.

import Glibc
import IOASIDHeaders

/// A notifier block that knows whose it is.
final class Subscriber {
    struct Block {
        var block: notifier_block
        var subscriber: Unmanaged<Subscriber>?
    }

    unowned let world: World
    private let number: Int
    private let memory: UnsafeMutablePointer<Block>
    /// Read when it registers.
    var priority: CInt = 0 { didSet { memory.pointee.block.priority = priority } }

    var block: UnsafeMutablePointer<notifier_block> {
        UnsafeMutableRawPointer(memory).assumingMemoryBound(to: notifier_block.self)
    }

    init(_ world: World, _ number: Int) {
        self.world = world
        self.number = number
        memory = .allocate(capacity: 1)
        memory.initialize(to: Block(block: notifier_block(), subscriber: nil))
        memory.pointee.subscriber = Unmanaged.passUnretained(self)
        memory.pointee.block.notifier_call = { block, what, arguments in
            UnsafeMutableRawPointer(block!).assumingMemoryBound(to: Block.self).pointee
                .subscriber!.takeUnretainedValue().called(what, arguments!)
        }
    }

    deinit { memory.deallocate() }

    var name: String { "subscriber \(number)" }

    private func called(_ what: UInt, _ arguments: UnsafeMutableRawPointer) -> CInt {
        if what == UInt(IOASID_NOTIFY_RECLAIM.rawValue) {
            let told = arguments.load(as: ioasid_reclaim_args.self)
            return world.heard(self, what, told.id, nil, nil, told.pdata)
        }
        let told = arguments.load(as: ioasid_nb_args.self)
        return world.heard(self, what, told.id, told.spid, told.set, told.pdata)
    }
}

extension World {
    fileprivate func heard(
        _ subscriber: Subscriber, _ what: UInt, _ id: UInt32, _ spid: UInt32?, _ set: SetHandle?,
        _ data: UnsafeMutableRawPointer?
    ) -> CInt {
        guard case .handler(let event, let subscription) = takeCall() else {
            fail("event \(what) of \(id) is told, and an allocator should be called")
        }
        tell("event \(what) of \(id) to \(subscriber.name)")
        // The first time a new set is seen.
        if event.set.kind == .owned, event.set.handle == nil,
            what == IOASID_NOTIFY_SET_ALLOC.rawValue
        {
            event.set.handle = set
        }
        guard subscription.subscriber === subscriber, what == UInt(event.what.rawValue),
            id == event.id, spid ?? event.spid == event.spid, UInt(bitPattern: data) == event.data,
            spid == nil || set == event.set.handle
        else {
            fail(
                "event \(what) of \(id) to \(subscriber.name); expected was "
                    + "\(Call.handler(event, subscription))")
        }
        if event.isReplay { return choices.pick([NOTIFY_OK, NOTIFY_BAD]) }
        if failing == 0, nestedLeft > 0, operations.count <= deepest,
            isDeep || choices.once(in: 3)
        {
            nestedLeft -= 1
            if isDeep, !choices.once(in: 8) { requestOfWhichIsTold() } else { request() }
        }
        let result = choices.pick([
            NOTIFY_DONE, NOTIFY_OK, NOTIFY_OK, NOTIFY_OK, NOTIFY_STOP, NOTIFY_BAD,
            notifier_from_errno(-EPERM),
        ])
        if result & NOTIFY_STOP_MASK != 0, event.canBeStopped {
            event.result = result
            calls.removeAll {
                if case .handler(let one, _) = $0 { return one === event }
                return false
            }
        }
        return result
    }
}

/// Three allocators; the first two have the same functions.
final class Allocators {
    struct Data {
        let which: Int
        let world: Unmanaged<World>
    }

    private(set) var ops: [UnsafeMutablePointer<ioasid_allocator_ops>] = []

    static func functions(of which: Int) -> Int { which / 2 }

    init(_ world: World) {
        for which in 0..<3 {
            let data = UnsafeMutablePointer<Data>.allocate(capacity: 1)
            data.initialize(to: Data(which: which, world: Unmanaged.passUnretained(world)))
            let one = UnsafeMutablePointer<ioasid_allocator_ops>.allocate(capacity: 1)
            one.initialize(to: ioasid_allocator_ops())
            one.pointee.pdata = UnsafeMutableRawPointer(data)
            if Self.functions(of: which) == 0 {
                one.pointee.alloc = { Allocators.allocate($0, $1, $2) }
                one.pointee.free = { Allocators.free($0, $1) }
            } else {
                one.pointee.alloc = { Allocators.allocate($0, $1, $2, 1) }
                one.pointee.free = { Allocators.free($0, $1, 1) }
            }
            ops.append(one)
        }
    }

    deinit {
        for one in ops {
            one.pointee.pdata.deallocate()
            one.deallocate()
        }
    }

    private static func world(_ data: UnsafeMutableRawPointer?) -> (World, Int) {
        let data = data!.load(as: Data.self)
        return (data.world.takeUnretainedValue(), data.which)
    }

    private static func allocate(
        _ min: UInt32, _ max: UInt32, _ data: UnsafeMutableRawPointer?, _ functions: Int = 0
    ) -> UInt32 {
        let (world, which) = world(data)
        guard case .allocate(let operation, let group, min, max) = world.takeCall(),
            group.functions == functions, group.allocators.first == which
        else { world.fail("allocator \(which) is called") }
        // Any number, perhaps one of no use.
        let id =
            world.choices.once(in: 8)
            ? none : world.base + UInt32(world.choices.below(World.window))
        operation.result = Int(id)
        world.tell("allocator \(which) picks \(id)")
        return id
    }

    private static func free(_ id: UInt32, _ data: UnsafeMutableRawPointer?, _ functions: Int = 0) {
        let (world, which) = world(data)
        guard case .free(id, let group) = world.takeCall(), group.functions == functions,
            group.allocators.first == which
        else { world.fail("allocator \(which) is called to free \(id)") }
        guard let index = world.index(id), world.ids[index].group === group else { return }
        // It is there, FREE_PENDING and without references.
        world.compare(
            "find in free", Int(bitPattern: ioasid_find(nil, id, nil)), Int(world.ids[index].data))
        world.compare("get in free", Int(ioasid_get(nil, id)), -Int(EBUSY))
    }
}
