// SPDX-License-Identifier: MIT
// The hardware as a program sees it that links no driver: memory, units, devices, DMA, faults.

@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory
import IOASIDVTDHardware
import Testing

/// Root, context, directory and table, with one pass-through entry: PASID 5 of device 08:00.0.
private struct Bench {
    static let pasid: UInt32 = 5
    static let source = SourceID(0x800)
    let machine: Ref<Machine>
    let unit: Ref<Unit>
    let device: Ref<Device>

    init() throws {
        let made = Lock.hardware { Machine.create(size: 16 << 20) }
        let machine = try #require(made)
        let config = vtd_unit_config(
            capabilities: VTD_CAP_PT, pasid_bits: 20, vcmd: nil, vcmd_data: nil)
        let madeUnit = Lock.hardware { Unit.create(machine, config) }
        let unit = try #require(madeUnit)
        let madeDevice = Lock.hardware { Device.create(unit, Bench.source, 0).0 }
        let pages = Lock.hardware { machine.allocatePages(4) }
        let root = try #require(pages)
        let memory = machine.pointee.memory
        memory.setWord(RootTable.halfEntry(root, Bench.source), (root + 0x1000).bits | 1)
        memory.setWord(root + 0x1000, (root + 0x2000).bits | 1 | ContextEntry.pasidEnable)
        memory.setWord(root + 0x2000, (root + 0x3000).bits | 1)
        let type = UInt64(VTD_PGTT_PASS_THROUGH.rawValue) << UInt64(VTD_PE_PGTT_SHIFT)
        memory.setWord(root + 0x3000 + UInt64(Bench.pasid) * 64, VTD_PE_P | type)
        unit.setRoot(root)
        self.machine = machine
        self.unit = unit
        device = try #require(madeDevice)
    }

    func discard() {
        Lock.hardware {
            _ = Device.destroy(device)
            Unit.destroy(unit)
            Machine.destroy(machine)
        }
    }
}

@Suite(.serialized) struct HardwareAloneTests {
    @Test func translatesAndFaultsWithoutADriver() throws {
        let bench = try Bench()
        let device = OpaquePointer(bench.device.pointer)
        var reached: UInt64 = 0
        #expect(DMA.access(device, Bench.pasid, 0x1234, VTD_DMA_READ) { reached = $1.bits } == 0)
        #expect(reached == 0x1234)
        let refused = DMA.access(device, Bench.pasid + 1, 0, VTD_DMA_READ) { _, _ in }
        #expect(UInt32(refused) == VTD_FAULT_PASID_NOT_PRESENT.rawValue)
        #expect(bench.unit.pointee.faults.take()?.reason == UInt32(refused))
        bench.discard()
    }

    @Test func nothingIsLeft() throws {
        let blocks = Memory.blocksInUse
        try Bench().discard()
        #expect(Memory.blocksInUse == blocks)
        #expect(Handle.machine(nil) == nil)
    }
}
