// SPDX-License-Identifier: MIT
// Queued invalidation (section 6.5.2): a ring in memory, with head and tail registers.

@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory

package struct InvalidationQueue {
    /// 256 descriptors of 256 bits, then a page for the status of waits.
    static let pages: UInt64 = 3
    package static let slots: UInt64 = 256
    static let done: UInt32 = 2

    let base: HPA
    var head: UInt64 = 0
    var tail: UInt64 = 0

    init(base: HPA) { self.base = base }

    var status: HPA { base + 2 << pageShift }

    func slotAddress(_ index: UInt64) -> HPA { base + index % InvalidationQueue.slots &* 32 }
}

// Software's side.
extension UnsafeMutablePointer<Unit> {
    /// Submits descriptors and waits for them, in one go: nobody else's come between.
    /// - Returns: false if hardware stopped at one of them.
    package func submit(_ descriptors: UnsafePointer<vtd_inv_desc>, _ count: Int) -> Bool {
        for index in 0..<count { enqueue(descriptors[index]) }
        return ring(drain: false)
    }

    /// The same for one descriptor.
    @discardableResult
    package func submit(_ descriptor: vtd_inv_desc) -> Bool {
        enqueue(descriptor)
        return ring(drain: false)
    }

    package func enqueue(_ descriptor: vtd_inv_desc) {
        let at = pointee.invalidations.slotAddress(pointee.invalidations.tail)
        memory.setWord(at, descriptor.qw.0)
        memory.setWord(at + 8, descriptor.qw.1)
        memory.setWord(at + 16, descriptor.qw.2)
        memory.setWord(at + 24, descriptor.qw.3)
        pointee.invalidations.tail = (pointee.invalidations.tail &+ 1) % InvalidationQueue.slots
    }

    /// Adds the wait, writes the tail register, and looks at the status.
    @discardableResult
    package func ring(drain: Bool) -> Bool {
        let drain = drain && can(VTD_CAP_PRS)
        memory.setWord(pointee.invalidations.status, 0)
        var wait = vtd_inv_desc()
        wait.qw.0 = UInt64(VTD_INV_WAIT.rawValue) | VTD_INV_WAIT_SW | VTD_INV_WAIT_FN
            | (drain ? VTD_INV_WAIT_PD : 0) | UInt64(InvalidationQueue.done) << 32
        wait.qw.1 = pointee.invalidations.status.bits
        enqueue(wait)
        processInvalidations()
        let status = memory.word(pointee.invalidations.status)
        if status == UInt64(InvalidationQueue.done) { return true }
        // Invalidation queue error: skip what is left, as a driver does to go on.
        pointee.invalidations.head = pointee.invalidations.tail
        return false
    }
}

// Hardware's side.
extension UnsafeMutablePointer<Unit> {
    private func processInvalidations() {
        while pointee.invalidations.head != pointee.invalidations.tail {
            let at = pointee.invalidations.slotAddress(pointee.invalidations.head)
            let words = (
                memory.word(at) ?? 0, memory.word(at + 8) ?? 0, memory.word(at + 16) ?? 0,
                memory.word(at + 24) ?? 0
            )
            let descriptor = Descriptor.decode(words, canDrain: can(VTD_CAP_PRS))
            guard let descriptor, carryOut(descriptor) else { return }
            pointee.stats.invalidations &+= 1
            pointee.invalidations.head = (pointee.invalidations.head &+ 1) % InvalidationQueue.slots
        }
    }
}
