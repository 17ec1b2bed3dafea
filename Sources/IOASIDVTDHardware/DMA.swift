// SPDX-License-Identifier: MIT
// The way of one DMA request: device TLB, context, PASID entry, IOTLB, page tables.

@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory

enum DMAOutcome {
    case reached(HPA)
    case refused(UInt32, isRecorded: Bool)
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

    /// A translation request alone (section 4.2.3).
    func requestTranslation(_ request: Request) -> DMAOutcome {
        pointee.unit.pointee.stats.dma &+= 1
        do throws(Fault) {
            try checkUnit(request)
            let found = try remap(request)
            let tag = tag(request)
            pointee.tlb?.insert(DeviceTranslation(tag, found), tag)
            return .reached(found.physical(request))
        } catch {
            let isAskedForMessage = request.isMessage && error.is(VTD_FAULT_INTERRUPT)
            guard error.isAnswerWithoutRights || isAskedForMessage else {
                return refuse(error, request)
            }
            return .refused(error.reason, isRecorded: false)
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
        if request.isMessage { throw Fault(VTD_FAULT_INTERRUPT) }
    }

    private func translate(_ request: Request) throws(Fault) -> Translation {
        try checkUnit(request)
        let tag = tag(request)
        if let hit = pointee.tlb?.lookUp(tag), hit.translation.allows(request) {
            // A translated request: of the tables, its way ends at the context entry (section 9.4).
            let tables = tables(.ignored)
            try tables.checkDeviceTLB(try findContext(tables))
            pointee.unit.pointee.stats.devtlb_hits &+= 1
            answer(hit.translation, request, by: .deviceTLB)
            return hit.translation
        }
        let found = try remap(request)
        pointee.tlb?.insert(DeviceTranslation(tag, found), tag)
        return found
    }

    /// What the unit does with a request that no device TLB answers.
    private func remap(_ request: Request) throws(Fault) -> Translation {
        let tables = tables(.ignored)
        let hadContext = pointee.context != nil
        let context = try findContext(tables)
        let pasid = try tables.pasid(of: request, context)
        let tag = CachedPASID.Tag(source: pointee.source, pasid: pasid)
        let cached: CachedPASID
        var hadEntry = false
        if let hit = pointee.unit.pointee.pasidCache.lookUp(tag) {
            pointee.unit.pointee.stats.pasid_cache_hits &+= 1
            if let fault = hit.fault { throw fault }
            cached = hit
            hadEntry = true
        } else {
            cached = try fetchEntry(tables, context, tag)
        }
        do {
            try cached.entry.check(request)
            return try translate(
                request, cached.entry, pasid, hadEntry ? .entry : hadContext ? .context : .nothing)
        } catch {
            var fault = error
            fault.isQuiet = context.isQuiet || cached.isQuiet
            throw fault
        }
    }

    /// How much of the way to the page table was from a cache.
    private enum Known {
        case nothing, context, entry
    }

    private func translate(
        _ request: Request, _ entry: PASIDEntry, _ pasid: PASID, _ known: Known
    ) throws(Fault) -> Translation {
        let walk = PageWalk(memory: pointee.unit.memory, entry: entry, unit: pointee.unit)
        // What is not translated needs no cache.
        guard !entry.isType(VTD_PGTT_PASS_THROUGH) else {
            let found = try walk.translate(request)
            switch known {
            case .nothing: break
            case .context: _ = isFresh(found, request)
            case .entry: answer(found, request, by: .passThrough)
            }
            return found
        }
        let isOfPASID = entry.usesFirstLevel
        let tag = CachedTranslation.Tag(
            domain: entry.domain, pasid: isOfPASID ? pasid : nil, page: request.address.page,
            isPrivileged: isOfPASID && request.isPrivileged)
        let hit = pointee.unit.pointee.iotlb.lookUp(tag)
        if let hit, hit.translation.isAbsent { throw Fault(VTD_FAULT_SL_PERMISSION) }
        if let hit, hit.translation.allows(request) {
            pointee.unit.pointee.stats.iotlb_hits &+= 1
            if known == .entry {
                answer(hit.translation, request, by: .iotlb)
            } else {
                _ = isFresh(hit.translation, request)
            }
            return hit.translation
        }
        let found = try translate(request, walk, tag)
        if known != .nothing || entry.isType(VTD_PGTT_NESTED) { _ = isFresh(found, request) }
        return found
    }

    private func translate(
        _ request: Request, _ walk: PageWalk, _ tag: CachedTranslation.Tag
    ) throws(Fault) -> Translation {
        let unit = pointee.unit
        do throws(Fault) {
            let found = try walk.translate(request)
            unit.pointee.iotlb.insert(CachedTranslation(tag, found), tag)
            return found
        } catch {
            // Of a first level what is missing is never cached; of a nested second one, the walk does.
            if error.isAbsent && tag.pasid == nil && unit.can(VTD_CAP_CM) {
                unit.pointee.iotlb.insert(CachedTranslation(tag, .absent), tag)
            }
            throw error
        }
    }

    private func findContext(_ tables: TableRoot) throws(Fault) -> ContextEntry {
        if let cached = pointee.context { return cached }
        if let fault = pointee.contextFault { throw fault }
        do throws(Fault) {
            let context = try tables.contextEntry()
            pointee.context = context
            return context
        } catch {
            if pointee.unit.can(VTD_CAP_CM) { pointee.contextFault = error }
            throw error
        }
    }

    private func fetchEntry(
        _ tables: TableRoot, _ context: ContextEntry, _ tag: CachedPASID.Tag
    ) throws(Fault) -> CachedPASID {
        let unit = pointee.unit
        do throws(Fault) {
            let (entry, isQuiet) = try tables.tableEntry(context, tag.pasid)
            let cached = CachedPASID(tag, entry, isQuiet: isQuiet)
            unit.pointee.pasidCache.insert(cached, tag)
            return cached
        } catch {
            if unit.can(VTD_CAP_CM) { unit.pointee.pasidCache.insert(CachedPASID(tag, error), tag) }
            throw error
        }
    }

    /// A cache has let a request through, as it would again: the next one like it has the short way, if
    /// the tables agree.
    private func answer(_ found: Translation, _ request: Request, by answer: Answer) {
        let generation = civtd_generation(pointee.unit.memory.watched)
        guard isFresh(found, request), let port = pointee.port, !request.isExecute,
            !pointee.waiting.has(request), !hasTLB || answer == .deviceTLB
        else { return }
        port.remember(request, found, answer, generation, root: pointee.unit.pointee.root)
    }

    /// Counts a request that a cache let through although the tables say otherwise by now.
    private func isFresh(_ cached: Translation, _ request: Request) -> Bool {
        if tables(.begun).agrees(request, frame: cached.frame) { return true }
        pointee.unit.pointee.stats.stale_hits &+= 1
        return false
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
            return .refused(fault.reason, isRecorded: false)
        case .free:
            ask(request)
        }
        return .waiting
    }

