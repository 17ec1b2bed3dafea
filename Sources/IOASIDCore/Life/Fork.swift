// SPDX-License-Identifier: MIT
// The core in the child of fork(): what a thread that is not there had begun in callbacks.

import CIOASIDCore
import IOASIDMemory
import IOASIDRuntime
import Synchronization

/// A request that is in a custom allocator; lies on the stack of the thread that does it, as
/// deliveries do. The child of fork() has a copy of that stack.
struct AllocatorCall {
    private let set: SetRef
    let group: Ref<AllocatorGroup>
    /// The id that goes back; nil if one is asked for.
    private let returned: Incarnation?

    private struct Note {
        let call: AllocatorCall
        let outer: UnsafeMutablePointer<Note>?
    }

    nonisolated(unsafe) private static var innermost: UnsafeMutablePointer<Note>?

    init(_ set: SetRef, _ group: Ref<AllocatorGroup>, returned: Incarnation? = nil) {
        self.set = set
        self.group = group
        self.returned = returned
    }

    /// Calls the allocator.
    func noted<Result>(_ body: () -> Result) -> Result {
        var note = Note(call: self, outer: Self.innermost)
        return withUnsafeMutablePointer(to: &note) { current in
            Self.innermost = current
            defer { Self.innermost = current.pointee.outer }
            return body()
        }
    }

    /// In the child: nobody gets the id that was asked for, and the one that went back is not given
    /// back twice.
    static func abandonAll(_ out: CallOut) {
        while let note = innermost {
            innermost = note.pointee.outer
            let call = note.pointee.call
            if let one = call.returned {
                Core.forget(one, call.group, out)
            } else {
                Allocators.release(call.group)
                Core.uncharge(call.set)
            }
        }
    }
}

extension Core {
    /// Another thread was in a callback, and is not here. Its delivery goes no further; an id that
    /// it was freeing loses its own reference; an id that it was allocating is there, nobody's but
    /// its set's; a set whose end it was bringing about waits for the first request that may call
    /// out, which goes on with it.
    static func forgetCallbacks() {
        var next = Delivery.innermost
        Delivery.innermost = nil
        cio_trace_forget()
        CallOut.forgetCallbacks { out in
            AllocatorCall.abandonAll(out)
            while let delivery = next {
                next = delivery.pointee.outer
                if let one = delivery.pointee.abandon() { finishTelling(one, out) }
            }
        }
        while let set = DyingSets.pop() { Deferred.append(set) }
        Deferred.isOfParent.value = Deferred.isWaiting ? 1 : 0
    }
}
