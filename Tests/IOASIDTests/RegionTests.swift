// SPDX-License-Identifier: MIT
// Type-stable memory: from a number to its record and back, records of one part and of two.

import Testing

@testable import IOASIDMemory

private struct Twelve {
    var values: (UInt32, UInt32, UInt32)
}

private struct Sixteen {
    var values: (UInt64, UInt64)
}

/// `#expect` cannot hold a noncopyable value: these can.
private final class Records {
    static let chunkShift: UInt32 = 14
    private let region = Region<Twelve>(chunkShift: chunkShift)

    init(capacity: UInt32) throws { try #require(prepare(capacity)) }

    private func prepare(_ capacity: UInt32) -> Bool { region.prepare(capacity: capacity) }
    var capacity: UInt32 { region.capacity }
    var chunkBytes: Int { region.chunkBytes }
    func occupy(_ number: UInt32) -> Bool { region.occupy(.init(rawValue: number)) }
    func vacate(_ number: UInt32) { region.vacate(.init(rawValue: number)) }
    func ref(_ number: UInt32) -> Ref<Twelve> { region[.init(rawValue: number)] }
    func lookUp(_ address: UInt) -> Region<Twelve>.Address { region.lookUp(address) }
    func number(of ref: Ref<Twelve>) -> UInt32 { region.number(of: ref).rawValue }
}

private final class Halves {
    private let region = SplitRegion<Twelve, Sixteen>()

    init(capacity: UInt32) throws { try #require(prepare(capacity)) }

    func prepare(_ capacity: UInt32) -> Bool { region.prepare(capacity: capacity) }
    var capacity: UInt32 { region.capacity }
    func occupy(_ number: UInt32) -> Bool { region.occupy(number) }
    func vacate(_ number: UInt32) { region.vacate(number) }
    func first(_ number: UInt32) -> Ref<Twelve> { region.first(number) }
    func second(_ number: UInt32) -> Ref<Sixteen> { region.second(number) }
    var base: UInt { region.base }
}

@Suite("Region")
struct RegionTests {
    /// Not a whole number of chunks.
    static let capacity: UInt32 = 3 << Records.chunkShift | 5

    @Test("has no records before it has memory")
    func unprepared() {
        let region = Region<Twelve>(chunkShift: 12)
        let capacity = region.capacity
        #expect(capacity == 0)
        if case .outside = region.lookUp(0) {} else { Issue.record("a record at 0") }
    }

    @Test("gives each record its place, up to the last")
    func places() throws {
        let records = try Records(capacity: Self.capacity)
        #expect(records.capacity == Self.capacity)
        #expect(records.chunkBytes == 12 << 14)
        for number in stride(from: 0, to: Self.capacity, by: 1 << 10) {
            try #require(records.occupy(number))
            records.ref(number).pointee.values = (number, number, number)
        }
        let last = Self.capacity - 1
        try #require(records.occupy(last))
        records.ref(last).pointee.values = (last, last, last)
        for number in stride(from: 0, to: Self.capacity, by: 1 << 10) {
            #expect(records.ref(number).pointee.values == (number, number, number))
        }
        #expect(records.ref(last).pointee.values == (last, last, last))
        #expect(records.ref(1).address - records.ref(0).address == 12)
    }

    @Test("knows the addresses of its records from all others")
    func addresses() throws {
        let records = try Records(capacity: Self.capacity)
        for number in [0, 1, 4095, 4096, Self.capacity - 1] {
            let address = records.ref(number).address
            guard case .record(let ref) = records.lookUp(address) else {
                Issue.record("\(number) is no record")
                continue
            }
            #expect(ref == records.ref(number))
            #expect(records.number(of: ref) == number)
            for inside in 1..<12 as Range<UInt> {
                if case .inside = records.lookUp(address + inside) { continue }
                Issue.record("\(number) + \(inside)")
            }
        }
        let first = records.ref(0).address
        let end = records.ref(Self.capacity - 1).address + 12
        for address in [0, first - 1, first - 12, end, end + 12, UInt.max] {
            if case .outside = records.lookUp(address) { continue }
            Issue.record("\(address) is inside")
        }
    }

    @Test("counts the uses of each chunk")
    func chunks() throws {
        let records = try Records(capacity: 1 << 20)
        let numbers = (0..<32).map { UInt32($0) << Records.chunkShift | UInt32($0) }
        for number in numbers {
            try #require(records.occupy(number) && records.occupy(number + 1))
            records.ref(number).pointee.values.2 = 1
        }
        for number in numbers { records.vacate(number + 1) }
        #expect(numbers.allSatisfy { records.ref($0).pointee.values.2 == 1 })
        for number in numbers { records.vacate(number) }
        #expect(numbers.count { records.ref($0).pointee.values.2 == 0 } == numbers.count - 4)
    }
}

@Suite("SplitRegion")
struct SplitRegionTests {
    @Test("has two parts of each record, each beside those of its neighbours")
    func parts() throws {
        let capacity: UInt32 = 20_000
        let halves = try Halves(capacity: capacity)
        #expect(halves.capacity == capacity)
        #expect(halves.base == halves.first(0).address && halves.base != 0)
        for number in 0..<capacity {
            guard halves.occupy(number) else { fatalError("no memory") }
            halves.first(number).pointee.values = (number, number, number)
            halves.second(number).pointee.values = (UInt64(number), ~UInt64(number))
        }
        #expect(
            (0..<capacity).allSatisfy {
                halves.first($0).pointee.values == ($0, $0, $0)
                    && halves.second($0).pointee.values == (UInt64($0), ~UInt64($0))
            })
        #expect(halves.first(1).address - halves.first(0).address == 12)
        #expect(halves.second(1).address - halves.second(0).address == 16)
    }

    @Test("makes room for more or fewer when none is in use, and nothing of before is there")
    func again() throws {
        let halves = try Halves(capacity: 5000)
        let base = halves.base
        try #require(halves.occupy(4999))
        let old = halves.second(4999)
        old.pointee.values.0 = 7
        halves.vacate(4999)
        try #require(halves.prepare(100))
        #expect(halves.capacity == 100 && halves.base == base)
        try #require(halves.prepare(5001))
        #expect(halves.capacity == 5001 && halves.base != base)
        let larger = halves.base
        try #require(halves.occupy(5000))
        #expect(halves.second(5000).pointee.values.0 == 0)
        halves.vacate(5000)
        // There is room for twice as many; who looks where they were sees nothing.
        try #require(halves.prepare(10_000))
        #expect(halves.base == larger)
        #expect(old.pointee.values.0 == 0)
    }

    @Test("gives both parts back together")
    func back() throws {
        let shift = SplitRegion<Twelve, Sixteen>.chunkShift
        let halves = try Halves(capacity: 1 << 20)
        let numbers = (0..<16).map { (UInt32($0) + 1) << shift - 1 }
        for number in numbers {
            try #require(halves.occupy(number))
            halves.first(number).pointee.values.0 = 1
            halves.second(number).pointee.values.0 = 1
        }
        numbers.forEach { halves.vacate($0) }
        for (index, number) in numbers.enumerated() {
            let isKept: UInt32 = index >= 12 ? 1 : 0
            #expect(halves.first(number).pointee.values.0 == isKept)
            #expect(halves.second(number).pointee.values.0 == UInt64(isKept))
        }
    }
}
