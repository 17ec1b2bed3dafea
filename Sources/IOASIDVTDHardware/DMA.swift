// SPDX-License-Identifier: MIT
// The way of one DMA request: device TLB, context, PASID entry, IOTLB, page tables.

@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory

enum DMAOutcome {
    case reached(HPA)
    case refused(UInt32)
    /// The device has asked for the page, and there is no answer yet.
    case waiting
}

// With the hardware lock held.
extension Ref<Device> {
    func access(_ request: Request) -> DMAOutcome {
        pointee.unit.pointee.stats.dma &+= 1
        do {
            let found = try translate(request)
            pointee.waiting.forget(request)
            return .reached(found.physical(request))
        } catch {
            return handle(error, request)
        }
    }

    /// A translation request alone (section 4.1.1): what the tables do not allow is answered without
    /// rights, which is no fault to record.
    func requestTranslation(_ request: Request) -> DMAOutcome {
        pointee.unit.pointee.stats.dma &+= 1
        do throws(Fault) {
            try checkUnit(request)
            let found = try remap(request)
            let tag = tag(request)
            pointee.tlb?.insert(DeviceTranslation(tag, found), tag)
            return .reached(found.physical(request))
        } catch {
            guard error.isRecoverable else { return refuse(error, request) }
            return .refused(error.reason)
        }
    }

    private func tag(_ request: Request) -> DeviceTranslation.Tag {
        DeviceTranslation.Tag(
            pasid: request.pasid, page: request.address.page, isPrivileged: request.isPrivileged)
    }

    /// What holds whatever the tables say, and the caches have.
    private func checkUnit(_ request: Request) throws(Fault) {
        let unit = pointee.unit
        guard unit.pointee.registers.isTranslating, unit.pointee.root.bits != 0 else {
            throw Fault(VTD_FAULT_ROOT_NOT_PRESENT)
        }
        guard unit.pointee.isScalable else { throw Fault(VTD_FAULT_ROOT_MODE) }
        if request.pasid == nil && Interrupts.contain(request.address.bits) {
            throw Fault(VTD_FAULT_INTERRUPT)
        }
    }

    private func translate(_ request: Request) throws(Fault) -> Translation {
        try checkUnit(request)
        let tag = tag(request)
        if let hit = pointee.tlb?.lookUp(tag), hit.translation.allows(request) {
            pointee.unit.pointee.stats.devtlb_hits &+= 1
            noteIfStale(hit.translation, request)
            return hit.translation
        }
        let found = try remap(request)
        pointee.tlb?.insert(DeviceTranslation(tag, found), tag)
        return found
    }

    /// What the unit does with a request that no device TLB answers.
    private func remap(_ request: Request) throws(Fault) -> Translation {
        var isFromCache = pointee.context != nil
        let context: ContextEntry
        if let cached = pointee.context {
            context = cached
        } else {
            context = try fetchContext()
            pointee.context = context
        }
        let pasid = try pasid(of: request, context)
        let tag = CachedPASID.Tag(source: pointee.source, pasid: pasid)
        let cached: CachedPASID
        if let hit = pointee.unit.pointee.pasidCache.lookUp(tag) {
            pointee.unit.pointee.stats.pasid_cache_hits &+= 1
            cached = hit
            isFromCache = true
        } else {
            cached = try fetch(context, tag)
            pointee.unit.pointee.pasidCache.insert(cached, tag)
        }
        do {
            try check(cached.entry, request)
            return try translate(request, cached.entry, pasid, isFromCache: isFromCache)
        } catch {
            var fault = error
            fault.isQuiet = context.isQuiet || cached.isQuiet
            throw fault
        }
    }

    private func translate(
        _ request: Request, _ entry: PASIDEntry, _ pasid: PASID, isFromCache: Bool
    ) throws(Fault) -> Translation {
        let walk = PageWalk(memory: pointee.unit.memory, entry: entry, unit: pointee.unit)
        // What is not translated needs no cache.
        guard !entry.isType(VTD_PGTT_PASS_THROUGH) else {
            let found = try walk.translate(request)
            if isFromCache { noteIfStale(found, request) }
            return found
        }
        let isOfPASID = entry.usesFirstLevel
        let tag = CachedTranslation.Tag(
            domain: entry.domain, pasid: isOfPASID ? pasid : nil, page: request.address.page,
            isPrivileged: isOfPASID && request.isPrivileged)
        if let hit = pointee.unit.pointee.iotlb.lookUp(tag), hit.translation.allows(request) {
            pointee.unit.pointee.stats.iotlb_hits &+= 1
            noteIfStale(hit.translation, request)
            return hit.translation
        }
        let found = try walk.translate(request)
        pointee.unit.pointee.iotlb.insert(CachedTranslation(tag, found), tag)
        if isFromCache || entry.isType(VTD_PGTT_NESTED) { noteIfStale(found, request) }
        return found
    }

