// How the narrated programs speak: numbered sections, lines of text, and figures written beside each other.

import Files
import FoundationEssentials

/// A program that tells what it does while it does it.
///
/// Figures go to `results/figures/NAME`, or below the folder that the environment's `HEADLAMP_FIGURES` names.
public struct Narration: Sendable {
  /// The folder that figures are written to.
  public let folder: String
  private let scratch: String

  /// A narration that draws into a folder of this name.
  /// - Throws: what making the folder throws.
  public init(_ name: String) throws {
    let environment = ProcessInfo.processInfo.environment
    let root = environment["HEADLAMP_FIGURES"].flatMap { $0.isEmpty ? nil : $0 } ?? "results/figures"
    folder = root + "/" + name
    scratch = FileManager.default.temporaryDirectory.path + "/headlamp-\(name)-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  /// Begins a section.
  public func section(_ title: String) { print("\n\(title)") }

  /// Says a line.
  public func say(_ text: String) { print("   \(text)") }

  /// Writes a figure as `NAME.svg`.
  /// - Throws: `FileError` where it cannot be written.
  public func draw(_ svg: String, as name: String) throws {
    let path = "\(folder)/\(name).svg"
    try writeFile(svg, to: path)
    say("figure: \(path)")
  }

  /// Hands over a folder that is removed afterwards.
  /// - Throws: what making the folder or `body` throws.
  public func withScratchFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
    try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: scratch) }
    return try body(scratch)
  }
}

extension BinaryFloatingPoint {
  /// Three decimals are enough for reading.
  public var short: String { "\((Double(self) * 1000).rounded() / 1000)" }

  /// A share in percent, with one decimal.
  public var percent: String { "\((Double(self) * 1000).rounded() / 10) %" }
}

/// The mean; 0 of no values.
public func mean(_ values: [Double]) -> Double {
  values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
}
