// SPDX-License-Identifier: MIT
// The registers of a unit as a driver sees them (section 10.4): reading them, and what writing does.

@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory

/// What the registers hold that is nowhere else.
struct RegisterFile {
    /// RTADDR as it was written; what counts is latched by SRTP.
    var root: UInt64 = 0
    var isRootSet = false
    /// TES: translation is enabled. Until then the unit lets nothing pass.
    var isTranslating = false
    /// QIES.
    var isQueued = false
    var contextCommand: UInt64 = 0
    /// IQE of the fault status, and the error record.
    var queueError: QueueError?
    /// IWC of the invalidation completion status.
    var isWaitComplete = false
    var commandResponse: UInt64 = 0
}

/// Offsets and bits.
private enum Register {
    static let scalableMode: UInt64 = 1 << 10
    static let tableTypes: UInt64 = 3 << 10
    static let translationEnable: UInt32 = 1 << 31
    static let setRoot: UInt32 = 1 << 30
    static let queueEnable: UInt32 = 1 << 26
    static let isWide: UInt64 = 1 << 11
    /// QT: bits 18 to 4.
    static let tail: UInt64 = 0x7fff0
    static let faultOverflow: UInt32 = 1 << 0
    static let faultPending: UInt32 = 1 << 1
    static let queueError: UInt32 = 1 << 4
    static let contextCommand: UInt64 = 1 << 63
    /// CAIG, which is the hardware's to write.
    static let contextDone: UInt64 = 3 << 59
    /// CIRG, FM, SID, DID.
    static let contextFields: UInt64 = 3 << 61 | 0x3_ffff_ffff
    static let faultEnd = VTD_REG_FRCD + UInt32(FaultLog.size) * 16
}

// MARK: What the unit can do

extension Ref<Unit> {
    private func flag(_ capability: UInt32, _ bit: UInt64) -> UInt64 {
        can(capability) ? 1 << bit : 0
    }

    private var capability: UInt64 {
        let widths: UInt64 = can(VTD_CAP_SL5LP) ? 0b01110 : 0b00110
        let bits: UInt64 = can(VTD_CAP_SL5LP) || can(VTD_CAP_FL5LP) ? 57 : 48
        var value: UInt64 = 6 | flag(VTD_CAP_CM, 7)  // ND: 2^16 domain ids
        value |= widths << 8 | (bits &- 1) << 16  // SAGAW, MGAW
        value |= UInt64(VTD_REG_FRCD / 16) << 24 | UInt64(FaultLog.size &- 1) << 40  // FRO, NFR
        value |= 0b0011 << 34 | 1 << 39  // SSLPS: 2 MiB and 1 GiB; PSI
        value |= Descriptor.largestOrder << 48 | 1 << 54 | 1 << 55  // MAMV, DWD, DRD
        return value | 1 << 56 | flag(VTD_CAP_FL5LP, 60)  // FL1GP
    }

    private var extendedCapability: UInt64 {
        var value: UInt64 = 1 << 0 | 1 << 1 | 1 << 2  // C, QI, DT
        value |= flag(VTD_CAP_PT, 6) | flag(VTD_CAP_MTS, 25) | flag(VTD_CAP_NEST, 26)
        value |= flag(VTD_CAP_PRS, 29) | 1 << 30 | flag(VTD_CAP_SRS, 31)  // ERS
        value |= flag(VTD_CAP_EAFS, 34) | UInt64(pointee.config.pasid_bits &- 1) << 35  // PSS
        value |= 1 << 40 | flag(VTD_CAP_PRS, 42) | 1 << 43  // PASID, PDS, SMTS
        value |= (pointee.config.vcmd == nil ? 0 : 1 << 44) | flag(VTD_CAP_SLADS, 45)  // VCS
        return value | 1 << 46 | 1 << 47 | 1 << 48 | 1 << 49  // SLTS, FLTS, SMPWCS, RPS
    }
}

extension Ref<Unit> {
    /// The program has a queue of its own.
    package var hasOwnQueue: Bool { pointee.driver == nil && pointee.registers.isQueued }
}

// MARK: Reading. With the hardware lock held

