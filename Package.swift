// swift-tools-version: 6.3
// SPDX-License-Identifier: MIT
// The same sources as ordinary Swift, so that `swift test` reaches the inside. CMakeLists.txt builds what ships.

import PackageDescription

// SwiftPM can neither build Embedded Swift without unsafe flags nor set a soname or a version
// script: hence two build systems. Both take whatever lies in the folders.
let headers = ["ioasid-vtd", "ioasid-kernel", "ioasid"].map {
    CSetting.headerSearchPath("../../include/\($0)")
}
/// For what must see nothing but everybody's headers.
let plainHeaders = [CSetting.headerSearchPath("../../include/ioasid")]
let checks = SwiftSetting.define("IOASID_CHECKS", .when(configuration: .debug))

/// A folder of C: what a layer cannot say in Swift.
func c(_ name: String, _ below: [Target.Dependency] = [], kernel: Bool = false) -> Target {
    .target(
        name: name, dependencies: below, publicHeadersPath: ".",
        cSettings: kernel ? headers : plainHeaders)
}

/// A layer: what it may import is what it lists.
func layer(
    _ name: String, _ below: [Target.Dependency], kernel: Bool = false
) -> Target {
    .target(
        name: name, dependencies: below, cSettings: kernel ? headers : plainHeaders,
        swiftSettings: [checks])
}

let package = Package(
    name: "ioasid",
    // For who wants to link one out of `swift build`: with Swift's runtime and without the soname and
    // symbol versions of what ships.
    products: [
        .library(name: "ioasid", type: .dynamic, targets: ["IOASIDABI"])
    ],
    targets: [
        c("CIOASID"),
        c("CIOASIDMemory"),
        layer("IOASIDMemory", ["CIOASIDMemory"]),
        c("CIOASIDRuntime", ["CIOASID"]),
        layer("IOASIDRuntime", ["CIOASID", "CIOASIDRuntime", "IOASIDMemory"]),
        c("CIOASIDCore", ["CIOASID", "CIOASIDRuntime"]),
        layer("IOASIDCore", ["CIOASIDCore", "IOASIDMemory", "IOASIDRuntime"]),
        c("CIOASIDABI", ["CIOASIDRuntime", "CIOASIDCore"]),
        layer("IOASIDABI", ["CIOASIDABI", "IOASIDMemory", "IOASIDRuntime", "IOASIDCore"]),
        c("CIOASIDKernel", kernel: true),
        layer(
            "IOASIDKernel", ["CIOASIDKernel", "IOASIDMemory", "IOASIDABI"], kernel: true),
        layer("IOASIDKernelABI", ["CIOASIDKernel", "IOASIDMemory", "IOASIDKernel"], kernel: true),
        c("CIOASIDVTDHardware", kernel: true),
        layer("IOASIDVTDHardware", ["CIOASIDVTDHardware", "IOASIDMemory"], kernel: true),
        c("CIOASIDVTDDriver", ["CIOASIDVTDHardware"], kernel: true),
        layer(
            "IOASIDVTDDriver",
            ["CIOASIDVTDDriver", "IOASIDMemory", "IOASIDVTDHardware", "IOASIDKernelABI"],
            kernel: true),
        layer(
            "IOASIDVTDABI", ["IOASIDMemory", "IOASIDVTDHardware", "IOASIDVTDDriver"], kernel: true),
        // Links nothing of the driver: so the hardware works without one.
        .testTarget(
            name: "IOASIDVTDHardwareTests", dependencies: ["IOASIDVTDHardware"],
            cSettings: headers),
        .testTarget(
            name: "IOASIDTests", dependencies: ["IOASIDMemory", "IOASIDCore", "IOASIDABI"],
            cSettings: plainHeaders),
    ],
    swiftLanguageModes: [.v6])
