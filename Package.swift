// swift-tools-version: 6.3
// SPDX-License-Identifier: MIT
// The same sources as ordinary Swift, so that `swift test` reaches the inside. CMakeLists.txt builds what ships.

import PackageDescription

// SwiftPM can neither build Embedded Swift without unsafe flags nor set a soname or a version
// script: hence two build systems. Both take whatever lies in the folders.
let headers = CSetting.headerSearchPath("../../include")

let package = Package(
    name: "ioasid",
    targets: [
        .target(
            name: "CIOASID",
            publicHeadersPath: ".",
            cSettings: [headers],
            linkerSettings: [.linkedLibrary("urcu-bp")]),
        .target(
            name: "IOASID", dependencies: ["CIOASID"], cSettings: [headers],
            swiftSettings: [.define("IOASID_CHECKS", .when(configuration: .debug))]),
        .target(name: "CIOASIDVTD", publicHeadersPath: ".", cSettings: [headers]),
        .target(
            name: "IOASIDVTD", dependencies: ["CIOASIDVTD", "IOASID"], cSettings: [headers]),
        .testTarget(name: "IOASIDTests", dependencies: ["IOASID"], cSettings: [headers]),
    ],
    swiftLanguageModes: [.v5])
