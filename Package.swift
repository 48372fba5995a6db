// swift-tools-version: 6.2
import PackageDescription

/// Every Swift target is compiled under the same rules: Swift 6 language mode, warnings are errors,
/// existentials are spelled out and imports are explicit.
let rules: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

/// Tests as they are in both configurations: optimising what runs once takes longer than it saves.
let testRules: [SwiftSetting] = rules + [.unsafeFlags(["-Onone"])]

/// Targets that must not hold pointers: pointers live in libraries of numbers and files only.
let pointerFree: [SwiftSetting] = rules + [.strictMemorySafety()]

func library(
  _ name: String, _ dependencies: [Target.Dependency], settings: [SwiftSetting] = pointerFree
) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(
  _ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = [], exclude: [String] = []
) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: [.target(name: name), "TestSupport"] + dependencies,
    exclude: exclude, resources: resources, swiftSettings: testRules)
}

/// A narrated program in `Notebooks-as-scripts`.
func notebook(_ name: String, _ folder: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(
    name: name, dependencies: ["Narration"] + dependencies, path: "Notebooks-as-scripts/\(folder)",
    swiftSettings: pointerFree)
}

let libraries = [
  "Files", "Tensors", "Checkpoints", "Tokenizers", "Transformers", "CausalMethods", "Recordings",
  "SparseAutoencoders",
  "CircuitDiscovery", "Probes",
  "Tables", "Trees", "NeuralNetworks", "TabularExplainer", "Reports",
]

