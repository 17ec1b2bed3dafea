// SPDX-License-Identifier: MIT
// Attaching domains to devices: for requests without PASID, or as one more under a PASID.

@preconcurrency import CIOASIDVTDDriver
@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory
import IOASIDVTDHardware

/// With the driver lock held.
package enum Attach {
    private static func fits(_ domain: Ref<Domain>, _ device: Ref<Device>) -> Bool {
        let unit = device.pointee.unit
        return domain.pointee.machine == unit.pointee.machine
            && (!domain.pointee.isIdentity || unit.can(VTD_CAP_PT))
    }

    private static func attach(
        _ domain: Ref<Domain>, _ device: Ref<Device>, pasid: PASID
    ) -> CInt {
        guard let driver = device.driver else { return -ENODEV }
        return Lock.hardware {
            guard let made = Memory.make(Attachment(domain: domain, pasid: pasid)) else {
                return -ENOMEM
            }
            guard device.setUp(pasid, .domain(domain)) else {
                Memory.free(made)
                return -ENOMEM
            }
            driver.pointee.attachments.prepend(made)
            domain.pointee.users &+= 1
            return 0
        }
    }

    private static func detach(_ attachment: Ref<Attachment>, _ device: Ref<Device>) {
        guard let driver = device.driver else { return }
        Lock.hardware {
            device.tearDown(attachment.pointee.pasid, quiet: false)
            PageRequests.drain(device, attachment.pointee.pasid)
            driver.pointee.attachments.remove(attachment)
            attachment.pointee.domain.pointee.users &-= 1
        }
        Memory.free(attachment)
    }

    package static func attachPrimary(_ domain: Ref<Domain>, _ device: Ref<Device>) -> CInt {
        guard fits(domain, device) else { return -EINVAL }
        let isTaken = device.driver?.pointee.attachments.find {
            !$0.pointee.isAuxiliary || $0.pointee.domain == domain
        }
        guard isTaken == nil else { return -EBUSY }
        return attach(domain, device, pasid: .ofRequestsWithout)
    }

    package static func attachAuxiliary(_ domain: Ref<Domain>, _ device: Ref<Device>) -> CInt {
        guard fits(domain, device), !domain.pointee.isIdentity else { return -EINVAL }
        if let existing = device.attachment(domain) {
            guard existing.pointee.isAuxiliary else { return -EBUSY }
            Lock.hardware { existing.pointee.users &+= 1 }
            return 0
        }
        guard let pasid = Driver.allocatePASID() else { return -ENOSPC }
        let error = attach(domain, device, pasid: pasid)
        if error != 0 { Driver.releasePASID(pasid) }
        return error
    }

    /// - Returns: 0, or an error that the kernel's signature has no place for.
    package static func detach(
        _ domain: Ref<Domain>, _ device: Ref<Device>, isAuxiliary: Bool
    ) -> CInt {
        guard let attachment = device.attachment(domain),
            attachment.pointee.isAuxiliary == isAuxiliary
        else { return -EINVAL }
        if attachment.pointee.users > 1 {
            Lock.hardware { attachment.pointee.users &-= 1 }
            return 0
        }
        guard attachment.pointee.bindings == 0 else { return -EBUSY }
        let pasid = attachment.pointee.pasid
        detach(attachment, device)
        if isAuxiliary { Driver.releasePASID(pasid) }
        return 0
    }

    /// - Returns: the domain of requests without PASID, if there is one.
    package static func primary(_ device: Ref<Device>) -> Ref<Domain>? {
        device.driver?.pointee.attachments.find { !$0.pointee.isAuxiliary }?.pointee.domain
    }

    /// - Returns: the PASID of a mediated device's own DMA, or an error.
    package static func auxiliaryPASID(_ domain: Ref<Domain>, _ device: Ref<Device>) -> CInt {
        guard let attachment = device.attachment(domain), attachment.pointee.isAuxiliary
        else { return -EINVAL }
        return CInt(attachment.pointee.pasid.number)
    }
}
