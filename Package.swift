// swift-tools-version: 6.3
// SPDX-License-Identifier: MIT
// The same sources as ordinary Swift, so that `swift test` reaches the inside. CMakeLists.txt builds what ships.

import PackageDescription

// SwiftPM can neither build Embedded Swift without unsafe flags nor set a soname or a version
// script: hence two build systems. Both take whatever lies in the folders.
let headers = CSetting.headerSearchPath("../../include")
let checks = SwiftSetting.define("IOASID_CHECKS", .when(configuration: .debug))

/// A folder of C: what a layer cannot say in Swift.
func c(_ name: String, _ below: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: below, publicHeadersPath: ".", cSettings: [headers])
}

/// A layer: what it may import is what it lists.
func layer(
    _ name: String, _ below: [Target.Dependency], _ language: SwiftLanguageMode = .v5
) -> Target {
    .target(
        name: name, dependencies: below, cSettings: [headers],
        swiftSettings: [checks, .swiftLanguageMode(language)])
}

let package = Package(
    name: "ioasid",
    targets: [
        c("CIOASID"),
        c("CIOASIDMemory"),
        layer("IOASIDMemory", ["CIOASIDMemory"]),
        c("CIOASIDRuntime", ["CIOASID"]),
        layer("IOASIDRuntime", ["CIOASID", "CIOASIDRuntime", "IOASIDMemory"]),
        c("CIOASIDCore", ["CIOASID", "CIOASIDRuntime"]),
        layer("IOASIDCore", ["CIOASIDCore", "IOASIDMemory", "IOASIDRuntime"]),
        c("CIOASIDKernel", ["CIOASID", "CIOASIDRuntime"]),
        layer(
            "IOASIDKernel", ["CIOASIDKernel", "IOASIDMemory", "IOASIDRuntime", "IOASIDCore"], .v6),
        c("CIOASIDABI", ["CIOASIDRuntime", "CIOASIDCore", "CIOASIDKernel"]),
        layer(
            "IOASIDABI",
            ["CIOASIDABI", "IOASIDMemory", "IOASIDRuntime", "IOASIDCore", "IOASIDKernel"]),
        c("CIOASIDVTDHardware"),
        layer("IOASIDVTDHardware", ["CIOASIDVTDHardware", "IOASIDMemory"], .v6),
        c("CIOASIDVTDDriver", ["CIOASIDVTDHardware"]),
        layer(
            "IOASIDVTDDriver",
            ["CIOASIDVTDDriver", "IOASIDMemory", "IOASIDVTDHardware", "IOASIDABI"], .v6),
        layer("IOASIDVTDABI", ["IOASIDMemory", "IOASIDVTDHardware", "IOASIDVTDDriver"], .v6),
        // Links nothing of the driver: so the hardware works without one.
        .testTarget(
            name: "IOASIDVTDHardwareTests", dependencies: ["IOASIDVTDHardware"],
            cSettings: [headers], swiftSettings: [.swiftLanguageMode(.v6)]),
        .testTarget(
            name: "IOASIDTests", dependencies: ["IOASIDMemory", "IOASIDCore", "IOASIDABI"],
            cSettings: [headers]),
    ],
    swiftLanguageModes: [.v6])
