// SPDX-License-Identifier: MIT
// The only way out: every call of users' code with the core lock held is one of those in this file.

import CIOASIDCore
import CIOASIDRuntime
import IOASIDMemory
import IOASIDRuntime
import Synchronization

/// The permission to call users' code. Only who took the lock for that has one, so a function calls
/// out, or may do so further down, exactly if it takes a `CallOut`.
///
/// Users' code may call back. So whoever calls out does it in a consistent state, and looks
/// everything up again afterwards: an id may be another's by then, a set gone.
package struct CallOut {
    /// There was nothing to look after when the lock was taken, and nobody was called since: no
    /// callback is under way, nothing is custom, nobody listens to all. A constant where it is asked,
    /// so that the short way is the long one without what does not apply.
    let isQuiet: Bool

    private init(isQuiet: Bool = false) { self.isQuiet = isQuiet }

    /// For who calls users' code.
    @inline(__always)
    var loud: CallOut { CallOut() }

    /// The same as `withLock`, for what is asked most: `quietly` is the short way, and is the same
    /// function as `body`, with its `CallOut` a constant.
    @inline(__always)
    package static func withLock<Result, Failure: Error>(
        quietly: (CallOut) throws(Failure) -> Result,
        orElse body: (CallOut) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let isOutermost = CoreLock.lockIfFree()
        guard _fastPath(isOutermost), _fastPath(!Attention.isWanted) else {
            return try loudly(isOutermost, body)
        }
        defer {
            if Attention.isWantedAtEnd { finish() }
            CoreLock.unlockOutermost()
        }
        return try quietly(CallOut(isQuiet: true))
    }

    @inline(never)
    private static func loudly<Result, Failure: Error>(
        _ hasLock: Bool, _ body: (CallOut) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard hasLock else { return try withLock(body) }
        defer {
            if Attention.isWantedAtEnd { finish() }
            CoreLock.unlockOutermost()
        }
        return try body(CallOut())
    }

    /// Takes the lock for a request that may call users' code. Who has it for the first time also
    /// does what was put off (see `Deferred`).
    @inline(__always)
    package static func withLock<Result, Failure: Error>(
        _ body: (CallOut) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        CoreLock.lock()
        defer {
            if Attention.isWantedAtEnd { finish() }
            CoreLock.unlock()
        }
        return try body(CallOut())
    }

    @inline(never)
    private static func finish() {
        if !CoreLock.isNested { Core.finishDeferred(CallOut()) }
        Trace.flush()
    }

    // MARK: How deep

    private static let depth = Cell<UInt32>(0)

    /// Handlers that cause an event of their own kind for ever would take the host's stack. So
    /// beyond this what creates is refused, and what ends something is put off.
    private static var depthLimit: UInt32 { 64 }

    /// Is the caller too deep in callbacks to go deeper?
    @inline(__always)
    var isTooDeep: Bool { Self.depth.value >= Self.depthLimit }

    /// To be called before something is created or bound: refuses if too deep, then flushes.
    @inline(__always)
    func beginCreating() throws(RequestError) {
        guard !isQuiet, Self.depth.value != 0 else { return }
        guard !isTooDeep else { throw .tooDeep }
        flush()
    }

    /// To be called before something ends: flushes, unless too deep; then the end is put off.
    @inline(__always)
    func beginEnding() {
        guard !isQuiet, Self.depth.value != 0, !isTooDeep else { return }
        flush()
    }

    /// In the child of fork(), if the thread that was in a callback is not there: nobody is. What
    /// `body` does must not call out.
    static func forgetCallbacks(_ body: (CallOut) -> Void) {
        depth.value = 0
        body(CallOut())
    }

    // MARK: The calls

    func handler(_ subscriber: SubscriberRef, _ event: Event) -> CInt {
        guard event.what != IOASID_NOTIFY_RECLAIM else { return reclaimHandler(subscriber, event) }
        var arguments = ioasid_nb_args(
            id: event.id.rawValue, spid: event.spid.rawValue, set: SetTable.handle(event.set),
            pdata: event.data)
        let block = subscriber.pointee.block
        let call = subscriber.pointee.call
        return calling { call(block, UInt(event.what.rawValue), &arguments) }
    }

    /// What RECLAIM tells of is gone, so its arguments point at nothing of the library's.
    private func reclaimHandler(_ subscriber: SubscriberRef, _ event: Event) -> CInt {
        var arguments = ioasid_reclaim_args(
            id: event.id.rawValue, set: CInt(bitPattern: event.set.rawValue), pdata: event.data)
        let block = subscriber.pointee.block
        let call = subscriber.pointee.call
        return calling { call(block, UInt(event.what.rawValue), &arguments) }
    }

    /// - Returns: what a custom allocator picks.
    func allocate(_ range: IDRange, _ request: AllocatorCall, _ ops: AllocatorOps) -> ID {
        let alloc = request.group.pointee.alloc
        let data = ops.pointee.pdata
        return request.noted {
            Cancellation.held { calling { ID(rawValue: alloc(range.low, range.high, data)) } }
        }
    }

    /// Gives a number back to its allocator, whichever of the group that is now.
    func free(_ id: ID, _ request: AllocatorCall) {
        guard let allocator = request.group.pointee.allocators.first else { return }
        let free = request.group.pointee.free
        let data = allocator.pointee.ops.pointee.pdata
        request.noted { Cancellation.held { calling { free(id.rawValue, data) } } }
    }

    @inline(__always)
    private func calling<Result>(_ body: () -> Result) -> Result {
        Trace.flush()
        Self.depth.increment()
        let before = CoreLock.leave()
        defer {
            CoreLock.enter(before)
            Self.depth.decrement()
        }
        return body()
    }
}

