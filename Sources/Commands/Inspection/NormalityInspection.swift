// A normality model: what it was fitted to, and how far it may be trusted.

import Checkpoints
import Files
import Probes
import Recordings

/// Describes what `normality fit` or `discover` wrote.
enum NormalityInspection: Inspection {
  static let kind = "a normality model"

  static func describe(_ path: String) throws -> [String]? {
    guard path.hasSuffix(".safetensors"),
      try SafetensorsFile(path: path).metadata["format"]?.hasPrefix("headlamp normality") == true
    else { return nil }
    let model = try Normality(path: path)
    let (source, shrinkage) = (model.source, model.parts.map(\.gaussian.shrinkage))
    let rows = [
      ("places", "\(model.parts.count), \(model.parts.first?.place.name ?? "") first"),
      ("components", "\(model.freedom)"),
      (
        "shrinkage",
        "\((shrinkage.min() ?? 0).text(significant: 2)) to \((shrinkage.max() ?? 0).text(significant: 2))"
      ),
      ("prompts", "\(model.promptCount) of \(source.task), at \(source.position.text)"),
      ("model", "\(source.model), \(source.modelSHA256.prefix(12))"),
      ("recording", String(model.recordingSHA256.prefix(12))),
    ]
    return rows.map { $0.0.padded(to: 15) + $0.1 }
  }
}
