// A recording: what was recorded, from which model, and how much of it.

import Recordings

/// Describes an HDF5 file of head outputs.
enum RecordingInspection: Inspection {
  static let kind = "a recording"

  static func describe(_ path: String) throws -> [String]? {
    guard Recording.isHDF5(at: path) else { return nil }
    let recording = try Recording(path: path)
    let description = recording.description
    let positives = recording.labels.count { $0 }
    let shape =
      description.position == .each
      ? "[\(recording.examples.count), \(recording.tokenWidth), \(description.layers), \(description.heads), "
        + "\(description.dModel)]"
      : "[\(recording.examples.count), \(description.layers), \(description.heads), \(description.dModel)]"
    let lengths = recording.examples.map(\.tokens.count)
    let rows = [
      ("task", description.task), ("model", description.model), ("model_sha256", description.modelSHA256),
      ("layers", "\(description.layers)"), ("heads", "\(description.heads) a layer"),
      ("d_model", "\(description.dModel)"), ("position", description.position.text),
      ("bos", description.bos ? "on" : "off"), ("seed", "\(description.seed)"),
      ("dtype", description.dtype), ("created by", description.createdBy),
      ("examples", "\(positives) positive, \(recording.examples.count - positives) negative"),
      ("pairs", "\(recording.pairs.count)"),
      ("tokens", "\(lengths.min() ?? 0) to \(lengths.max() ?? 0) a prompt"), ("head outputs", shape),
      (
        "codes",
        description.codes.map { "\($0.active) of \($0.codes) active in each head's codebook" } ?? "none"
      ),
    ]
    return rows.map { $0.0.padded(to: 15) + $0.1 }
  }
}
