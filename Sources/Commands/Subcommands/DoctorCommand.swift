// headlamp doctor: what this machine offers, and what slows it down.

import Files
import FoundationEssentials
import Tensors

/// Reports processor kernels, threads and the measured rate of matrix products.
enum DoctorCommand: Subcommand {
  static let name = "doctor"
  static let summary = "say what this machine offers and what slows it down"
  static let discussion = """
    Prints the version, the threads in use, the matrix-product kernels that OpenBLAS chose, and their measured rate
    in float32 operations a second. Warns about environment variables that are known to halve that rate.
    """
  static let positionals: [Positional] = []
  static let json = Flag("json", help: "print one JSON object")
  static let options: [any OptionDeclaration] = [json]
  static let examples = [Example("headlamp doctor", "kernels, threads and GFLOP/s of this machine")]

  struct Findings: Codable {
    var version: String
    var threads: Int
    var kernels: String
    var library: String
    var gigaflops: Double
    var slowingVariables: [String]

    enum CodingKeys: String, CodingKey {
      case version, threads, kernels, library, gigaflops
      case slowingVariables = "slowing_variables"
    }
  }

  static func run(_ arguments: ParsedArguments, console: Console) throws {
    let findings = Findings(
      version: headlampVersion, threads: Threads.count, kernels: LinearAlgebraLibrary.kernels,
      library: LinearAlgebraLibrary.description, gigaflops: LinearAlgebraLibrary.productRate() / 1e9,
      slowingVariables: LinearAlgebraLibrary.slowingVariables)
    if arguments[json] {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys]
      console.print(String(decoding: try encoder.encode(findings), as: UTF8.self))
      return
    }
    console.print("headlamp \(findings.version)")
    console.print("threads  \(findings.threads)")
    console.print(
      "BLAS     \(findings.library), \(findings.kernels) kernels"
        + (LinearAlgebraLibrary.kernelsWereChosen
          ? ", chosen by the processor's instructions as OpenBLAS does not know it" : ""))
    console.print("sgemm    \(findings.gigaflops.text(decimals: 0)) GFLOP/s")
    for variable in findings.slowingVariables {
      console.print("warning  \(variable) is set: it can halve matrix products; unset it")
    }
  }
}
