// Which model a result came from.

import Checkpoints
import Files
import FoundationEssentials
import Tensors

/// A model's name, the digest of its weights and the type they are stored in.
public struct ModelIdentity: Hashable, Sendable {
  /// The folder's own name.
  public let name: String
  /// SHA-256 of the weights: of the one file, or, for shards, of their digests in the order of their names.
  public let weightsSHA256: String
  /// The type most of the weights are stored in: `float32`, `float16` or `bfloat16`.
  public let dtype: String

  /// An identity that is known already.
  public init(name: String, weightsSHA256: String, dtype: String) {
    self.name = name
    self.weightsSHA256 = weightsSHA256
    self.dtype = dtype
  }

  /// Reads the weights of a model folder once, from first byte to last.
  /// - Throws: `FileError` or `CheckpointError` where a file cannot be read.
  public init(folder: String) throws {
    let files = try SafetensorsCheckpoint(folder: modelPath(folder)).files
    let digests = try files.map { try sha256(ofFileAt: $0.path) }
    if digests.count == 1 {
      weightsSHA256 = digests[0]
    } else {
      let digest = SHA256Digest()
      for text in digests { digest.update(text) }
      weightsSHA256 = digest.hexadecimal()
    }
    var bytesByType: [String: Int] = [:]
    for file in files {
      for entry in file.entries.values { bytesByType[entry.type, default: 0] += entry.byteRange.count }
    }
    let common = bytesByType.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key ?? ""
    dtype = ["F32": "float32", "F16": "float16", "BF16": "bfloat16"][common] ?? common
    name = URL(fileURLWithPath: folder).standardizedFileURL.lastPathComponent
  }
}
