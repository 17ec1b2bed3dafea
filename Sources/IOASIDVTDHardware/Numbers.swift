// SPDX-License-Identifier: MIT
// Numbers that must not be taken for one another: PASIDs, domain ids, source ids, addresses.

/// A PASID as it is on the bus and in descriptors: 20 bits.
package struct PASID: Equatable {
    package let number: UInt32

    @inline(__always)
    package init(_ number: UInt32) { self.number = number }

    /// Under which requests without PASID are translated, unless the context entry says another.
    package static let ofRequestsWithout = PASID(0)
}

/// A domain id (DID): what the caches of a unit are tagged with.
package struct DomainID: Equatable {
    package let number: UInt16

    @inline(__always)
    package init(_ number: UInt16) { self.number = number }
}

/// Bus, device and function: who sends a request.
package struct SourceID: Equatable {
    package let number: UInt16

    @inline(__always)
    package init(_ number: UInt16) { self.number = number }

    package var bus: UInt64 { UInt64(number >> 8) }
    package var deviceAndFunction: UInt64 { UInt64(number & 0xff) }
}

package let pageShift: UInt64 = 12
package let pageSize: UInt64 = 1 << pageShift
/// Where an entry of any table has its address: bits 51 to 12.
package let addressMask: UInt64 = 0x000f_ffff_ffff_f000
/// Above them there is no address.
package let beyondAddress: UInt64 = 0xfff0_0000_0000_0000

/// An address in one of the address spaces; adding keeps it in the same.
package protocol Address: Equatable {
    var bits: UInt64 { get }
    init(_ bits: UInt64)
}

extension Address {
    @inline(__always)
    package var page: UInt64 { bits >> pageShift }
    @inline(__always)
    package var inPage: UInt64 { bits & (pageSize &- 1) }
    @inline(__always)
    package var isPage: Bool { inPage == 0 }

    @inline(__always)
    package static func + (address: Self, offset: UInt64) -> Self { Self(address.bits &+ offset) }
}

/// Host-physical: what memory is read and written at.
package struct HPA: Address {
    package let bits: UInt64
    @inline(__always)
    package init(_ bits: UInt64) { self.bits = bits }

    /// What an entry points to.
    @inline(__always)
    package init(entry: UInt64) { bits = entry & addressMask }
}

/// Guest-physical: what a second-level table translates, be it a guest's or plain DMA.
package struct GPA: Address {
    package let bits: UInt64
    @inline(__always)
    package init(_ bits: UInt64) { self.bits = bits }
}

/// What a device asks for; a virtual address, where there is a first-level table.
package struct IOVA: Address {
    package let bits: UInt64
    @inline(__always)
    package init(_ bits: UInt64) { self.bits = bits }
}