    private func refuse(_ fault: Fault, _ request: Request) -> DMAOutcome {
        pointee.unit.pointee.stats.faults &+= 1
        if !fault.isQuiet { record(fault, request) }
        return .refused(fault.reason, isRecorded: !fault.isQuiet)
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
        // On overflow hardware answers by itself, so that the device tries again later.
        if !send(request, group, isLast: true) { pointee.waiting.forget(request) }
    }

    /// - Returns: false if it did not get into the queue.
    private func send(_ request: Request, _ group: UInt32, isLast: Bool) -> Bool {
        pointee.port?.forget(request)
        pointee.unit.pointee.stats.page_requests &+= 1
        let memory = pointee.unit.memory
        let isQueued = pointee.unit.pointee.requests.add(
            memory, request, source: pointee.source, group: group, isLast: isLast)
        guard !pointee.unit.pointee.requests.isPending else { return isQueued }
        pointee.unit.pointee.requests.isPending = true
        pointee.unit.raise(VTD_INTERRUPT_PAGE_REQUEST)
        return isQueued
    }

    /// A request that the device makes without wanting to access the page yet.
    /// - Returns: 0, or an error; nothing was sent then
    func ask(_ request: Request, group: UInt32, isLast: Bool) -> CInt {
        guard hasPageRequests, pointee.unit.can(VTD_CAP_PRS) else { return -EINVAL }
        let context = pointee.context ?? (try? tables(.ignored).contextEntry())
        guard let context, context.has(ContextEntry.pageRequests) else { return -EPERM }
        let error = pointee.waiting.begin(request, group: group, isLast: isLast)
        guard error == 0 else { return error }
        // Of an overflow the device hears by the answer to the last request, which hardware gives.
        if !send(request, group, isLast: isLast) && isLast {
            pointee.waiting.answer(pasid: request.pasid, group: group, code: 0)
        }
        return 0
    }
}
