// SPDX-License-Identifier: MIT
// The way of one DMA request: device TLB, context, PASID entry, IOTLB, page tables.

@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory

package enum DMAOutcome {
    case reached(UInt64)
    case refused(UInt32)
    /// The device has asked for the page, and there is no answer yet.
    case waiting
}

// With the hardware lock held.
extension UnsafeMutablePointer<Device> {
    package func access(_ request: Request) -> DMAOutcome {
        pointee.unit.pointee.stats.dma &+= 1
        do {
            let found = try translate(request)
            pointee.waiting.forget(request)
            return .reached(found.physical(request))
        } catch {
            return handle(error, request)
        }
    }

    private func translate(_ request: Request) throws(Fault) -> Translation {
        let key = tag(request, domainID: 0, pasid: request.pasid ?? UInt32.max)
        if let hit = pointee.tlb?.lookUp(key), hit.translation.allows(request) {
            pointee.unit.pointee.stats.devtlb_hits &+= 1
            noteIfStale(hit.translation, request)
            return hit.translation
        }
        let found = try remap(request)
        pointee.tlb?.insert(CachedTranslation(key, found), key)
        return found
    }

    private func tag(
        _ request: Request, domainID: UInt16, pasid: UInt32
    ) -> CachedTranslation.Tag {
        CachedTranslation.Tag(
            domainID: domainID, pasid: pasid, page: request.page,
            isPrivileged: request.isPrivileged)
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
        let key = CachedPASID.Tag(sourceID: pointee.sourceID, pasid: pasid)
        let entry: PASIDEntry
        if let cached = pointee.unit.pointee.pasidCache.lookUp(key) {
            pointee.unit.pointee.stats.pasid_cache_hits &+= 1
            entry = cached.entry
            isFromCache = true
        } else {
            entry = try fetch(context, pasid)
            pointee.unit.pointee.pasidCache.insert(
                CachedPASID(sourceID: pointee.sourceID, pasid: pasid, entry: entry), key)
        }
        try check(entry, request)
        return try translate(request, entry, pasid, isFromCache: isFromCache)
    }

    private func translate(
        _ request: Request, _ entry: PASIDEntry, _ pasid: UInt32, isFromCache: Bool
    ) throws(Fault) -> Translation {
        let key = tag(request, domainID: entry.domainID, pasid: pasid)
        if let hit = pointee.unit.pointee.iotlb.lookUp(key), hit.translation.allows(request) {
            pointee.unit.pointee.stats.iotlb_hits &+= 1
            noteIfStale(hit.translation, request)
            return hit.translation
        }
        do {
            let walk = PageWalk(memory: pointee.unit.memory, entry: entry)
            let found = try walk.translate(request)
            pointee.unit.pointee.iotlb.insert(CachedTranslation(key, found), key)
            if isFromCache { noteIfStale(found, request) }
            return found
        } catch {
            var fault = error
            fault.isQuiet = entry.isQuiet
            throw fault
        }
    }

    private func pasid(of request: Request, _ context: ContextEntry) throws(Fault) -> UInt32 {
        let isQuiet = context.has(ContextEntry.faultDisable)
        if hasTLB && !context.has(ContextEntry.deviceTLB) {
            throw Fault(VTD_FAULT_DTE_CLEAR, quiet: isQuiet)
        }
        guard let pasid = request.pasid else { return context.requestPASID }
        guard context.has(ContextEntry.pasidEnable) else {
            throw Fault(VTD_FAULT_PASIDE_CLEAR, quiet: isQuiet)
        }
        guard pasid < min(context.pasidLimit, pointee.unit.pasidLimit) else {
            throw Fault(VTD_FAULT_PASID_TOO_LARGE, quiet: isQuiet)
        }
        return pasid
    }

    private func fetchContext() throws(Fault) -> ContextEntry {
        let unit = pointee.unit
        return try unit.memory.contextEntry(
            root: unit.pointee.root, sourceID: pointee.sourceID)
    }

    private func fetch(_ context: ContextEntry, _ pasid: UInt32) throws(Fault) -> PASIDEntry {
        let memory = pointee.unit.memory
        let at = try memory.pasidEntryAddress(directory: context.directory, pasid)
        return try PASIDEntry.fetch(memory, at: at, pointee.unit.pointee.config.capabilities)
    }

    private func check(_ entry: PASIDEntry, _ request: Request) throws(Fault) {
        guard request.pasid != nil, entry.usesFirstLevel else { return }
        if request.isPrivileged && !entry.allowsSupervisor {
            throw Fault(VTD_FAULT_SRE_CLEAR, quiet: entry.isQuiet)
        }
        if request.access & VTD_DMA_EXEC != 0 && !entry.allowsExecute {
            throw Fault(VTD_FAULT_ERE_CLEAR, quiet: entry.isQuiet)
        }
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
        let memory = pointee.unit.memory
        let context = try fetchContext()
        let entry = try fetch(context, try pasid(of: request, context))
        try check(entry, request)
        return try PageWalk(memory: memory, entry: entry).translate(request)
    }
}

// What becomes of a request that could not be translated.
extension UnsafeMutablePointer<Device> {
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
        if !fault.isQuiet
            && !pointee.unit.pointee.faults.record(fault, request, sourceID: pointee.sourceID)
        {
            pointee.unit.pointee.stats.faults_lost &+= 1
        }
        return .refused(fault.reason)
    }

    private func ask(_ request: Request) {
        guard let group = pointee.waiting.begin(request) else { return }
        pointee.unit.pointee.stats.page_requests &+= 1
        let memory = pointee.unit.memory
        let isQueued = pointee.unit.pointee.requests.add(
            memory, request, sourceID: pointee.sourceID, group: group)
        // On overflow hardware answers by itself, so that the device tries again later.
        if !isQueued { pointee.waiting.forget(request) }
    }
}