let package = Package(
  name: "Headlamp",
  products: [.executable(name: "headlamp", targets: ["headlamp"])]
    + libraries.map { .library(name: $0, targets: [$0]) },
  targets: [
    // C libraries: module maps, and shims over their macros.
    .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(name: "CHDF5System", pkgConfig: "hdf5-serial", providers: [.apt(["libhdf5-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CMalloc"),
    .target(name: "CLastWords"),
    .target(name: "CAllocation", dependencies: ["CLastWords"]),
    .target(name: "CHDF5", dependencies: ["CHDF5System"]),
    .target(name: "CKernels", cSettings: [.unsafeFlags(["-O3"], .when(configuration: .debug))]),

    // Foundations.
    library("Files", ["CCrypto", "CLastWords", "CMalloc", "CZlib"], settings: rules),
    library("Tensors", ["COpenBLAS", "CKernels", "Files"], settings: rules),
    library("Checkpoints", ["Tensors", "CKernels", "Files"], settings: rules),

    // Circuit discovery.
    library("Tokenizers", ["Files"]),
    library("Transformers", ["Checkpoints", "Tensors", "Tokenizers", "Files"]),
    library("CausalMethods", ["Transformers", "Checkpoints", "Tensors", "Files"]),
    library("Recordings", ["Tensors", "CHDF5", "Files"], settings: rules),
    library(
      "SparseAutoencoders", ["Recordings", "Checkpoints", "Tensors", "CKernels", "Files"], settings: rules),
    library(
      "CircuitDiscovery",
      [
        "CausalMethods", "Transformers", "SparseAutoencoders", "Recordings", "Tokenizers", "Checkpoints",
        "Tensors",
        "Files",
      ]),

    library("Probes", ["Recordings", "Checkpoints", "Tensors", "Files"]),

    // The tabular explainer.
    library("Tables", ["Files", "Tensors"], settings: rules),
    library("Trees", ["Checkpoints", "Tables", "Tensors", "CKernels", "Files"], settings: rules),
    library("NeuralNetworks", ["Tensors", "CKernels"], settings: rules),
    library("TabularExplainer", ["Trees", "Tables", "NeuralNetworks", "Checkpoints", "Tensors", "Files"]),

    // The command.
    library("Reports", ["Files"]),
    library(
      "Commands",
      [
        "Reports", "CausalMethods", "CircuitDiscovery", "Probes", "TabularExplainer", "Trees", "Tables",
        "SparseAutoencoders",
        "Recordings",
        "Transformers", "Tokenizers", "Checkpoints", "Tensors", "Files",
      ]),
    .executableTarget(
      name: "headlamp", dependencies: ["CAllocation", "Commands", "Tensors"], swiftSettings: pointerFree),

    // Runnable, narrated programs on the libraries.
    .target(
      name: "Narration", dependencies: ["Files"], path: "Notebooks-as-scripts/narration",
      swiftSettings: pointerFree),
    notebook(
      "FirstCircuit", "first-circuit",
      [
        "CausalMethods", "CircuitDiscovery", "Reports", "SparseAutoencoders", "Tensors", "Tokenizers",
        "Transformers",
      ]),
    notebook(
      "ReadARecording", "read-a-recording",
      ["CircuitDiscovery", "Recordings", "Reports", "Tensors", "Transformers"]),
    notebook(
      "InformationPathways", "information-pathways",
      ["CausalMethods", "CircuitDiscovery", "Reports", "Tensors", "Transformers"]),
    notebook(
      "WideAttention", "wide-attention", ["CircuitDiscovery", "Reports", "Tensors", "Transformers"]),
    notebook("YourOwnTask", "your-own-task", ["CircuitDiscovery", "Reports", "Transformers"]),
    notebook(
      "PatchAndAttribute", "patch-and-attribute",
      ["CausalMethods", "CircuitDiscovery", "Reports", "Transformers"]),
    notebook(
      "CompareMethods", "compare-methods",
      ["CircuitDiscovery", "Reports", "SparseAutoencoders", "Transformers"]),
    notebook(
      "TrainAToyModel", "train-a-toy-model",
      ["CausalMethods", "CircuitDiscovery", "Reports", "Tensors", "Transformers"]),
    notebook(
      "DiscoverHeads", "discover-heads",
      ["CircuitDiscovery", "Transformers", "SparseAutoencoders", "Recordings", "Reports"]),
    notebook(
      "ExplainAPrediction", "explain-a-prediction", ["TabularExplainer", "Trees", "Tables", "Reports"]),

    // Tests.
    .target(
      name: "TestSupport", dependencies: ["CLastWords", "Tensors", "Files"], path: "Tests/TestSupport",
      swiftSettings: rules),
    tests("Files", []),
    tests(
      "CircuitDiscovery",
      [
        "CausalMethods", "Transformers", "SparseAutoencoders", "Recordings", "Tokenizers", "Checkpoints",
        "Tensors",
        "Files",
      ],
      exclude: ["Golden"]),
    tests("CausalMethods", ["Transformers", "Checkpoints", "Tensors", "Files"], exclude: ["Golden"]),
    tests("Probes", ["Recordings", "Checkpoints", "Tensors", "Files"], exclude: ["Golden"]),
    tests("Tensors", ["Files"]),
    tests("Checkpoints", ["Tensors", "Files"], exclude: ["Golden"]),
    tests("Transformers", ["Checkpoints", "Tensors", "Files"], exclude: ["Golden"]),
    tests(
      "TabularExplainer", ["Trees", "Tables", "NeuralNetworks", "Checkpoints", "Tensors", "Files"],
      exclude: ["Golden"]),
    tests("Tables", ["Files", "Tensors"]),
    tests("Trees", ["Checkpoints", "Tables", "Tensors", "Files"], exclude: ["Golden"]),
    tests("Tokenizers", ["Files"], exclude: ["Golden"]),
    tests("Commands", []),
    tests("Reports", []),
    .testTarget(
      name: "EndToEndTests", dependencies: ["headlamp", "TestSupport"], exclude: ["Cases", "Golden"],
      swiftSettings: testRules),
    .target(
      name: "FuzzReaders",
      dependencies: [
        "CHDF5", "CausalMethods", "Checkpoints", "CircuitDiscovery", "Files", "Probes", "Recordings",
        "SparseAutoencoders",
        "Tables", "TabularExplainer", "Tensors", "Tokenizers", "Transformers", "Trees",
      ], path: "Tests/Fuzz/FuzzReaders", swiftSettings: rules),
    .testTarget(
      name: "FuzzCorpusTests", dependencies: ["FuzzReaders", "TestSupport"], swiftSettings: rules),
    tests("Recordings", ["Tensors", "Files"], exclude: ["Golden"]),
    tests("SparseAutoencoders", ["Recordings", "Checkpoints", "Tensors", "Files"], exclude: ["Golden"]),
  ]
)

// The fuzzer's executable has libFuzzer's entry instead of one of its own: `make fuzz` asks for it.
if Context.environment["HEADLAMP_FUZZ"] != nil {
  package.targets.append(
    .executableTarget(
      name: "Fuzz", dependencies: ["FuzzReaders", "Files"], path: "Tests/Fuzz/Fuzz",
      swiftSettings: rules + [.unsafeFlags(["-parse-as-library"])]))
}

// headlamp-mpi needs an MPI, by the name that pkg-config knows it: HEADLAMP_MPI=ompi-c, or mpich. The command itself never
// links one.
if let mpi = Context.environment["HEADLAMP_MPI"], !mpi.isEmpty {
  package.products.append(.executable(name: "headlamp-mpi", targets: ["headlamp-mpi"]))
  package.targets += [
    .systemLibrary(name: "CMPISystem", pkgConfig: mpi, providers: [.apt(["libopenmpi-dev"])]),
    .target(name: "CMPI", dependencies: ["CMPISystem"]),
    .executableTarget(
      name: "headlamp-mpi", dependencies: ["CAllocation", "CMPI", "Commands", "Tensors", "Transformers"],
      swiftSettings: pointerFree),
  ]
}
