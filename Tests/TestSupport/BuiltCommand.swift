// Runs the `headlamp` that was built together with the tests.

import CLastWords
import Foundation

/// What a finished run of the command left behind.
public struct CommandResult: Sendable {
  /// The exit code; the signal, negated, where one ended the process.
  public let exitCode: Int32
  /// Standard output.
  public let output: String
  /// Standard error.
  public let errors: String
}

/// Runs `headlamp` with the given words and waits for it.
///
/// - Parameters:
///   - environment: added to this process's environment.
///   - input: what the command reads on its standard input.
public func headlamp(
  _ words: [String], environment: [String: String] = [:], input: String = "", folder: String? = nil
) throws -> CommandResult {
  let process = Process()
  process.executableURL = builtCommand
  process.arguments = words
  process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
  if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
  let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("headlamp-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: scratch) }
  // Files rather than pipes: nothing can block on a full buffer.
  let names = ["in", "out", "err"].map { scratch.appendingPathComponent($0) }
  try Data(input.utf8).write(to: names[0])
  for name in names[1...] { try Data().write(to: name) }
  process.standardInput = try FileHandle(forReadingFrom: names[0])
  process.standardOutput = try FileHandle(forWritingTo: names[1])
  process.standardError = try FileHandle(forWritingTo: names[2])
  try process.run()
  process.waitUntilExit()
  return CommandResult(
    exitCode: process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus,
    output: try String(contentsOf: names[1], encoding: .utf8),
    errors: try String(contentsOf: names[2], encoding: .utf8))
}

/// Whether tests and command run under a sanitizer, which has an allocator and maps of memory of its own.
public let isSanitized = last_words_is_sanitized() != 0

/// The executable beside the test bundle.
public let builtCommand: URL = {
  let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }?.bundleURL
  let folder = bundle?.deletingLastPathComponent() ?? Bundle.main.bundleURL
  return folder.appendingPathComponent("headlamp")
}()
