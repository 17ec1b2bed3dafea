// SPDX-License-Identifier: MIT
// The short way of a request: what a cache has answered rightly before, without the hardware lock.

@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory

/// The way from the root register to a translation, past every cache. It needs no lock: the words of
/// tables do not tear.
struct TableRoot {
    let memory: PhysicalMemory
    let root: HPA
    let source: SourceID
    let capabilities: UInt32
    let pasidLimit: UInt32
    let hasTLB: Bool

    func contextEntry() throws(Fault) -> ContextEntry {
        try RootTable.contextEntry(memory, root: root, source)
    }

    func checkDeviceTLB(_ context: ContextEntry) throws(Fault) {
        if hasTLB && !context.has(ContextEntry.deviceTLB) {
            throw Fault(VTD_FAULT_DTE_CLEAR, quiet: context.isQuiet)
        }
    }

    func pasid(of request: Request, _ context: ContextEntry) throws(Fault) -> PASID {
        let isQuiet = context.isQuiet
        try checkDeviceTLB(context)
        let limit = min(context.pasidLimit, pasidLimit)
        guard let pasid = request.pasid else {
            guard context.requestPASID.number < limit else {
                throw Fault(VTD_FAULT_REQUEST_PASID, quiet: isQuiet)
            }
            return context.requestPASID
        }
        guard context.has(ContextEntry.pasidEnable) else {
            throw Fault(VTD_FAULT_PASIDE_CLEAR, quiet: isQuiet)
        }
        guard pasid.number < limit else { throw Fault(VTD_FAULT_PASID_TOO_LARGE, quiet: isQuiet) }
        return pasid
    }

    func tableEntry(
        _ context: ContextEntry, _ pasid: PASID
    ) throws(Fault) -> (PASIDEntry, isQuiet: Bool) {
        let (at, isQuiet) = try PASIDDirectory.find(memory, context, pasid)
        let entry = try PASIDEntry.fetch(memory, at: at, capabilities, isQuiet: isQuiet)
        return (entry, isQuiet || entry.isQuiet)
    }

    /// Is this where the tables lead now, and may the request be made there? Whether the page is marked
    /// dirty already makes no difference.
    func agrees(_ request: Request, frame: HPA) -> Bool {
        do throws(Fault) {
            let context = try contextEntry()
            let (entry, _) = try tableEntry(context, try pasid(of: request, context))
            try entry.check(request)
            let found = try PageWalk(memory: memory, entry: entry, unit: nil).translate(request)
            return found.frame == frame && request.rights & ~found.allowed == 0
        } catch {
            return false
        }
    }
}

extension PASIDEntry {
    /// What it says of a request with PASID, whatever the page tables are.
    func check(_ request: Request) throws(Fault) {
        guard request.pasid != nil, usesFirstLevel else { return }
        if request.isPrivileged && !allowsSupervisor { throw Fault(VTD_FAULT_SRE_CLEAR) }
        if request.isExecute && !allowsExecute { throw Fault(VTD_FAULT_ERE_CLEAR) }
    }
}

/// What a passage's tag has beside the address of the page.
private enum PassageBit {
    static let rights = UInt64(VTD_DMA_READ | VTD_DMA_WRITE)
    static let isPrivileged = UInt64(VTD_DMA_PRIV)
    static let answerShift: UInt64 = 8
    static let valid: UInt64 = 1 << 11
    /// What must be the same.
    static let key = ~(pageSize &- 1) | valid | isPrivileged
}

/// What answered a request, as it is counted.
enum Answer: UInt64 {
    case passThrough, iotlb, deviceTLB
}

// A device remembers the requests that a cache answered when the tables said the same. Such a request
// passes again without the hardware lock, as long as no cache of the device was told to forget anything
// (`epoch`), and no table has changed (`generation`); if one has, the tables are walked again, without
// the lock as well. What is remembered is therefore never stale, and what is not is asked in the long way.
extension UnsafeMutablePointer<civtd_port> {
    static var passages: Int { 1024 }

    @inline(__always)
    private func passage(_ pasid: UInt32, _ address: UInt64) -> UnsafeMutablePointer<civtd_passage>
    {
        let page = address >> pageShift
        // Neighbours, and pages whole tables apart, have different places.
        let hash = page ^ page >> 9 ^ page >> 18 ^ UInt64(pasid) &* 0x9d
        return pointee.passages + Int(truncatingIfNeeded: hash & UInt64(Self.passages &- 1))
    }

    @inline(__always)
    private func key(_ address: UInt64, _ access: UInt32) -> UInt64 {
        address & ~(pageSize &- 1) | PassageBit.valid | UInt64(access) & PassageBit.isPrivileged
    }

    // MARK: With the lock of the port

    var memory: PhysicalMemory {
        PhysicalMemory(base: pointee.memory, size: pointee.size, watched: pointee.watch)
    }

