// Reference data that may not be copied into the project lies beside a checkout, where there is any.

import Foundation

/// The folder of reference data beside the package, or nil where it is absent; tests that need it are then skipped.
public enum SharedReference {
  /// `…/shared/reference`, if it exists.
  public static let folder: String? = {
    var url = URL(fileURLWithPath: #filePath)
    for _ in 0..<3 { url.deleteLastPathComponent() }
    let path = url.deletingLastPathComponent().appendingPathComponent("shared/reference").path
    return FileManager.default.fileExists(atPath: path) ? path : nil
  }()

  /// Whether the reference data is there, for `.enabled(if:)`.
  public static var isPresent: Bool { folder != nil }

  /// The path of one reference file or folder; empty where the data is absent.
  public static func path(_ relative: String) -> String {
    folder.map { $0 + "/" + relative } ?? ""
  }
}

/// The folder of the package itself, with `Circuits` and the test fixtures.
public let packageFolder: String = {
  var url = URL(fileURLWithPath: #filePath)
  for _ in 0..<3 { url.deleteLastPathComponent() }
  return url.path
}()
