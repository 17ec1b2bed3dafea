// SPDX-License-Identifier: MIT
// What a device can do beside plain DMA, and what of it is switched on (iommu_dev_enable_feature).

@preconcurrency import CIOASIDVTDDriver
@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory
import IOASIDVTDHardware

/// With the driver lock held.
package enum Features {
    /// - Returns: nil if there is no such feature.
    private static func bit(_ feature: iommu_dev_features) -> UInt32? {
        switch feature {
        case IOMMU_DEV_FEAT_AUX, IOMMU_DEV_FEAT_SVA, IOMMU_DEV_FEAT_IOPF: 1 << feature.rawValue
        default: nil
        }
    }

    package static func has(_ device: Ref<Device>, _ feature: iommu_dev_features) -> Bool {
        switch feature {
        case IOMMU_DEV_FEAT_AUX: true
        // A process's pages come and go: what is missing is asked for.
        case IOMMU_DEV_FEAT_SVA, IOMMU_DEV_FEAT_IOPF:
            device.hasTLB && device.hasPageRequests && device.pointee.unit.can(VTD_CAP_PRS)
        default: false
        }
    }

    package static func isEnabled(_ device: Ref<Device>, _ feature: iommu_dev_features) -> Bool {
        guard let driver = device.driver, let bit = bit(feature) else { return false }
        return driver.pointee.features & bit != 0
    }

    package static func enable(_ device: Ref<Device>, _ feature: iommu_dev_features) -> CInt {
        guard let driver = device.driver, let bit = bit(feature) else { return -EINVAL }
        guard has(device, feature) else { return -ENODEV }
        // Read with the driver lock; but what else the record has is of this one.
        Lock.hardware { driver.pointee.features |= bit }
        return 0
    }

    package static func disable(_ device: Ref<Device>, _ feature: iommu_dev_features) -> CInt {
        guard let driver = device.driver, let bit = bit(feature),
            driver.pointee.features & bit != 0
        else { return -EINVAL }
        let isInUse: Bool =
            switch feature {
            case IOMMU_DEV_FEAT_AUX:
                driver.pointee.attachments.find { $0.pointee.isAuxiliary } != nil
            case IOMMU_DEV_FEAT_SVA: SVAHandle.isUsed(device)
            default: isEnabled(device, IOMMU_DEV_FEAT_SVA)
            }
        guard !isInUse else { return -EBUSY }
        Lock.hardware { driver.pointee.features &= ~bit }
        return 0
    }
}
