// A file whose head outputs a merged recording points at, by name and digest.
//
// HDF5 reads what a virtual dataset points at as zeros where the file is not there. Head outputs are therefore read from the
// parts themselves, each of which must be the file that was merged.

import CHDF5
import CHDF5System
import Files

/// One of the files that a merged recording joins.
struct JoinedRecording: Hashable, Sendable {
  /// Its path, seen from the merged recording's folder.
  var name: String
  /// SHA-256 of its bytes, seal included.
  var sha256: String
  /// How many examples it has.
  var examples: Int

  static let attribute = "shards"

  /// The path of the file.
  func path(from merged: String) -> String {
    let folder = folderOfPath(merged)
    return folder == "." && !merged.hasPrefix("./") ? name : folder + "/" + name
  }

  /// The list as a merged recording keeps it.
  static func text(_ parts: [JoinedRecording]) -> String {
    JSONValue.array(
      parts.map {
        .object([
          JSONMember("name", .string($0.name)), JSONMember("sha256", .string($0.sha256)),
          JSONMember("examples", .integer($0.examples)),
        ])
      }
    ).line
  }

  /// The list of a file; nil where its head outputs are its own.
  static func list(_ file: HDF5File) throws(RecordingError) -> [JoinedRecording]? {
    guard file.hasAttribute(attribute) else { return nil }
    let text = try file.textAttribute(attribute)
    guard let items = try? JSONValue(parsing: text).elements else {
      throw file.malformed("attribute '\(attribute)' is no list")
    }
    var parts: [JoinedRecording] = []
    for item in items {
      guard let name = item["name"]?.text, let digest = item["sha256"]?.text,
        let examples = item["examples"]?.wholeNumber, examples > 0, examples <= Int(Int32.max),
        !name.isEmpty, !name.hasPrefix("/")
      else { throw file.malformed("attribute '\(attribute)' is no list of files and digests") }
      parts.append(JoinedRecording(name: name, sha256: digest, examples: examples))
    }
    return parts
  }

  /// Refuses a list of which a file is missing or has changed.
  /// - Complexity: reads every part once from end to end.
  /// - Throws: `RecordingError.missingPart`.
  static func check(_ parts: [JoinedRecording], of merged: String) throws(RecordingError) {
    for part in parts {
      let path = part.path(from: merged)
      guard fileExists(at: path) else {
        throw .missingPart(path: merged, part: path, problem: "that is not there")
      }
      var digest: String?
      do throws(RecordingError) {
        digest = try RecordingSeal.check(path)
      } catch .malformed {
        throw .missingPart(path: merged, part: path, problem: "its bytes are not those that were merged")
      }
      guard digest == part.sha256 else {
        throw .missingPart(path: merged, part: path, problem: "that is another file than was merged")
      }
    }
  }

  /// Reads rows that may lie in several parts. Called inside `HDF5.perform`.
  /// - Parameter shape: the shape of one example's head outputs.
  static func read(
    _ parts: [JoinedRecording], of merged: String, rows: Range<Int>, shape: [Int],
    into target: UnsafeMutableRawPointer?
  ) throws(RecordingError) {
    let width = 4 * shape.reduce(1, *)
    var first = 0
    for part in parts {
      let wanted = rows.clamped(to: first..<first + part.examples)
      defer { first += part.examples }
      guard !wanted.isEmpty else { continue }
      let path = part.path(from: merged)
      guard fileExists(at: path) else {
        throw .missingPart(path: merged, part: path, problem: "that is not there any more")
      }
      let file = try HDF5File(path: path, access: .reading)
      defer { file.close() }
      let found = try file.shape(of: "head_outputs", H5T_FLOAT, ranks: 4...5)
      guard found == [part.examples] + shape else {
        throw .missingPart(path: merged, part: path, problem: "its head outputs have shape \(found)")
      }
      try file.read(
        "head_outputs", rows: wanted.lowerBound - first..<wanted.upperBound - first, .float32,
        into: target.map { $0 + (wanted.lowerBound - rows.lowerBound) * width })
    }
  }
}
