// SPDX-License-Identifier: MIT
// A piece of code that another one runs step by step: every order of two of them can be tried.

import Dispatch
import Glibc

/// Has a thread of its own, but only one of the two sides ever runs.
final class Coroutine {
    /// Which one runs at the moment.
    nonisolated(unsafe) private static var current: Coroutine?

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
        turn.wait()
        body()
        hasEnded = true
        done.signal()
    }

    /// Runs it up to its next `pause`, or its end.
    func resume() {
        guard !hasEnded else { return }
        Coroutine.current = self
        turn.signal()
        done.wait()
        Coroutine.current = nil
    }

    /// - Returns: false if it does not end; it is left as it is then.
    func finish(within steps: Int) -> Bool {
        for _ in 0..<steps where !hasEnded { resume() }
        return hasEnded
    }

    /// To be called by its own code; by any other code it does nothing.
    static func pause() {
        guard let current, pthread_equal(current.thread, pthread_self()) != 0 else { return }
        current.done.signal()
        current.turn.wait()
    }
}
