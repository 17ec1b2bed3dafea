// SPDX-License-Identifier: MIT
// The model: what the documents say there is, and who is to be called next.

import Glibc
import IOASIDHeaders

typealias SetHandle = UnsafeMutablePointer<ioasid_set>
let none = UInt32.max

final class SetModel {
    enum Kind { case system, declared, owned, lent }
    enum State { case live, dying, dead, gone }

    let kind: Kind
    var state = State.live
    /// nil for the system set, and until a new set was seen.
    var handle: SetHandle?
    let token: UInt
    let type: ioasid_set_type
    var quota: Int
    /// Ids that are not reclaimed.
    var count = 0
    var references = 1
    var isReleased = false
    var subscriptions: [Subscription] = []

    var number: CInt { handle?.pointee.id ?? 0 }

    init(_ kind: Kind, _ handle: SetHandle?, token: UInt = 0, type: ioasid_set_type, quota: Int) {
        self.kind = kind
        self.handle = handle
        self.token = token
        self.type = type
        self.quota = quota
    }
}

struct IDModel {
    enum State { case free, active, pending }

    var state = State.free
    /// Which life of the number this is.
    var life = 0
    var set: SetModel!
    var references = 0
    var spid = none
    /// Is it found by its SPID?
    var isIndexed = false
    var isBound = false
    var data: UInt = 0
    /// Whose it is, if a custom allocator picked it.
    var group: GroupModel?
}

/// Custom allocators with the same functions.
final class GroupModel {
    let functions: Int
    var allocators: [Int] = []
    var uses = 0

    init(_ functions: Int) { self.functions = functions }
}

/// A block on one list.
final class Subscription {
    let subscriber: Subscriber
    let priority: CInt
    let sequence: Int
    /// It came by this mm; 0 if it came by the set.
    let mm: UInt

    init(_ subscriber: Subscriber, _ priority: CInt, _ sequence: Int, mm: UInt) {
        self.subscriber = subscriber
        self.priority = priority
        self.sequence = sequence
        self.mm = mm
    }
}

final class EventModel {
    let what: ioasid_notify_val
    let id: UInt32
    let spid: UInt32
    let set: SetModel
    let data: UInt
    /// What its handlers return is ignored.
    let isReplay: Bool
    /// What the handler that stopped it returned.
    var result = NOTIFY_DONE

    init(
        _ what: ioasid_notify_val, _ set: SetModel, id: UInt32 = none, spid: UInt32 = none,
        data: UInt = 0, isReplay: Bool = false
    ) {
        self.what = what
        self.id = id
        self.spid = spid
        self.set = set
        self.data = data
        self.isReplay = isReplay
    }

    var canBeStopped: Bool {
        what == IOASID_NOTIFY_ALLOC || what == IOASID_NOTIFY_BIND || what == IOASID_NOTIFY_SET_ALLOC
    }
}

/// What the library is to call next.
enum Call: CustomStringConvertible {
    case handler(EventModel, Subscription)
    case allocate(Operation, GroupModel, UInt32, UInt32)
    case free(UInt32, GroupModel)

    var description: String {
        switch self {
        case .handler(let event, let subscription):
            "event \(event.what.rawValue) of \(event.id)\(event.isReplay ? ", replayed," : "") "
                + "to \(subscription.subscriber.name)"
        case .allocate(_, _, let min, let max): "an allocation from \(min) to \(max)"
        case .free(let id, _): "the end of \(id) at its allocator"
        }
    }
}

/// A request under way. What it does is a list of steps: each one is done when everybody was told
/// of what those before it said. Requests nest, as handlers make some; then steps of the innermost
/// are done.
final class Operation {
    /// Those left, the next one last.
    private var steps: [() -> Void] = []
    private(set) var hasBegun = false
    /// What the library should return.
    var result = 0
    /// The set whose ids it is freeing.
    var swept: SetModel?

    func then(_ next: (() -> Void)...) { steps.append(contentsOf: next.reversed()) }

    /// The steps know the operation, and it the steps.
    func giveUp() { steps = [] }

    func next() -> (() -> Void)? {
        hasBegun = true
        return steps.popLast()
    }
}

/// One model, and the part of the library that is its own: a window of numbers, and sets. Worlds in
/// several threads do not meet; one that is alone in the process also has what there is once.
final class World {
    var choices: Choices
    let seed: UInt64
    let isAlone: Bool
    let isTold: Bool
    let base: UInt32
    /// So much that it does not matter for a world that is not alone.
    var capacity: Int
    /// Numbers of the window; those beyond the capacity are for custom allocators.
    static let window = 24
    static let usualCapacity = 20

