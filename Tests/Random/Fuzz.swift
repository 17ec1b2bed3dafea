// SPDX-License-Identifier: MIT
// fuzz-api: as random, with libFuzzer's bytes for decisions. What it finds: scripts/fuzz.

import Glibc
import IOASIDHeaders

@_cdecl("LLVMFuzzerInitialize")
public func initialize(
    _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutableRawPointer
) -> CInt {
    ioasid_set_log_level(-1)
    ioasid_install_capacity(UInt32(World.usualCapacity))
    return 0
}

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = UnsafeBufferPointer(start: bytes, count: count)
    World(
        Choices(bytes: input), seed: 0, base: 0, capacity: World.usualCapacity, isAlone: true,
        isTold: false
    ).run(requests: .max)
    return 0
}
