// SPDX-License-Identifier: MIT
// A piece of code that another one runs step by step: every order of two of them can be tried.

import Dispatch
import Glibc

/// Has a thread of its own, but only one of the two sides ever runs.
final class Coroutine {
    /// A thread finds its own here: tests of other suites run at the same time, and pause nothing.
    private static let own: pthread_key_t = {
        var key = pthread_key_t()
        precondition(pthread_key_create(&key, nil) == 0)
        return key
    }()

    private let body: () -> Void
    private let turn = DispatchSemaphore(value: 0)
    private let done = DispatchSemaphore(value: 0)
    private var thread = pthread_t()
    private(set) var hasEnded = false

    init(_ body: @escaping () -> Void) {
        self.body = body
        // The thread has the other reference: one that hangs stays for ever.
        let own = Unmanaged.passRetained(self).toOpaque()
        let failed = pthread_create(
            &thread, nil,
            { argument in
                Unmanaged<Coroutine>.fromOpaque(argument!).takeRetainedValue().run()
                return nil
            }, own)
        precondition(failed == 0)
        pthread_detach(thread)
    }

    private func run() {
        pthread_setspecific(Coroutine.own, Unmanaged.passUnretained(self).toOpaque())
        turn.wait()
        body()
        hasEnded = true
        done.signal()
    }

    /// Runs it up to its next `pause`, or its end.
    func resume() {
        guard !hasEnded else { return }
        turn.signal()
        done.wait()
    }

    /// - Returns: false if it does not end; it is left as it is then.
    func finish(within steps: Int) -> Bool {
        for _ in 0..<steps where !hasEnded { resume() }
        return hasEnded
    }

    /// To be called by its own code; by any other code it does nothing.
    static func pause() {
        guard let pointer = pthread_getspecific(own) else { return }
        let me = Unmanaged<Coroutine>.fromOpaque(pointer).takeUnretainedValue()
        me.done.signal()
        me.turn.wait()
    }
}
