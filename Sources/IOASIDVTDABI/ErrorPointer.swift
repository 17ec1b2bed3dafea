// SPDX-License-Identifier: MIT
// The kernel's error pointers.

@preconcurrency import CIOASIDVTDHardware

func errorPointer(_ code: CInt) -> OpaquePointer? { OpaquePointer(bitPattern: Int(code)) }