    private func pasid(of request: Request, _ context: ContextEntry) throws(Fault) -> PASID {
        let isQuiet = context.isQuiet
        if hasTLB && !context.has(ContextEntry.deviceTLB) {
            throw Fault(VTD_FAULT_DTE_CLEAR, quiet: isQuiet)
        }
        let limit = min(context.pasidLimit, pointee.unit.pasidLimit)
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

    private func fetchContext() throws(Fault) -> ContextEntry {
        let unit = pointee.unit
        return try RootTable.contextEntry(unit.memory, root: unit.pointee.root, pointee.source)
    }

    private func fetch(
        _ context: ContextEntry, _ tag: CachedPASID.Tag
    ) throws(Fault) -> CachedPASID {
        let memory = pointee.unit.memory
        let (at, isQuiet) = try PASIDDirectory.find(memory, context, tag.pasid)
        let entry = try PASIDEntry.fetch(
            memory, at: at, pointee.unit.pointee.config.capabilities, isQuiet: isQuiet)
        return CachedPASID(tag, entry, isQuiet: isQuiet || entry.isQuiet)
    }

    private func check(_ entry: PASIDEntry, _ request: Request) throws(Fault) {
        guard request.pasid != nil, entry.usesFirstLevel else { return }
        if request.isPrivileged && !entry.allowsSupervisor { throw Fault(VTD_FAULT_SRE_CLEAR) }
        if request.isExecute && !entry.allowsExecute { throw Fault(VTD_FAULT_ERE_CLEAR) }
    }

    /// Counts a request that a cache let through although the tables say otherwise by now.
    private func noteIfStale(_ cached: Translation, _ request: Request) {
        if let now = try? lookPastCaches(request), now.frame == cached.frame,
            now.allows(request)
        {
            return
        }
        pointee.unit.pointee.stats.stale_hits &+= 1
    }

    private func lookPastCaches(_ request: Request) throws(Fault) -> Translation {
        let context = try fetchContext()
        let pasid = try pasid(of: request, context)
        let entry = try fetch(
            context, CachedPASID.Tag(source: pointee.source, pasid: pasid)
        ).entry
        try check(entry, request)
        let walk = PageWalk(memory: pointee.unit.memory, entry: entry, unit: nil)
        let found = try walk.translate(request)
        // Whether the page is marked dirty already makes no difference.
        return Translation(
            frame: found.frame, allowed: found.allowed, rights: found.allowed, order: found.order)
    }
}

// What becomes of a request that could not be translated.
extension Ref<Device> {
    private func handle(_ fault: Fault, _ request: Request) -> DMAOutcome {
        guard hasPageRequests, pointee.unit.can(VTD_CAP_PRS), fault.isRecoverable,
            pointee.context?.has(ContextEntry.pageRequests) == true
        else {
            pointee.waiting.forget(request)
            return refuse(fault, request)
        }
        switch pointee.waiting.state(of: request) {
        case .waiting:
            break
        case .granted:
            // The answer did not help; the next attempt asks again.
            pointee.waiting.forget(request)
        case .refused:
            pointee.waiting.forget(request)
            pointee.unit.pointee.stats.faults &+= 1
            return .refused(fault.reason)
        case .free:
            ask(request)
        }
        return .waiting
    }

    private func refuse(_ fault: Fault, _ request: Request) -> DMAOutcome {
        pointee.unit.pointee.stats.faults &+= 1
        if !fault.isQuiet { record(fault, request) }
        return .refused(fault.reason)
    }

    /// Told when there was none yet, and when the first is lost.
    private func record(_ fault: Fault, _ request: Request) {
        let unit = pointee.unit
        let isFirst = unit.pointee.faults.pending() == nil
        let hadOverflown = unit.pointee.faults.hasOverflown
        let isRecorded = unit.pointee.faults.record(fault, request, source: pointee.source)
        if !isRecorded { unit.pointee.stats.faults_lost &+= 1 }
        if isRecorded ? isFirst : !hadOverflown { unit.raise(VTD_INTERRUPT_FAULT) }
    }

    private func ask(_ request: Request) {
        guard let group = pointee.waiting.begin(request) else { return }
        pointee.unit.pointee.stats.page_requests &+= 1
        let memory = pointee.unit.memory
        let isQueued = pointee.unit.pointee.requests.add(
            memory, request, source: pointee.source, group: group)
        // On overflow hardware answers by itself, so that the device tries again later.
        if !isQueued { pointee.waiting.forget(request) }
        guard !pointee.unit.pointee.requests.isPending else { return }
        pointee.unit.pointee.requests.isPending = true
        pointee.unit.raise(VTD_INTERRUPT_PAGE_REQUEST)
    }
}
