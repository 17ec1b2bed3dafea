// SPDX-License-Identifier: MIT
// Queued invalidation (section 6.5.2): a ring in memory, with head and tail registers.

@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory

/// A ring of descriptors. A unit has two: one that comes with it, for vtd_inv_submit() and for the
/// driver of this library, and one wherever software puts it by the registers.
struct DescriptorRing {
    let base: HPA
    let byteCount: UInt64
    /// 32 bytes a descriptor, or 16.
    let isWide: Bool
    /// In bytes from the base, as in the registers. The tail is what software wrote, which may be wrong.
    var head: UInt64 = 0
    var tail: UInt64 = 0

    var stride: UInt64 { isWide ? 32 : 16 }
    func after(_ place: UInt64) -> UInt64 { (place &+ stride) % byteCount }
}

package enum InvalidationQueue {
    /// 256 descriptors of 256 bits, then a page for the status of waits.
    static let pages: UInt64 = 3
    package static let slots: UInt64 = 256
    fileprivate static let done: UInt32 = 2

    static func own(_ base: HPA) -> DescriptorRing {
        DescriptorRing(base: base, byteCount: slots &* 32, isWide: true)
    }

    fileprivate static func status(_ ring: DescriptorRing) -> HPA { ring.base + 2 << pageShift }
}

/// Why the queue stopped (IQEI of the error record register).
enum QueueError: UInt64 {
    case tail = 1
    case fetch = 2
    case type = 3
    /// A reserved bit, or a field with a value that it cannot have.
    case field = 4
    /// Descriptors of 128 bits in scalable mode.
    case width = 5
    case tailAlignment = 6
}

// Software's side, of the ring that comes with the unit.
extension Ref<Unit> {
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
        let at = pointee.invalidations.base + pointee.invalidations.tail
        memory.setWord(at, descriptor.qw.0)
        memory.setWord(at + 8, descriptor.qw.1)
        memory.setWord(at + 16, descriptor.qw.2)
        memory.setWord(at + 24, descriptor.qw.3)
        pointee.invalidations.tail = pointee.invalidations.after(pointee.invalidations.tail)
    }

    /// Adds the wait, writes the tail register, and looks at the status.
    @discardableResult
    package func ring(drain: Bool) -> Bool {
        let drain = drain && can(VTD_CAP_PRS)
        let status = InvalidationQueue.status(pointee.invalidations)
        memory.setWord(status, 0)
        var wait = vtd_inv_desc()
        wait.qw.0 =
            UInt64(VTD_INV_WAIT.rawValue) | VTD_INV_WAIT_SW | VTD_INV_WAIT_FN
            | (drain ? VTD_INV_WAIT_PD : 0) | UInt64(InvalidationQueue.done) << 32
        wait.qw.1 = status.bits
        enqueue(wait)
        _ = process(Ref<DescriptorRing>(stable(&pointer.pointee.invalidations)))
        if memory.word(status) == UInt64(InvalidationQueue.done) { return true }
        // Invalidation queue error: skip what is left, as a driver does to go on.
        pointee.invalidations.head = pointee.invalidations.tail
        return false
    }
}

// Hardware's side.
extension Ref<Unit> {
    /// Carries out what is between head and tail.
    /// - Returns: why it stopped before; the head is then at the descriptor that cannot be.
    func process(_ ring: Ref<DescriptorRing>) -> QueueError? {
        guard ring.pointee.tail % ring.pointee.stride == 0 else { return .tailAlignment }
        guard ring.pointee.tail < ring.pointee.byteCount else { return .tail }
        while ring.pointee.head != ring.pointee.tail {
            let mustBeWide = pointee.registers.isRootSet && pointee.isScalable
            guard ring.pointee.isWide || !mustBeWide else { return .width }
            let at = ring.pointee.base + ring.pointee.head
            guard let words = fetch(at, isWide: ring.pointee.isWide) else { return .fetch }
            guard Descriptor.hasType(words.0) else { return .type }
            let descriptor = Descriptor.decode(words, canDrain: can(VTD_CAP_PRS))
            guard let descriptor, carryOut(descriptor) else { return .field }
            pointee.stats.invalidations &+= 1
            ring.pointee.head = ring.pointee.after(ring.pointee.head)
        }
        return nil
    }

    private func fetch(_ at: HPA, isWide: Bool) -> (UInt64, UInt64, UInt64, UInt64)? {
        guard let low = memory.word(at), let high = memory.word(at + 8) else { return nil }
        guard isWide else { return (low, high, 0, 0) }
        guard let third = memory.word(at + 16), let fourth = memory.word(at + 24) else {
            return nil
        }
        return (low, high, third, fourth)
    }
}
