// A dictionary file: its size, and how it was made.

import Checkpoints
import SparseAutoencoders

/// Describes the dictionary that `discover` wrote.
enum DictionaryInspection: Inspection {
  static let kind = "a dictionary"

  static func describe(_ path: String) throws -> [String]? {
    guard path.hasSuffix(".safetensors") else { return nil }
    let metadata = try SafetensorsFile(path: path).metadata
    guard metadata["format"]?.hasPrefix("headlamp dictionary") == true else { return nil }
    let dictionary = try SparseDictionary(path: path)
    var rows = [("features", "\(dictionary.features) of width \(dictionary.width)")]
    let sparsity =
      switch dictionary.selection {
      case .all: "lambda \(metadata["lambda"] ?? "")"
      case .largest(let count): "\(count) active features a sample"
      case .above(let threshold): "features above \(threshold)"
      }
    rows.append(("sparsity", sparsity))
    for name in metadata.keys.sorted()
    where !["format", "lambda", "active_features", "threshold"].contains(name) {
      rows.append((name, metadata[name] ?? ""))
    }
    return rows.map { $0.0.padded(to: 15) + $0.1 }
  }
}
