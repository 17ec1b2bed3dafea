// SPDX-License-Identifier: MIT
// Interrupts of a unit, each a function of the program; and the addresses that are for messages.

@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory

/// The range of addresses that is for interrupt messages (section 3.14): no memory, even if there is.
enum Interrupts {
    private static let first: UInt64 = 0xfee0_0000
    private static let count: UInt64 = 0x0010_0000

    static func contain(_ address: UInt64) -> Bool { address &- first < count }
}

/// One of the events of a unit: its control, data and address registers, and who is called.
package struct EventSource {
    /// IM. Set at first.
    package var isMasked = true
    /// IP: it happened while it was masked.
    var isPending = false
    /// Data, address, upper address: kept, without effect.
    var message: (UInt32, UInt32, UInt32) = (0, 0, 0)
    var function: vtd_interrupt_fn?
    var data: UnsafeMutableRawPointer?

    private static let mask: UInt32 = 1 << 31
    private static let pending: UInt32 = 1 << 30

    /// - Parameter hasStatus: is there something that software has not serviced?
    func control(hasStatus: Bool) -> UInt32 {
        (isMasked ? EventSource.mask : 0)
            | (isPending && hasStatus ? EventSource.pending : 0)
    }

    mutating func setControl(_ value: UInt32) { isMasked = value & EventSource.mask != 0 }

    /// - Returns: whether it is to be delivered now.
    fileprivate mutating func take() -> Bool {
        guard isPending, !isMasked, function != nil else { return false }
        isPending = false
        return true
    }
}

// With the hardware lock held.
extension Ref<Unit> {
    func event(_ which: vtd_interrupt) -> Ref<EventSource>? {
        switch which {
        case VTD_INTERRUPT_FAULT: Ref<EventSource>(stable(&pointer.pointee.faultEvent))
        case VTD_INTERRUPT_PAGE_REQUEST: Ref<EventSource>(stable(&pointer.pointee.requestEvent))
        case VTD_INTERRUPT_INVALIDATION:
            Ref<EventSource>(stable(&pointer.pointee.invalidationEvent))
        default: nil
        }
    }

    /// Delivered when the lock is left, by deliverInterrupts().
    func raise(_ which: vtd_interrupt) {
        event(which)?.pointee.isPending = true
        pointee.hasRaised = true
    }

    private func takeInterrupt() -> (vtd_interrupt, vtd_interrupt_fn, UnsafeMutableRawPointer?)? {
        pointee.hasRaised = false
        for number in 0..<VTD_INTERRUPTS {
            let which = vtd_interrupt(number)
            // Software that has serviced the status has cleared IP with it.
            guard let event = event(which), event.pointee.isPending, hasStatus(which),
                event.pointee.take(), let function = event.pointee.function
            else { continue }
            return (which, function, event.pointee.data)
        }
        return nil
    }
}

// Without a lock.
extension Ref<Unit> {
    /// Calls whoever is to be told of what has happened. A function may do what it wants, the unit may
    /// be gone after it.
    package func deliverInterrupts() {
        while true {
            let taken = Lock.hardware {
                () -> (vtd_interrupt, vtd_interrupt_fn, UnsafeMutableRawPointer?)? in
                guard Handle.isUnit(self), pointee.driver == nil, let taken = takeInterrupt()
                else { return nil }
                pointee.interruptsRunning &+= 1
                return taken
            }
            guard let (which, function, data) = taken else { return }
            callUser { function(handle, which, data) }
            Lock.hardware {
                guard Handle.isUnit(self) else { return }
                pointee.interruptsRunning &-= 1
                if pointee.interruptsRunning == 0 { civtd_calls_done() }
            }
        }
    }

    /// Outside a function of the program, the former function is not running any more on return.
    package func setInterrupt(
        _ which: vtd_interrupt, _ function: vtd_interrupt_fn?, _ data: UnsafeMutableRawPointer?
    ) -> CInt {
        let error: CInt = Lock.hardware {
            guard pointee.driver == nil else { return -EBUSY }
            guard let event = event(which) else { return -EINVAL }
            event.pointee.function = nil
            while !civtd_is_in_call() && Handle.isUnit(self) && pointee.interruptsRunning > 0 {
                civtd_wait_for_calls()
            }
            event.pointee.data = data
            event.pointee.function = function
            return 0
        }
        if error == 0 { deliverInterrupts() }
        return error
    }
}

/// Runs a function of the program. The thread is known to be in one until it returns.
@inline(__always)
package func callUser<Result>(_ function: () -> Result) -> Result {
    var call = civtd_call()
    return withUnsafeMutablePointer(to: &call) { call in
        civtd_begin_call(call)
        defer { civtd_end_call(call) }
        return function()
    }
}