    /// - Parameter access: without VTD_DMA_EXEC
    /// - Returns: where the request leads; nil if it has to go the long way.
    @inline(__always)
    func pass(_ pasid: UInt32, _ address: UInt64, _ access: UInt32) -> HPA? {
        let place = passage(pasid, address)
        let tag = place.pointee.tag
        guard tag & PassageBit.key == key(address, access), place.pointee.pasid == pasid,
            place.pointee.epoch == pointee.epoch,
            UInt64(access) & PassageBit.rights & ~tag == 0
        else { return nil }
        let generation = civtd_generation(pointee.watch)
        let isKnown = generation == place.pointee.generation && generation & CIVTD_UNTOLD == 0
        guard isKnown || renew(place, generation, pasid, address, access) else { return nil }
        switch tag >> PassageBit.answerShift & 3 {
        case Answer.deviceTLB.rawValue: pointee.passed.2 &+= 1
        case Answer.iotlb.rawValue: pointee.passed.1 &+= 1
        default: pointee.passed.0 &+= 1
        }
        return HPA(place.pointee.frame) + IOVA(address).inPage
    }

    /// Some table has changed: has it to do with this request?
    @inline(never)
    private func renew(
        _ place: UnsafeMutablePointer<civtd_passage>, _ generation: UInt64, _ pasid: UInt32,
        _ address: UInt64, _ access: UInt32
    ) -> Bool {
        let isUntold = generation & CIVTD_UNTOLD != 0
        let root = TableRoot(
            memory: memory.watching(isUntold ? .ignored : .required), root: HPA(pointee.root),
            source: SourceID(pointee.source), capabilities: pointee.capabilities,
            pasidLimit: pointee.pasid_limit, hasTLB: pointee.has_tlb)
        let request = Request(
            pasid: pasid == UInt32.max ? nil : PASID(pasid), address: IOVA(address),
            access: access)
        guard root.agrees(request, frame: HPA(place.pointee.frame)) else { return false }
        place.pointee.generation = generation
        return true
    }

    // MARK: With the hardware lock held

    /// - Parameter generation: of before the tables were compared
    func remember(
        _ request: Request, _ found: Translation, _ answer: Answer, _ generation: UInt64, root: HPA
    ) {
        let pasid = request.pasid?.number ?? UInt32.max
        civtd_lock(self)
        pointee.root = root.bits
        pointee.is_used = true
        passage(pasid, request.address.bits).pointee = civtd_passage(
            tag: key(request.address.bits, request.access)
                | UInt64(found.rights) & PassageBit.rights
                | answer.rawValue << PassageBit.answerShift,
            frame: found.frame.bits, generation: generation, pasid: pasid, epoch: pointee.epoch)
        civtd_unlock(self)
    }

    /// The long way has to see the page's next requests.
    func forget(_ request: Request) {
        guard pointee.is_used else { return }
        civtd_lock(self)
        passage(request.pasid?.number ?? UInt32.max, request.address.bits).pointee.tag = 0
        civtd_unlock(self)
    }

    /// A cache has been told to forget something. No request by what was known is on its way any more
    /// when this returns.
    func forgetAll() {
        guard pointee.is_used else { return }
        civtd_lock(self)
        pointee.is_used = false
        pointee.epoch &+= 1
        if pointee.epoch == 0 {
            for index in 0..<Self.passages { pointee.passages[index].tag = 0 }
        }
        civtd_unlock(self)
    }

    /// Adds what has passed since the last call.
    func count(into stats: inout vtd_stats) {
        civtd_lock(self)
        let passed = pointee.passed
        pointee.passed = (0, 0, 0)
        civtd_unlock(self)
        stats.dma &+= passed.0 &+ passed.1 &+ passed.2
        stats.pasid_cache_hits &+= passed.0 &+ passed.1
        stats.iotlb_hits &+= passed.1
        stats.devtlb_hits &+= passed.2
    }
}

// With the hardware lock held.
extension Ref<Device> {
    func tables(_ watch: PhysicalMemory.Watch) -> TableRoot {
        let unit = pointee.unit
        return TableRoot(
            memory: unit.memory.watching(watch), root: unit.pointee.root, source: pointee.source,
            capabilities: unit.pointee.config.capabilities, pasidLimit: unit.pasidLimit,
            hasTLB: hasTLB)
    }

    /// After the caches of the device were told to forget something.
    func forgetPassages() { pointee.port?.forgetAll() }
}

extension Ref<Unit> {
    func forgetPassages() { pointee.devices.forEach { $0.forgetPassages() } }

    /// The unit's counters, with what its devices have counted.
    package func takeStats() -> vtd_stats {
        var stats = pointee.stats
        pointee.devices.forEach { $0.pointee.port?.count(into: &stats) }
        pointee.stats = stats
        return stats
    }
}
