// SPDX-License-Identifier: MIT
// The driver's side of page requests: the interrupt, the handler of a device, answers, draining.

@preconcurrency import CIOASIDVTDDriver
@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory
import IOASIDVTDHardware

struct ReportedRequest: Listed {
    var next: Ref<ReportedRequest>?
    let request: PageRequest
}

package enum PageRequests {
    private static let invalid = UInt32(IOMMU_PAGE_RESP_INVALID.rawValue)

    // MARK: The handler of a device

    package static func register(
        _ device: Ref<Device>, _ handler: iommu_dev_fault_handler_t,
        _ data: UnsafeMutableRawPointer?
    ) -> CInt {
        Lock.hardware {
            guard let driver = device.driver else { return -EINVAL }
            guard driver.pointee.handler == nil else { return -EBUSY }
            driver.pointee.handlerData = data
            driver.pointee.handler = handler
            return 0
        }
    }

    /// Outside a user's function, no call of the handler is running any more when this returns 0.
    package static func unregister(_ device: Ref<Device>) -> CInt {
        Lock.hardware {
            guard let driver = device.driver, driver.pointee.handler != nil else { return -EINVAL }
            guard driver.pointee.reported.isEmpty else { return -EBUSY }
            driver.pointee.handler = nil
            guard !civtd_is_in_call() else { return 0 }
            while let driver = device.driver, driver.isCalled {
                civtd_wait_for_calls()
            }
            return 0
        }
    }

    // MARK: The interrupt, and answers

    /// The interrupt of the page request queue. Without a lock: the handler may do what it wants, the
    /// unit may be gone after it.
    static func interrupt(_ unit: Ref<Unit>) {
        while let report = Lock.hardware({ next(unit) }) {
            guard let request = report.request else { return }
            var fault = describe(request)
            let result = callUser { report.handler(&fault, report.data) }
            Lock.hardware {
                if result != 0 && report.device.isLive { refuse(unit, request, report.device) }
                report.device.endCall()
            }
        }
    }

    /// What somebody else has seen of a device: told as if it came by the queue.
    package static func report(_ dev: OpaquePointer?, _ fault: iommu_fault) -> CInt {
        var fault = fault
        let report: Report? = Lock.hardware {
            guard let dev, Handle.isDevice(Ref<Device>(dev)) else { return nil }
            let device = Ref<Device>(dev)
            guard let driver = device.driver, let handler = driver.pointee.handler else {
                return nil
            }
            var request: PageRequest?
            if fault.type == IOMMU_FAULT_PAGE_REQ.rawValue {
                let made = PageRequest(
                    fault.prm.asRequest, source: device.pointee.source, group: fault.prm.grpid,
                    isLast: fault.prm.flags & UInt32(IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE) != 0)
                guard find(driver, PASID(fault.prm.pasid), fault.prm.grpid) == nil,
                    expectAnswer(driver, made)
                else { return nil }
                request = made
            }
            driver.beginCall()
            return Report(
                unit: device.pointee.unit, request: request, device: driver, handler: handler,
                data: driver.pointee.handlerData)
        }
        guard let report else { return -EINVAL }
        let result = callUser { report.handler(&fault, report.data) }
        Lock.hardware {
            if result != 0, report.device.isLive, let request = report.request {
                refuse(report.unit, request, report.device)
            }
            report.device.endCall()
        }
        return result
    }

    private struct Report {
        let unit: Ref<Unit>
        /// nil: an unrecoverable fault.
        let request: PageRequest?
        let device: Ref<DriverDevice>
        let handler: iommu_dev_fault_handler_t
        let data: UnsafeMutableRawPointer?
    }

    /// Takes requests until there is one that somebody wants to hear of.
    private static func next(_ unit: Ref<Unit>) -> Report? {
        guard Handle.isUnit(unit), unit.driver != nil else { return nil }
        let memory = unit.memory
        while !unit.pointee.requestEvent.isMasked,
            let request = unit.pointee.requests.take(memory)
        {
            guard let device = unit.device(request.source), let driver = device.driver,
                let handler = driver.pointee.handler,
                let pasid = request.pasid, device.hasPresentEntry(pasid),
                expectAnswer(driver, request)
            else {
                if request.isLast { respond(unit, request, invalid) }
                continue
            }
            driver.beginCall()
            return Report(
                unit: unit, request: request, device: driver, handler: handler,
                data: driver.pointee.handlerData)
        }
        return nil
    }

    /// Only the last request of a group is answered.
    /// - Returns: false for want of memory.
    private static func expectAnswer(
        _ driver: Ref<DriverDevice>, _ request: PageRequest
    ) -> Bool {
        guard request.isLast else { return true }
        guard let reported = Memory.make(ReportedRequest(request: request)) else { return false }
        driver.pointee.reported.prepend(reported)
        return true
    }

    private static func refuse(
        _ unit: Ref<Unit>, _ request: PageRequest, _ device: Ref<DriverDevice>
    ) {
        guard request.isLast, let pasid = request.pasid,
            let reported = find(device, pasid, request.group)
        else { return }
        finish(unit, device, reported, invalid)
    }

    private static func describe(_ request: PageRequest) -> iommu_fault {
        var fault = iommu_fault()
        fault.type = IOMMU_FAULT_PAGE_REQ.rawValue
        fault.prm.flags = UInt32(
            IOMMU_FAULT_PAGE_REQUEST_PASID_VALID | IOMMU_FAULT_PAGE_RESPONSE_NEEDS_PASID
                | (request.isLast ? IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE : 0))
        fault.prm.pasid = request.pasid?.number ?? 0
        fault.prm.grpid = request.group
        fault.prm.perm = Faults.permissions(
            read: request.wantsRead, write: request.wantsWrite, execute: request.wantsExecute,
            privileged: request.isPrivileged)
        fault.prm.addr = request.address
        return fault
    }

    private static func find(
        _ device: Ref<DriverDevice>, _ pasid: PASID, _ group: UInt32
    ) -> Ref<ReportedRequest>? {
        device.pointee.reported.find {
            $0.pointee.request.pasid == pasid && $0.pointee.request.group == group
        }
    }

    private static func respond(_ unit: Ref<Unit>, _ request: PageRequest, _ code: UInt32) {
        var answer = vtd_inv_page_response(
            request.source.number, request.pasid?.number ?? 0, request.group, code)
        if request.pasid == nil { answer.qw.0 &= ~VTD_INV_PAGE_RESPONSE_PASID }
        unit.submit(answer)
    }

    private static func finish(
        _ unit: Ref<Unit>, _ device: Ref<DriverDevice>, _ reported: Ref<ReportedRequest>,
        _ code: UInt32
    ) {
        respond(unit, reported.pointee.request, code)
        device.pointee.reported.remove(reported)
        Memory.free(reported)
    }

    /// - Returns: the request that was answered; nil if none waits for this answer.
    package static func answer(
        _ device: Ref<Device>, pasid: PASID, group: UInt32, code: UInt32
    ) -> PageRequest? {
        Lock.hardware {
            guard let driver = device.driver, let reported = find(driver, pasid, group)
            else { return nil }
            let request = reported.pointee.request
            finish(device.pointee.unit, driver, reported, code)
            return request
        }
    }

    /// After tear-down, which has invalidated the caches: answers what is left of a PASID, so that
    /// its number can be used again (section 7.10). With the hardware lock held; waits for nobody.
    static func drain(_ device: Ref<Device>, _ pasid: PASID) {
        guard let driver = device.driver else { return }
        let unit = device.pointee.unit
        let source = device.pointee.source
        let memory = unit.memory
        for _ in 0..<unit.pointee.requests.count {
            guard let request = unit.pointee.requests.take(memory) else { break }
            if request.pasid ?? .ofRequestsWithout == pasid && request.source == source {
                // The device gives up a group that it has not completed.
                if request.isLast { respond(unit, request, invalid) }
            } else {
                unit.pointee.requests.putBack(memory, request)
            }
        }
        driver.pointee.reported.forEach { reported in
            guard reported.pointee.request.pasid == pasid else { return }
            finish(unit, driver, reported, invalid)
        }
        // What the device was answered is of the past user too.
        if device.hasTLB { unit.enqueue(device.forgetAll(of: pasid)) }
        unit.ring(drain: true)
    }
}
