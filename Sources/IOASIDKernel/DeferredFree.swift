// SPDX-License-Identifier: MIT
// kfree_rcu(): blocks that are freed after a grace period, by an item of the system work queue.

import CIOASID
import CIOASIDKernel
import CIOASIDRuntime
import IOASIDCore
import IOASIDMemory
import IOASIDRuntime

/// The list needs no memory: each block lends its rcu_head. Guarded by the lock of `WorkQueues`.
package enum DeferredFree {
    package static func add(_ head: UnsafeMutablePointer<rcu_head>, _ block: UnsafeMutableRawPointer) {
        WorkQueues.withLock { cio_rcu_push(head, block) }
        _ = WorkQueues.queue(&cio_system_wq, &cio_rcu_work)
    }

    /// Everything added before is either in the item's next run or in the one going on.
    package static func wait() {
        _ = WorkQueues.flush(&cio_rcu_work)
    }

    package static func run() {
        let blocks = take()
        guard blocks != nil else { return }
        ReadSide.waitForReaders()
        cio_rcu_free(blocks)
    }

    /// No reader can be awaited by a thread that is one: then the rest goes with the process.
    package static func end() {
        if !ReadSide.isInSection { run() }
    }

    private static func take() -> UnsafeMutablePointer<rcu_head>? {
        WorkQueues.withLock {
            defer { cio_rcu_blocks = nil }
            return cio_rcu_blocks
        }
    }
}

@_cdecl("cio_rcu_work_run") @implementation
public func cio_rcu_work_run(_ work: UnsafeMutablePointer<work_struct>) {
    DeferredFree.run()
}
