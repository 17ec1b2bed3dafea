// SPDX-License-Identifier: MIT
// The log: which lines pass, the replaceable sink, and the rate-limited lines of the core.

import CIOASID
import CIOASIDRuntime
import IOASIDMemory
import Synchronization

/// Nothing here allocates. The only lock is shared by all lines, so the core may log with its own
/// lock held.
package enum Log {
    /// A line at warning level, limited in rate by message: a noisy cause never hides another.
    ///
    /// - Parameters:
    ///   - id: shown unless it is `UInt32.max`.
    ///   - caller: the exported function, as `#function` gives it.
    @inline(never)
    package static func warn(
        _ message: StaticString, _ id: UInt32 = .max, caller: StaticString = ""
    ) {
        // Two messages whose addresses fold to one place share its allowance, nothing worse.
        let limit = cio_log_limit(UInt(bitPattern: message.utf8Start))
        guard passes(IOASID_LOG_WARNING), mayRepeat(limit, about: message.cString) else { return }
        cio_log_line(IOASID_LOG_WARNING, caller.cString, message.cString, id)
    }

    // MARK: Level

    package static func passes(_ level: Int32) -> Bool {
        level <= threshold()
    }

    /// - Returns: the level until now.
    package static func setLevel(_ level: Int32) -> Int32 {
        _ = threshold()
        return logLevel.exchange(level < -1 ? -1 : level, ordering: .relaxed)
    }

    /// The environment is asked once, by the first line or change.
    private static func threshold() -> Int32 {
        let level = logLevel.load(ordering: .relaxed)
        guard level == levelUnknown else { return level }
        var refused: UnsafePointer<CChar>?
        let asked = cio_log_level_from_environment(&refused)
        let (done, now) = logLevel.compareExchange(
            expected: levelUnknown, desired: asked, ordering: .relaxed)
        guard done else { return now }
        if let refused {
            let accepted: StaticString = "none, err, warning, info, debug, or 0 to 7"
            cio_refuse_variable(("IOASID_LOG" as StaticString).cString, refused, accepted.cString)
        }
        return asked
    }

    // MARK: Rate

    /// Windows are counted with atomic operations on the caller's structure; a race at the edge of
    /// a window may let a few lines more pass, never lose the count of those refused.
    package static func mayRepeat(
        _ state: UnsafeMutablePointer<ioasid_ratelimit_state>, about: UnsafePointer<CChar>? = nil
    ) -> Bool {
        let now = cio_now_ms()
        let begin = cio_load32(&state.pointee.begin_ms)
        if begin == 0 || now &- begin >= state.pointee.interval_ms {
            if cio_cas32(&state.pointee.begin_ms, begin, now) {
                cio_store32(&state.pointee.printed, 0)
                let missed = cio_swap32(&state.pointee.missed, 0)
                if missed != 0, passes(IOASID_LOG_WARNING) {
                    cio_log_missed(missed, about)
                }
            }
        }
        guard cio_add32(&state.pointee.printed, 1) >= state.pointee.burst else { return true }
        _ = cio_add32(&state.pointee.missed, 1)
        return false
    }
}

private let levelUnknown = Int32.min
private let logLevel = Atomic<Int32>(Int32.min)

// MARK: For ioasid_printk()

@_cdecl("cio_log_passes") @implementation
public func cio_log_passes(_ level: Int32) -> Bool {
    Log.passes(level)
}

@_cdecl("cio_log_may_repeat") @implementation
public func cio_log_may_repeat(
    _ state: UnsafeMutablePointer<ioasid_ratelimit_state>, _ about: UnsafePointer<CChar>?
) -> Bool {
    Log.mayRepeat(state, about: about)
}
