// SPDX-License-Identifier: MIT
// Calls of users' functions, which run without a lock: who takes a function back waits for them.

@preconcurrency import CIOASIDVTDDriver
@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory
import IOASIDVTDHardware

/// The calls of a record's functions. Guarded by the hardware lock.
struct Calls {
    enum Fate {
        /// Its functions may be called.
        case live
        /// No more; whoever retired it waits for the calls that are running, and frees it.
        case retired
        /// No more; it was retired by a function that was called itself and could not wait: the last
        /// call frees it.
        case abandoned
    }
    var running = 0
    var fate = Fate.live
}

/// A record that has functions of a user.
protocol Called: Listed {
    var calls: Calls { get set }
}

// Through the pointer, as everything that threads share. With the hardware lock held.
extension Ref where Record: Called {
    var isLive: Bool { pointee.calls.fate == .live }

    func beginCall() { pointee.calls.running &+= 1 }

    func endCall() {
        pointee.calls.running &-= 1
        guard pointee.calls.running == 0 else { return }
        if pointee.calls.fate == .abandoned { Memory.free(self) }
        civtd_calls_done()
    }

    /// For want of the driver lock, and of time to wait: the last call frees the record.
    func discard() {
        pointee.calls.fate = .abandoned
        if pointee.calls.running == 0 { Memory.free(self) }
    }

    /// Waits, unless the calling thread is in a user's function, and frees the record.
    fileprivate func settle() {
        if civtd_is_in_call() { return discard() }
        while pointee.calls.running > 0 { civtd_wait_for_calls() }
        Memory.free(self)
    }
}

/// Records taken out of use with the driver lock held, to be settled without it: functions that are
/// still running may want the lock.
struct Retired {
    private var devices = List<DriverDevice>()
    private var bound = List<BoundDevice>()
    /// Users of processes: the last one frees a PASID, which is told to subscribers.
    private var process: UnsafeMutablePointer<mm_struct>?
    private var users = 0

    /// Guarded by the driver lock.
    nonisolated(unsafe) static var pending = Retired()

    static func take() -> Retired {
        defer { pending = Retired() }
        return pending
    }

    // MARK: With the hardware lock held

    mutating func add(_ device: Ref<DriverDevice>) {
        device.pointee.calls.fate = .retired
        devices.prepend(device)
    }

    mutating func add(_ device: Ref<BoundDevice>) {
        device.pointee.calls.fate = .retired
        bound.prepend(device)
    }

    /// With the driver lock only. One at a time is all that a request or a work item drops.
    mutating func add(_ mm: UnsafeMutablePointer<mm_struct>) {
        if let process, process != mm { return mmput(mm) }
        process = mm
        users &+= 1
    }

    // MARK: Without a lock

    func settle() {
        if let process {
            for _ in 0..<users { mmput(process) }
        }
        guard !devices.isEmpty || !bound.isEmpty else { return }
        Lock.hardware {
            devices.forEach { $0.settle() }
            bound.forEach { $0.settle() }
        }
    }
}