    var ids = [IDModel](repeating: IDModel(), count: World.window)
    /// Numbers that nobody gets.
    var isSetAside = [Bool](repeating: false, count: World.window)
    var lives = 0
    let system = SetModel(.system, nil, type: IOASID_SET_TYPE_NULL, quota: 0)
    let declared = SetModel(.declared, declared_set(), type: IOASID_SET_TYPE_NULL, quota: 0)
    /// All that are not gone.
    var sets: [SetModel] = []
    /// Handles of sets that are gone.
    var stale: SetHandle?
    /// Reserved, in use without reservation, or held back.
    var taken = 0
    var heldBack = 0

    var subscribers: [Subscriber] = []
    var toAll: [Subscription] = []
    var toReclaims: [Subscription] = []
    /// They wait for the set of their mm.
    var waiting: [Subscription] = []
    var sequence = 0

    var groups: [GroupModel] = []
    var allocators: Allocators?

    var operations: [Operation] = []
    var calls: [Call] = []
    var performed = 0
    /// The allocation that is to fail, if any. Handlers make no requests then.
    var failing = 0

    /// How many requests handlers may still make inside this one of the run, and how deep in each other.
    var nestedLeft = 0
    var isDeep = false
    var deepest: Int { isDeep ? 62 : 3 }

    // What goes between the two halves of a request.
    var newest: SetModel?
    var created: SetHandle?
    var visited: [UInt32] = []
    var seen: [UInt32] = []

    init(_ choices: Choices, seed: UInt64, base: UInt32, capacity: Int, isAlone: Bool, isTold: Bool)
    {
        self.choices = choices
        self.seed = seed
        self.base = base
        self.capacity = capacity
        self.isAlone = isAlone
        self.isTold = isTold
        if isAlone { sets = [system, declared] }
        for number in 0..<6 { subscribers.append(Subscriber(self, number)) }
        if isAlone { allocators = Allocators(self) }
    }

    var available: Int { capacity - taken }
    var active: GroupModel? { groups.first { !$0.allocators.isEmpty } }

    func fail(_ what: String) -> Never {
        print("world with seed \(seed), operation \(performed): \(what)")
        fflush(nil)
        exit(1)
    }

    func tell(_ line: @autoclosure () -> String) {
        if isTold { print(String(repeating: "  ", count: operations.count) + line()) }
    }

    // MARK: Requests

    /// A request that tells others first of the event in whose handler it is made, if it is.
    func perform(_ name: String, _ model: @escaping (Operation) -> Void, _ library: () -> Int) {
        performed += 1
        tell(name)
        let operation = Operation()
        operation.then { model(operation) }
        operations.append(operation)
        let (result, hasFailed) = failingPerhaps(library)
        if hasFailed, !operation.hasBegun, isForWantOfMemory(result) {
            operations.removeLast().giveUp()
            tell("\(name): no memory")
            return compareAll()
        }
        while let step = operation.next() {
            checkNobodyIsLeft(name)
            step()
        }
        checkNobodyIsLeft(name)
        operations.removeLast()
        compare(name, result, operation.result)
    }

    /// A request that calls nobody.
    func answer(_ name: String, _ model: () -> Int, _ library: () -> Int) {
        performed += 1
        tell(name)
        let (result, hasFailed) = failingPerhaps(library)
        if hasFailed, isForWantOfMemory(result) {
            tell("\(name): no memory")
            return compareAll()
        }
        compare(name, result, model())
    }

    private func failingPerhaps(_ library: () -> Int) -> (Int, Bool) {
        guard failing != 0 else { return (library(), false) }
        let nth = failing
        ioasid_fail_nth(UInt(nth))
        let result = library()
        failing = 0
        return (result, ioasid_fail_nth(0) >= nth)
    }

    private func isForWantOfMemory(_ result: Int) -> Bool {
        if result == -Int(ENOMEM) { return true }
        var refused = ioasid_refused()
        return result == Int(none) && ioasid_last_refusal(&refused)
            && refused.reason == IOASID_REFUSED_MEMORY
    }

    private func checkNobodyIsLeft(_ name: String) {
        guard calls.isEmpty else { fail("\(name): nobody called for \(calls[0])") }
    }

    func compare(_ name: String, _ library: Int, _ model: Int) {
        if library != model { fail("\(name): the library says \(library), the documents \(model)") }
        tell("\(name) = \(model)")
    }

    /// The library calls somebody.
    func takeCall() -> Call {
        while calls.isEmpty {
            guard let operation = operations.last, let step = operation.next() else {
                fail("somebody is called who should not be")
            }
            step()
        }
        return calls.removeFirst()
    }
}
