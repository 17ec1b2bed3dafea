// SPDX-License-Identifier: MIT
// The numbers that users see, in types of their own: ids and set-private ids.

import IOASIDMemory
import IOASIDRuntime

/// An id: what the kernel calls an IOASID, PCI a PASID, Arm a SubstreamID.
package struct ID: Numbered {
    package let rawValue: UInt32

    @inline(__always)
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// INVALID_IOASID, which is a cast in the header and so not visible here. Also ends lists.
    @inline(__always)
    package static var invalid: ID { ID(rawValue: .max) }
}

/// A set-private id: the number by which a guest knows an id of its set.
package struct SPID: Numbered {
    package let rawValue: UInt32

    @inline(__always)
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// INVALID_IOASID: no SPID.
    @inline(__always)
    package static var none: SPID { SPID(rawValue: .max) }
}

/// Where a request wants its id; both ends are inside.
package struct IDRange {
    package let low: UInt32
    package let high: UInt32

    @inline(__always)
    package init(_ low: UInt32, through high: UInt32) {
        self.low = low
        self.high = high
    }

    @inline(__always)
    package var isEmpty: Bool { low > high }

    /// How many ids. Not of an empty range, nor of all 2^32 numbers.
    var count: UInt32 { high &- low &+ 1 }

    package func contains(_ id: ID) -> Bool { id.rawValue >= low && id.rawValue <= high }
}
