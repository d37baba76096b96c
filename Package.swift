// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let sqlite: Target.Dependency = .product(name: "GRDBSQLite", package: "GRDB.swift")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let serviceLifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")

let package = Package(
    name: "rouse",
    products: [
        .executable(name: "rouse", targets: ["rouse"]),
        .executable(name: "rouse-runner", targets: ["rouse-runner"]),
        .executable(name: "rouse-agent", targets: ["rouse-agent"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"),
    ],
    targets: [
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CInotifyTools", providers: [.apt(["libinotifytools0-dev"])]),

        .target(name: "SpoolFormat", dependencies: ["CLinux"], swiftSettings: settings),
        .target(name: "SpoolWatch", dependencies: ["SpoolFormat", "CLinux", "CInotifyTools"], swiftSettings: settings),
        .target(name: "JobIndex", dependencies: ["SpoolFormat", "CLinux", grdb, sqlite], swiftSettings: settings),
        .target(name: "Processes", dependencies: ["CLinux"], swiftSettings: settings),
        .target(name: "JobRunner", dependencies: ["Processes", "SpoolFormat", "CLinux"], swiftSettings: settings),
        .target(name: "Sessions", dependencies: ["Processes", "SpoolFormat", "CLinux"], swiftSettings: settings),
        .target(
            name: "Daemon",
            dependencies: ["SpoolFormat", "SpoolWatch", "JobIndex", "JobRunner", "CLinux", logging, serviceLifecycle,
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings),

        // The runner is one small process per running attempt: linking the standard library into it
        // halves its start (1.4 ms against 2.8 ms) and lets it run where no Swift is installed.
        .executableTarget(
            name: "rouse-runner", dependencies: ["JobRunner", "Processes", "SpoolFormat", "CLinux"], swiftSettings: settings,
            linkerSettings: [.unsafeFlags(["-static-stdlib"])]),
        // One small process a turn, like the runner.
        .executableTarget(
            name: "rouse-agent", dependencies: ["Sessions", "SpoolFormat", "CLinux"], swiftSettings: settings,
            linkerSettings: [.unsafeFlags(["-static-stdlib"])]),
        .executableTarget(
            name: "rouse", dependencies: ["Daemon", "SpoolFormat", "SpoolWatch", "JobIndex", "CLinux", argumentParser],
            swiftSettings: settings),

        // Feeds the readers mutated task files until something gives: `swift run -c release rouse-fuzz --seconds 60`.
        .executableTarget(name: "rouse-fuzz", dependencies: ["SpoolFormat"], path: "Tests/Fuzz", swiftSettings: settings),

        // Real daemons on spools of their own, for the tests that need one. No test depends on the programs (they are
        // built with the tests all the same): the runner's linker flags would then be those of the test bundle.
        .target(name: "TestSupport", dependencies: ["SpoolFormat", "CLinux"], path: "Tests/Support", swiftSettings: settings),
        .testTarget(
            name: "EndToEndTests", dependencies: ["TestSupport", "SpoolFormat", "CLinux"],
            swiftSettings: settings),
        .testTarget(
            name: "CrashTests", dependencies: ["TestSupport", "JobIndex", "SpoolFormat", "CLinux"],
            swiftSettings: settings),
        .testTarget(
            name: "ExampleTests", dependencies: ["TestSupport", "SpoolFormat", "CLinux"],
            swiftSettings: settings),
        // Measures what the design promises beside yardsticks: `swift run -c release rouse-bench --quick`.
        .executableTarget(
            name: "rouse-bench", dependencies: ["SpoolFormat", "JobIndex", "CLinux"], path: "Tests/Benchmarks",
            exclude: ["Stamp"], swiftSettings: settings),
        .executableTarget(
            name: "rouse-bench-stamp", dependencies: ["CLinux"], path: "Tests/Benchmarks/Stamp", swiftSettings: settings,
            linkerSettings: [.unsafeFlags(["-static-stdlib"])]),
        .testTarget(name: "SpoolFormatTests", dependencies: ["SpoolFormat"], swiftSettings: settings),
        .testTarget(name: "JobIndexTests", dependencies: ["JobIndex", "SpoolFormat"], swiftSettings: settings),
        .testTarget(name: "JobRunnerTests", dependencies: ["JobRunner", "SpoolFormat", "CLinux"], swiftSettings: settings),
        .testTarget(
            name: "CommandLineTests", dependencies: ["TestSupport", "JobIndex", "SpoolFormat", "CLinux"],
            swiftSettings: settings),
        .testTarget(
            name: "SessionsTests", dependencies: ["Sessions", "TestSupport", "SpoolFormat", "CLinux"], swiftSettings: settings),
        .testTarget(name: "SpoolWatchTests", dependencies: ["SpoolWatch"], swiftSettings: settings),
    ]
)
