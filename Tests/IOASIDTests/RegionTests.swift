// SPDX-License-Identifier: MIT
// Type-stable memory: always readable, writable while in use, zero again once it went back.

import Testing

@testable import IOASIDCore
@testable import IOASIDMemory

/// Four-byte records, a page a stretch.
private final class Records {
    static let perStretch: UInt32 = 1 << 10
    private let region = Region(recordShift: 10, byteShift: 12)

    init(capacity: UInt32) throws { try #require(prepare(capacity)) }

    private func prepare(_ capacity: UInt32) -> Bool { region.prepare(capacity: capacity) }
    var capacity: UInt32 { region.capacity }
    func occupy(_ number: UInt32) -> Bool { region.occupy(number) }
    func vacate(_ number: UInt32) { region.vacate(number) }

    subscript(number: UInt32) -> UInt32 {
        get { address(number)?.pointee ?? .max }
        set { address(number)?.pointee = newValue }
    }

    private func address(_ number: UInt32) -> UnsafeMutablePointer<UInt32>? {
        UnsafeMutablePointer(bitPattern: region.base + UInt(number) * 4)
    }
}

@Suite("Region")
struct RegionTests {
    @Test("reads as zero where nothing was used, up to the last record")
    func untouched() throws {
        let records = try Records(capacity: 1 << 20)
        #expect(records.capacity == 1 << 20)
        #expect(records[0] == 0)
        #expect(records[1 << 20 - 1] == 0)
    }

    @Test("keeps a record while it or a neighbour is in use")
    func neighbours() throws {
        let records = try Records(capacity: 1 << 20)
        #expect(records.occupy(5))
        #expect(records.occupy(6))
        records[5] = 50
        records[6] = 60
        records.vacate(5)
        #expect(records[5] == 50)
        #expect(records[6] == 60)
    }

    @Test("gives memory back, stays readable, and is writable again")
    func comesAndGoes() throws {
        let records = try Records(capacity: 1 << 20)
        let numbers = (0..<64).map { UInt32($0) * Records.perStretch + 7 }
        for round in 1...3 as ClosedRange<UInt32> {
            for number in numbers {
                #expect(records.occupy(number))
                records[number] = round
            }
            #expect(numbers.allSatisfy { records[$0] == round })
            numbers.forEach { records.vacate($0) }
            // All but the few stretches that are kept for the next ones.
            #expect(numbers.filter { records[$0] == 0 }.count >= numbers.count - 8)
        }
    }

    @Test("keeps the stretches that became empty last, not the first ones")
    func keepsTheLatest() throws {
        let records = try Records(capacity: 1 << 20)
        let numbers = (0..<64).map { UInt32($0) * Records.perStretch }
        for number in numbers { try #require(records.occupy(number)) }
        for number in numbers { records[number] = 1 }
        numbers.reversed().forEach { records.vacate($0) }
        // A record that comes and goes where the last ones went finds the memory as it was.
        #expect(records[0] == 1)
        #expect(records.occupy(0))
        records.vacate(0)
        #expect(records[0] == 1)
        #expect(records[numbers[63]] == 0)
    }
}
