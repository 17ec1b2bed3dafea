// SPDX-License-Identifier: MIT
// Counters, copied under the lock.

@preconcurrency import CIOASIDCore
@preconcurrency import CIOASIDRuntime
import IOASIDMemory
import IOASIDRuntime
import Synchronization

extension Core {
    package static func fill(_ stats: UnsafeMutablePointer<ioasid_stats>) {
        stats.pointee.capacity = UInt64(Quota.capacity)
        stats.pointee.available = UInt64(Quota.available)
        stats.pointee.live = Population.live
        stats.pointee.pending = Population.pending.value
        stats.pointee.sets = SetPopulation.live.value
        stats.pointee.dying = SetPopulation.gone.value
        stats.pointee.subscribers = Subscriber.count.value
        stats.pointee.allocs = IDTable.allocations
        stats.pointee.reclaims = Population.reclaims.value
        stats.pointee.events = Delivery.calls.value
        stats.pointee.memory = UInt64(clamping: Memory.blocksInUse)
        cio_copy_refusals(&stats.pointee.refused.0)
    }
}