extension Ref<Unit> {
    /// The aligned 64 bits at an offset; what is no register reads as 0.
    package func register(_ offset: UInt32) -> UInt64 {
        let file = pointee.registers
        switch offset {
        case VTD_REG_VER: return 0x40
        case VTD_REG_CAP: return capability
        case VTD_REG_ECAP: return extendedCapability
        case VTD_REG_GCMD: return UInt64(globalStatus) << 32
        case VTD_REG_RTADDR: return file.root
        case VTD_REG_CCMD: return file.contextCommand
        case VTD_REG_FSTS & ~7: return UInt64(faultStatus) << 32
        case VTD_REG_FECTL: return control(VTD_INTERRUPT_FAULT, pointee.faultEvent)
        case VTD_REG_FEADDR: return addresses(pointee.faultEvent)
        case VTD_REG_IQH: return shownQueue.head
        case VTD_REG_IQT: return shownQueue.tail
        case VTD_REG_IQA: return queueAddress
        case VTD_REG_ICS & ~7: return UInt64(file.isWaitComplete ? 1 : 0) << 32
        case VTD_REG_IECTL: return control(VTD_INTERRUPT_INVALIDATION, pointee.invalidationEvent)
        case VTD_REG_IEADDR: return addresses(pointee.invalidationEvent)
        case VTD_REG_IQER: return file.queueError?.rawValue ?? 0
        case VTD_REG_PQH: return pointee.requests.head
        case VTD_REG_PQT: return pointee.requests.tail
        case VTD_REG_PQA: return pointee.requests.base.bits | pointee.requests.order
        case VTD_REG_PRS & ~7: return UInt64(requestStatus) << 32
        case VTD_REG_PECTL: return control(VTD_INTERRUPT_PAGE_REQUEST, pointee.requestEvent)
        case VTD_REG_PEADDR: return addresses(pointee.requestEvent)
        case VTD_REG_FRCD..<Register.faultEnd:
            return pointee.faults.word(Int((offset &- VTD_REG_FRCD) / 8))
        case VTD_REG_VCRSP: return file.commandResponse
        case VTD_REG_VCCAP: return pointee.config.vcmd == nil ? 0 : 1
        default: return 0
        }
    }

    private var globalStatus: UInt32 {
        let file = pointee.registers
        return (file.isTranslating ? Register.translationEnable : 0)
            | (file.isRootSet ? Register.setRoot : 0) | (file.isQueued ? Register.queueEnable : 0)
    }

    private var faultStatus: UInt32 {
        var status: UInt32 = pointee.faults.hasOverflown ? Register.faultOverflow : 0
        if let index = pointee.faults.pending() {
            status |= Register.faultPending | UInt32(index) << 8
        }
        return pointee.registers.queueError == nil ? status : status | Register.queueError
    }

    private var requestStatus: UInt32 {
        (pointee.requests.isPending ? 1 : 0) | (pointee.requests.hasOverflown ? 2 : 0)
    }

    private var shownQueue: DescriptorRing {
        pointee.driver == nil ? pointee.queue : pointee.invalidations
    }

    private var queueAddress: UInt64 {
        let queue = shownQueue
        let pages = queue.byteCount >> pageShift
        return queue.base.bits | UInt64(pages.trailingZeroBitCount)
            | (queue.isWide ? Register.isWide : 0)
    }

    /// Is there something to service, of which the interrupt tells?
    func hasStatus(_ which: vtd_interrupt) -> Bool {
        switch which {
        case VTD_INTERRUPT_FAULT: faultStatus != 0
        case VTD_INTERRUPT_PAGE_REQUEST: requestStatus != 0
        default: pointee.registers.isWaitComplete
        }
    }

    private func control(_ which: vtd_interrupt, _ event: EventSource) -> UInt64 {
        UInt64(event.control(hasStatus: hasStatus(which))) | UInt64(event.message.0) << 32
    }

    private func addresses(_ event: EventSource) -> UInt64 {
        UInt64(event.message.1) | UInt64(event.message.2) << 32
    }
}

// MARK: Writing. With the hardware lock held

extension Ref<Unit> {
    /// A register of 64 bits. One of 32 is written by setHalfRegister().
    package func setRegister(_ offset: UInt32, _ value: UInt64) {
        switch offset {
        case VTD_REG_RTADDR:
            pointee.registers.root = value & (addressMask | Register.tableTypes)
        case VTD_REG_CCMD: commandContexts(value)
        case VTD_REG_IQT:
            pointee.queue.tail = value & Register.tail
            processQueue()
        case VTD_REG_IQA: placeQueue(value)
        case VTD_REG_PQH: pointee.requests.setHead(value)
        case VTD_REG_PQT: pointee.requests.setTail(value)
        case VTD_REG_PQA:
            pointee.requests.place(HPA(entry: value), order: value & 7)
        case VTD_REG_FRCD..<Register.faultEnd:
            // F, written as 1, clears the record.
            let word = Int((offset &- VTD_REG_FRCD) / 8)
            if word & 1 != 0 && value >> 63 != 0 { pointee.faults.clear(word / 2) }
        default:
            // Two of 32 bits.
            setHalfRegister(offset, UInt32(truncatingIfNeeded: value))
            setHalfRegister(offset &+ 4, UInt32(truncatingIfNeeded: value >> 32))
        }
    }