// MARK: - Events

extension CallOut {
    /// - Returns: what the handler that stopped it returned, NOTIFY_DONE if none did.
    @inline(__always)
    @discardableResult
    func send(_ event: Event, to audience: Audience) -> CInt {
        Trace.change(event)
        let global = audience.contains(.all) ? Subscribers.toAll.pointee.first : nil
        let local = audience.contains(.set) ? Subscribers.of(event.set).pointee.first : nil
        guard global != nil || local != nil else { return NOTIFY_DONE }
        return perform(event, global, local)
    }

    /// RECLAIM, to who asked for it.
    func send(reclaim event: Event) {
        _ = perform(event, nil, Subscribers.toReclaim.pointee.first)
    }

    /// Tells one subscriber what it has missed, unless it leaves.
    func send(_ replay: UnsafeMutablePointer<Replay>, to subscriber: SubscriberRef) {
        // It tells of nothing yet.
        let none = Event(IOASID_NOTIFY_SET_ALLOC, SetTable.system)
        _ = perform(none, nil, subscriber, replay: replay)
    }

    @inline(never)
    private func perform(
        _ event: Event, _ global: SubscriberRef?, _ local: SubscriberRef?,
        replay: UnsafeMutablePointer<Replay>? = nil
    ) -> CInt {
        var delivery = Delivery(event, global, local, replay)
        return withUnsafeMutablePointer(to: &delivery) { current in
            Cancellation.held {
                Delivery.innermost = current
                let result = tell(current)
                Delivery.innermost = current.pointee.outer
                return result
            }
        }
    }

    /// Tells everybody who is left. A handler that flushes comes back here: then the rest of the
    /// walk is its own, and the outer loop finds nobody.
    private func tell(_ current: UnsafeMutablePointer<Delivery>) -> CInt {
        var stopped = NOTIFY_DONE
        while let subscriber = current.pointee.next() {
            Delivery.calls.increment()
            Trace.event(current.pointee.event, subscriber)
            // It may be gone when its handler returns.
            let result = handler(subscriber, current.pointee.event)
            guard result & NOTIFY_STOP_MASK != 0 else { continue }
            if current.pointee.stop() {
                stopped = result
            } else if current.pointee.event.isUnstoppable {
                Log.warn(
                    "a handler cannot stop FREE, UNBIND or SET_FREE",
                    current.pointee.event.id.rawValue)
            }
        }
        if stopped != NOTIFY_DONE { current.pointee.result = stopped }
        return current.pointee.result
    }

    /// In a handler: tells the others of its event before the handler causes another one.
    @inline(never)
    private func flush() {
        guard let current = Delivery.innermost, current.pointee.beginFlush() else { return }
        _ = tell(current)
    }
}
