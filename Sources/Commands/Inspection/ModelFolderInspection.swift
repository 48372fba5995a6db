// A model folder: its architecture, what its heads are, and its files.

import Checkpoints
import Files
import Tensors
import Transformers

/// Describes a folder with `config.json` and weights, or a GGUF file.
enum ModelFolderInspection: Inspection {
  static let kind = "a model folder"

  static func describe(_ path: String) throws -> [String]? {
    let path = try modelPath(path)
    guard path.hasSuffix(".gguf") || fileExists(at: path + "/config.json") else { return nil }
    let configuration = try Transformer.configuration(ofFolder: path)
    let checkpoint = try SafetensorsCheckpoint(folder: path)
    return rows(configuration).map { $0.0.padded(to: 15) + $0.1 } + files(checkpoint)
  }

  private static func rows(_ model: TransformerConfiguration) -> [(String, String)] {
    var rows = [
      ("family", model.family), ("layers", "\(model.layers)"), ("heads", heads(model)),
      ("d_model", "\(model.dModel)"), ("d_head", "\(model.dHead)"),
    ]
    switch model.mlp {
    case .none: rows.append(("mlp", "none: attention only"))
    case .plain: rows.append(("mlp", "d_mlp \(model.dMLP), \(model.activation.rawValue)"))
    case .gated: rows.append(("mlp", "d_mlp \(model.dMLP), \(model.activation.rawValue), gated"))
    case .experts(let routing):
      rows.append(
        (
          "mlp",
          "\(routing.experts) experts of width \(routing.width), \(routing.chosen) of them for each token"
        ))
    }
    rows += [
      ("vocabulary", "\(model.vocabulary) tokens" + (model.tiesEmbeddings ? ", tied unembedding" : "")),
      ("context", "\(model.context) positions"), ("normalisation", normalization(model)),
      ("positions", positions(model)), ("attention", attention(model)),
    ]
    switch model.residual {
    case .sequential: break
    case .parallel: rows.append(("residual", "attention and MLP side by side"))
    case .normalized: rows.append(("residual", "normalised behind attention and behind the MLP"))
    }
    if model.prediction == .masked {
      rows.append(("predicts", "the token that stands at a masked position"))
    }
    return rows
  }

  private static func heads(_ model: TransformerConfiguration) -> String {
    guard model.groupSize > 1 else { return "\(model.heads) a layer, \(model.headCount) in all" }
    return
      "\(model.heads) query heads a layer, \(model.headCount) in all; hook_q, hook_z and hook_result name "
      + "query heads, hook_k and hook_v name \(model.keyValueHeads) groups: query head h reads group "
      + "h / \(model.groupSize)"
  }

  private static func normalization(_ model: TransformerConfiguration) -> String {
    switch model.normalization {
    case nil: "none"
    case .layer(let epsilon): "layer, epsilon \(Double(epsilon).text(significant: 3))"
    case .rootMeanSquare(let epsilon, _): "root mean square, epsilon \(Double(epsilon).text(significant: 3))"
    }
  }

  private static func positions(_ model: TransformerConfiguration) -> String {
    switch model.positions {
    case .none:
      return model.attention.contains { $0.rule.keyBias != nil }
        ? "none: scores lean on distance (ALiBi)" : "none"
    case .learned: return "learned"
    case .rotary:
      var kinds: [String] = []
      for rotary in model.attention.compactMap(\.rotary) {
        let base = rotary.base.text(significant: 6)
        var text = "rotary, \(rotary.dimension) of \(model.dHead) coordinates, base \(base)"
        switch rotary.scaling {
        case .none: break
        case .linear(let factor): text += ", stretched \(factor.text(significant: 3)) times"
        case .llama3(let factor, _, _, _), .yarn(let factor, _, _, _, _, _):
          text += ", slow angles stretched \(factor.text(significant: 3)) times"
        case .longrope(_, _, let context, _):
          text += ", each angle stretched by a factor of its own, others beyond \(context) tokens"
        case .proportional(let turned, let factor):
          text += ", \(turned) pairs of them, stretched \(factor.text(significant: 3)) times"
        }
        if rotary.pairing == .neighbours { text += ", neighbouring coordinates together" }
        if !kinds.contains(text) { kinds.append(text) }
      }
      return kinds.joined(separator: "; ")
    }
  }

  private static func attention(_ model: TransformerConfiguration) -> String {
    let base = model.attention.allSatisfy(\.rule.isCausal) ? "causal" : "bidirectional"
    let windowed = model.attention.indices.filter { model.attention[$0].rule.window != nil }
    let still = model.attention.indices.filter {
      model.positions == .rotary && model.attention[$0].rotary == nil
    }
    let direction =
      still.isEmpty
      ? base : base + ", without positions in layers " + still.map { "\($0)" }.joined(separator: " ")
    guard let first = windowed.first, let window = model.attention[first].rule.window else {
      return direction
    }
    let layers = windowed.map { "\($0)" }.joined(separator: " ")
    return "\(direction), window of \(window) in layers \(layers)"
  }

  private static func files(_ checkpoint: SafetensorsCheckpoint) -> [String] {
    checkpoint.files.map { file in
      let parameters = file.entries.values.reduce(0) { $0 + $1.count }
      let types = Set(file.entries.values.map(\.type)).sorted().joined(separator: ", ")
      return "file".padded(to: 15)
        + "\(file.path): \(file.entries.count) tensors, \(parameters) numbers, \(types)"
    }
  }
}