    package func setHalfRegister(_ offset: UInt32, _ value: UInt32) {
        switch offset {
        case VTD_REG_GCMD: command(value)
        case VTD_REG_FSTS:
            if value & Register.faultOverflow != 0 { pointee.faults.clearOverflow() }
            if value & Register.queueError != 0 {
                pointee.registers.queueError = nil
                processQueue()
            }
        case VTD_REG_ICS: if value & 1 != 0 { pointee.registers.isWaitComplete = false }
        case VTD_REG_PRS:
            if value & 1 != 0 { pointee.requests.isPending = false }
            if value & 2 != 0 { pointee.requests.hasOverflown = false }
        case VTD_REG_FECTL..<VTD_REG_FECTL &+ 16:
            setEvent(VTD_INTERRUPT_FAULT, offset &- VTD_REG_FECTL, value)
        case VTD_REG_IECTL..<VTD_REG_IECTL &+ 16:
            setEvent(VTD_INTERRUPT_INVALIDATION, offset &- VTD_REG_IECTL, value)
        case VTD_REG_PECTL..<VTD_REG_PECTL &+ 16:
            setEvent(VTD_INTERRUPT_PAGE_REQUEST, offset &- VTD_REG_PECTL, value)
        case VTD_REG_FRCD..<Register.faultEnd:
            if offset & 12 == 12 && value >> 31 != 0 {
                pointee.faults.clear(Int((offset &- VTD_REG_FRCD) / 16))
            }
        default: setHalf(of: offset & ~7, isUpper: offset & 4 != 0, value)
        }
    }

    /// Half of a register of 64 bits: the other half stays.
    private func setHalf(of offset: UInt32, isUpper: Bool, _ value: UInt32) {
        switch offset {
        case VTD_REG_RTADDR, VTD_REG_IQT, VTD_REG_IQA, VTD_REG_PQH, VTD_REG_PQT, VTD_REG_PQA:
            let old = register(offset)
            let mixed =
                isUpper
                ? old & 0xffff_ffff | UInt64(value) << 32
                : old & ~0xffff_ffff | UInt64(value)
            setRegister(offset, mixed)
        default: break
        }
    }

    private func setEvent(_ which: vtd_interrupt, _ offset: UInt32, _ value: UInt32) {
        guard let event = event(which) else { return }
        switch offset {
        case 0: event.pointee.setControl(value)
        case 4: event.pointee.message.0 = value & 0xffff
        case 8: event.pointee.message.1 = value & ~3
        default: event.pointee.message.2 = value
        }
    }

    private func command(_ value: UInt32) {
        if value & Register.setRoot != 0 {
            pointee.root = HPA(entry: pointee.registers.root)
            pointee.isScalable =
                pointee.registers.root & Register.tableTypes == Register.scalableMode
            pointee.registers.isRootSet = true
        }
        pointee.registers.isTranslating = value & Register.translationEnable != 0
        forgetPassages()
        let wasQueued = pointee.registers.isQueued
        pointee.registers.isQueued = value & Register.queueEnable != 0
        if !pointee.registers.isQueued { pointee.queue.head = 0 }
        if pointee.registers.isQueued && !wasQueued { processQueue() }
    }

    /// What intel_iommu_enable() and vtd_unit_set_root() do in one go.
    package func setRoot(_ root: HPA) {
        pointee.registers.root = root.bits | (root.bits == 0 ? 0 : Register.scalableMode)
        pointee.registers.isRootSet = root.bits != 0
        pointee.registers.isTranslating = root.bits != 0
        pointee.root = root
        pointee.isScalable = true
        forgetPassages()
    }

    /// CCMD: the way without a queue.
    private func commandContexts(_ value: UInt64) {
        let done = pointee.registers.contextCommand & Register.contextDone
        pointee.registers.contextCommand = value & Register.contextFields | done
        guard value & Register.contextCommand != 0, !pointee.registers.isQueued else { return }
        pointee.registers.contextCommand &= ~Register.contextDone
        let granularity = value >> 61 & 3
        let low =
            UInt64(VTD_INV_CONTEXT.rawValue) | granularity << UInt64(VTD_INV_GRAN_SHIFT)
            | (value & 0xffff) << 16 | (value >> 16 & 0xffff) << 32 | (value >> 32 & 3) << 48
        let descriptor = Descriptor.decode((low, 0, 0, 0), canDrain: false)
        guard let descriptor, carryOut(descriptor) else { return }
        pointee.registers.contextCommand |= granularity << 59
    }

    private func placeQueue(_ value: UInt64) {
        pointee.queue = DescriptorRing(
            base: HPA(entry: value), byteCount: pageSize << (value & 7),
            isWide: value & Register.isWide != 0)
    }

    private func processQueue() {
        guard pointee.registers.isQueued, pointee.registers.queueError == nil,
            let error = process(Ref<DescriptorRing>(stable(&pointer.pointee.queue)))
        else { return }
        pointee.registers.queueError = error
        raise(VTD_INTERRUPT_FAULT)
    }
}

// MARK: The virtual command. Without a lock

extension Ref<Unit> {
    package func commandPASIDs(_ command: UInt64) {
        guard let vcmd = pointee.config.vcmd else { return }
        let response = callUser { vcmd(command, pointee.config.vcmd_data) }
        Lock.hardware {
            if Handle.isUnit(self) { pointee.registers.commandResponse = response & ~1 }
        }
    }
}
