// SPDX-License-Identifier: MIT
// What each invalidation descriptor makes the caches forget: that, and nothing else (section 6.5.2).

@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory

// With the hardware lock held.
extension Ref<Unit> {
    /// - Returns: false if it cannot be done, which is an invalidation queue error.
    func carryOut(_ descriptor: Descriptor) -> Bool {
        switch descriptor {
        case .contexts(let scope): forgetContexts(scope)
        case .iotlb(let scope): forgetTranslations(scope)
        case .pasids(let scope): forgetPASIDs(scope)
        case .pasidTranslations(let domain, let pasid, let pages):
            forgetTranslations(domain, pasid, pages)
        case .deviceTLB(let source, let pasids, let pages):
            forgetDeviceTranslations(source, pasids, pages)
        case .interruptEntries: break
        case .wait(let wait):
            // Page requests reach the queue at once: there is nothing on its way to drain.
            if let (address, data) = wait.status, !memory.setHalf(address, data) { return false }
            if wait.interrupts && !pointee.registers.isWaitComplete {
                pointee.registers.isWaitComplete = true
                raise(VTD_INTERRUPT_INVALIDATION)
            }
        case .pageResponse(let source, let pasid, let group, let code):
            // To a device a code that is none is a failure.
            device(source)?.pointee.waiting.answer(
                pasid: pasid, group: group, code: code <= 1 ? code : 15)
        }
        return true
    }

    private func forgetContexts(_ scope: Descriptor.ContextScope) {
        pointee.devices.forEach { device in
            if case .device(let source, let ignored) = scope,
                (source.number ^ device.pointee.source.number) & ~ignored != 0
            {
                return
            }
            device.pointee.context = nil
            device.pointee.contextFault = nil
            device.forgetPassages()
        }
    }

    private func forgetTranslations(_ scope: Descriptor.IOTLBScope) {
        defer { forgetPassages() }
        switch scope {
        case .all:
            pointee.iotlb.invalidate { _ in true }
            pointee.leaves.invalidate { _ in true }
        case .domain(let domain):
            pointee.iotlb.invalidate { $0.tag.domain == domain }
            pointee.leaves.invalidate { $0.tag.domain == domain }
        case .pages(let domain, let pages):
            // What went through a first-level table has not the domain's address in its tag: all of
            // it goes.
            pointee.iotlb.invalidate {
                $0.tag.domain == domain
                    && ($0.tag.pasid != nil || pages.concerns($0.tag.page, $0.translation))
            }
            pointee.leaves.invalidate {
                $0.tag.domain == domain && pages.concerns($0.tag.page, $0.translation)
            }
        }
    }

    private func forgetPASIDs(_ scope: Descriptor.PASIDScope) {
        defer { forgetPassages() }
        switch scope {
        case .all: pointee.pasidCache.invalidate { _ in true }
        case .domain(let domain):
            pointee.pasidCache.invalidate { $0.fault == nil && $0.entry.domain == domain }
        case .one(let domain, let pasid):
            // What is not there has no domain.
            pointee.pasidCache.invalidate {
                $0.tag.pasid == pasid && ($0.fault != nil || $0.entry.domain == domain)
            }
        }
    }

    /// First-level and nested translations; those of the second level alone are not of a PASID.
    /// - Parameter pages: nil for all of them
    private func forgetTranslations(_ domain: DomainID, _ pasid: PASID, _ pages: PageRange?) {
        defer { forgetPassages() }
        pointee.iotlb.invalidate {
            $0.tag.pasid == pasid && $0.tag.domain == domain
                && pages?.concerns($0.tag.page, $0.translation) != false
        }
    }

    private func forgetDeviceTranslations(
        _ source: SourceID, _ pasids: Descriptor.DevicePASIDs, _ pages: PageRange
    ) {
        guard let device = device(source) else { return }
        defer { device.forgetPassages() }
        func concerns(_ pasid: PASID?) -> Bool {
            switch pasids {
            case .requestsWithout: pasid == nil
            case .one(let one): pasid == one
            case .all: pasid != nil
            }
        }
        device.pointee.tlb?.invalidate {
            concerns($0.tag.pasid) && pages.concerns($0.tag.page, $0.translation)
        }
        if pages.isEverything { device.pointee.waiting.forgetAnswers(concerns) }
    }
}
