// swift-tools-version:6.1
import PackageDescription

/// The MPI library that ranks exchange through: Open MPI, or MPICH where `SLTT_MPI` says so.
func mpi() -> Target {
  switch Context.environment["SLTT_MPI"] ?? "openmpi" {
  case "openmpi": system("CMPI", pkgConfig: "ompi-c", apt: "libopenmpi-dev")
  case "mpich": system("CMPI", pkgConfig: "mpich", apt: "libmpich-dev")
  case let other: fatalError("SLTT_MPI is '\(other)'; give openmpi or mpich")
  }
}

/// A C library that the system's package manager provides.
func system(_ name: String, pkgConfig: String? = nil, apt: String) -> Target {
  .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([apt])])
}

/// A library target and its test target, which mirrors it file by file.
func library(
  _ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = [],
  resources: [Resource] = [],
  testDependencies: [Target.Dependency] = [], testResources: [Resource] = []
) -> [Target] {
  [
    .target(name: name, dependencies: dependencies, exclude: exclude, resources: resources),
    .testTarget(
      name: name + "Tests",
      dependencies: [.byName(name: name)] + dependencies + testDependencies,
      resources: testResources),
  ]
}

let package = Package(
  name: "sltt-dist",
  products: [.executable(name: "sltt-dist", targets: ["sltt-dist"])],
  dependencies: [
    .package(
      url: "https://github.com/apple/swift-argument-parser", .upToNextMinor(from: "1.8.2")),
    .package(url: "https://github.com/apple/swift-protobuf", .upToNextMinor(from: "1.39.0")),
    .package(url: "https://github.com/jpsim/Yams", .upToNextMinor(from: "6.2.2")),
  ],
  targets: [
    mpi(),
    system("COneDNN", apt: "libdnnl-dev"),
    system("COpenBLAS", pkgConfig: "openblas", apt: "libopenblas-dev"),
    system("COpenMP", apt: "libgomp1"),
    system("CTurboJPEG", pkgConfig: "libturbojpeg", apt: "libturbojpeg0-dev"),
    system("CPNG", pkgConfig: "libpng", apt: "libpng-dev"),
    system("CArchive", pkgConfig: "libarchive", apt: "libarchive-dev"),
    system("CZlib", pkgConfig: "zlib", apt: "zlib1g-dev"),
    system("CMalloc", apt: "libc6-dev"),
    .target(name: "CHangup"),
    .target(name: "CSpikeKernels"),
    .target(name: "AMXEmulator", path: "Tests/AMXEmulator"),
    .target(
      name: "TestSupport",
      dependencies: ["Datasets", "Distributed", "SafeTensors", "SpikingNetworks", "Tensors"],
      path: "Tests/TestSupport"),
    .testTarget(
      name: "CommandLineTests",
      dependencies: [
        "sltt-dist", "Training", "Configuration", "NIR", "Datasets", "SafeTensors", "Tensors",
        "Support", "TestSupport",
      ]),
    .executableTarget(
      name: "sltt-dist",
      dependencies: [
        "Benchmarking", "Reporting", "HostChecks", "Training", "Configuration", "Distributed",
        "Datasets",
        "Support", "Tensors",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
  ]
    + library("Support", ["CMalloc"], testDependencies: ["TestSupport"])
    + library(
      "Tensors", ["Support", "CSpikeKernels", "COneDNN", "COpenBLAS", "COpenMP"],
      testDependencies: ["TestSupport", "AMXEmulator"])
    + library("SafeTensors", ["Support"], testDependencies: ["TestSupport"])
    + library(
      "TensorBoard", ["Support", .product(name: "SwiftProtobuf", package: "swift-protobuf")],
      exclude: ["Messages.proto"], testDependencies: ["TestSupport"])
    + library("SpikingNetworks", ["Tensors"], testDependencies: ["TestSupport"])
    + library("NIR", ["SpikingNetworks", "Support", "Tensors"], testDependencies: ["TestSupport"])
    + library("Distributed", ["Support", "CMPI", "CHangup"], testDependencies: ["TestSupport"])
    + library(
      "Datasets", ["Support", "Tensors", "CTurboJPEG", "CPNG", "CArchive", "CZlib"],
      resources: [.copy("Resources")], testDependencies: ["TestSupport"],
      testResources: [.copy("Fixtures")])
    + library(
      "PyTorchFiles", ["SafeTensors", "Datasets", "Support"], testDependencies: ["TestSupport"],
      testResources: [.copy("Fixtures")])
    + library(
      "Configuration",
      [
        "SpikingNetworks", "Distributed", "Datasets", "Support", "Tensors",
        .product(name: "Yams", package: "Yams"),
      ],
      testDependencies: ["TestSupport"])
    + library(
      "Training",
      [
        "Configuration", "NIR", "SpikingNetworks", "PyTorchFiles", "SafeTensors", "TensorBoard",
        "Distributed",
        "Datasets", "Support", "Tensors",
      ],
      testDependencies: ["TestSupport"], testResources: [.copy("Fixtures")])
    + library(
      "Benchmarking",
      [
        "Training", "Configuration", "SpikingNetworks", "Distributed", "Datasets", "Support",
        "Tensors",
      ],
      testDependencies: ["TestSupport"])
    + library(
      "Reporting",
      [
        "Training", "Configuration", "SpikingNetworks", "Distributed", "Support", "Tensors",
      ],
      testDependencies: ["Datasets", "TestSupport"])
    + library(
      "HostChecks", ["Distributed", "Datasets", "Support", "Tensors"],
      testDependencies: ["TestSupport"]),
  swiftLanguageModes: [.v6]
)
