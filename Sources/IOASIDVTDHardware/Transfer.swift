// SPDX-License-Identifier: MIT
// DMA of any length: pieces within a page, each tried again once if its page request was answered.

@preconcurrency import CIOASIDVTDHardware
import IOASIDMemory

package enum DMA {
    private static let known = VTD_DMA_READ | VTD_DMA_WRITE | VTD_DMA_EXEC | VTD_DMA_PRIV

    /// One request within a page. `use` gets the physical address while the translation holds.
    @inline(__always)
    package static func access(
        _ dev: OpaquePointer?, _ pasid: UInt32, _ address: UInt64, _ access: UInt32,
        _ use: (PhysicalMemory, HPA) -> Void
    ) -> CInt {
        guard access & ~known == 0, access & ~VTD_DMA_PRIV != 0, let dev else { return -EINVAL }
        if access & VTD_DMA_EXEC == 0, let port = civtd_enter(UnsafeRawPointer(dev)) {
            defer { civtd_unlock(port) }
            if let physical = port.pass(pasid, address, access) {
                use(port.memory, physical)
                return 0
            }
        }
        return accessSlowly(dev, pasid, address, access, use)
    }

    /// Once for all users: the short way is what has to be short.
    @inline(never)
    private static func accessSlowly(
        _ dev: OpaquePointer, _ pasid: UInt32, _ address: UInt64, _ access: UInt32,
        _ use: (PhysicalMemory, HPA) -> Void
    ) -> CInt {
        let device = Ref<Device>(dev)
        let request = Request(
            pasid: pasid == UInt32.max ? nil : PASID(pasid), address: IOVA(address),
            access: access)
        var isSecond = false
        while true {
            // The handler of a page request may have destroyed the device.
            let found: (DMAOutcome, Ref<Unit>, Bool, UnitDriver?)? = Lock.hardware {
                guard Handle.isDevice(device) else { return nil }
                let unit = device.pointee.unit
                let outcome = device.access(request)
                if case .reached(let physical) = outcome { use(unit.memory, physical) }
                return (outcome, unit, unit.pointee.hasRaised, unit.pointee.driver)
            }
            guard let (outcome, unit, hasRaised, driver) = found else { return -EINVAL }
            if hasRaised { unit.deliverInterrupts() }
            switch outcome {
            case .reached: return 0
            case .refused(let reason, let isRecorded):
                if isRecorded { driver?.faultRecorded(device, request, reason) }
                return CInt(reason)
            case .waiting:
                if isSecond { return -EAGAIN }
                unit.signalPageRequests()
                isSecond = true
            }
        }
    }

    /// A translation request by itself.
    package static func translate(
        _ dev: OpaquePointer?, _ pasid: UInt32, _ address: UInt64, _ access: UInt32,
        _ use: (HPA) -> Void
    ) -> CInt {
        guard access & ~known == 0, access & ~VTD_DMA_PRIV != 0, let dev else { return -EINVAL }
        let device = Ref<Device>(dev)
        let request = Request(
            pasid: pasid == UInt32.max ? nil : PASID(pasid), address: IOVA(address),
            access: access)
        let found: (DMAOutcome, Ref<Unit>)? = Lock.hardware {
            guard Handle.isDevice(device), device.hasTLB else { return nil }
            return (device.requestTranslation(request), device.pointee.unit)
        }
        guard let (outcome, unit) = found else { return -EINVAL }
        unit.deliverInterrupts()
        switch outcome {
        case .reached(let physical):
            use(physical)
            return 0
        case .refused(let reason, _): return CInt(reason)
        case .waiting: return -EAGAIN
        }
    }

    /// One page request of a group.
    package static func ask(
        _ dev: OpaquePointer?, _ pasid: UInt32, _ address: UInt64, _ access: UInt32,
        group: UInt32, isLast: Bool
    ) -> CInt {
        guard access & ~known == 0, access & ~VTD_DMA_PRIV != 0, group < 512, let dev else {
            return -EINVAL
        }
        let device = Ref<Device>(dev)
        let request = Request(
            pasid: pasid == UInt32.max ? nil : PASID(pasid), address: IOVA(address),
            access: access)
        let asked: (CInt, Ref<Unit>)? = Lock.hardware {
            guard Handle.isDevice(device), pasid == UInt32.max || pasid >> 20 == 0 else {
                return nil
            }
            let unit = device.pointee.unit
            return (device.ask(request, group: group, isLast: isLast), unit)
        }
        guard let (error, unit) = asked else { return -EINVAL }
        if error == 0 { unit.signalPageRequests() }
        return error
    }

    package static func answer(_ dev: OpaquePointer?, _ pasid: UInt32, group: UInt32) -> CInt {
        guard let dev else { return -EINVAL }
        let device = Ref<Device>(dev)
        return Lock.hardware {
            guard Handle.isDevice(device), device.hasPageRequests else { return -EINVAL }
            return device.pointee.waiting.answer(
                pasid: pasid == UInt32.max ? nil : PASID(pasid), group: group)
        }
    }

    /// A transfer of any length, page by page.
    @inline(__always)
    package static func transfer(
        _ dev: OpaquePointer?, _ pasid: UInt32, _ address: UInt64, _ access: UInt32,
        _ length: Int, _ use: (PhysicalMemory, HPA, _ offset: Int, UInt64) -> Void
    ) -> CInt {
        var done: UInt64 = 0
        let length = UInt64(UInt(bitPattern: length))
        // No request goes on at address 0.
        guard length == 0 || address <= UInt64.max &- (length &- 1) else { return -EINVAL }
        while done < length {
            let at = address &+ done
            let piece = min(length &- done, pageSize &- at % pageSize)
            let result = self.access(dev, pasid, at, access) { memory, physical in
                use(memory, physical, Int(truncatingIfNeeded: done), piece)
            }
            guard result == 0 else { return result }
            done &+= piece
        }
        return 0
    }
}
