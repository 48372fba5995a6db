// Activations that another implementation computed, stored in a safetensors file.
//
// Three ways of naming are read: TransformerLens's (`blocks.0.attn.hook_z`), a short form (`blocks.0.z`,
// `final_norm`), and a numbered one (`attn_pattern.0`, `head_out.0`).

import Checkpoints
import Tensors

/// Token ids with the activations that a model should have on them.
public struct ReferenceActivations: Sendable {
  /// One stored value and the place it belongs to.
  public struct Value: Sendable {
    /// The name in the file.
    public var name: String
    /// Where in a model the value is computed.
    public var point: HookPoint
    /// The value, in the axes of `point`.
    public var tensor: Tensor
  }

  /// The prompts.
  public let batch: TokenBatch
  /// The values in the order of computation.
  public let values: [Value]
  /// Tensors of the file whose names say nothing.
  public let unrecognised: [String]

  /// Reads a file for a model of so many layers.
  ///
  /// - Throws: `FileError`, `CheckpointError`, or `TransformerError.malformedReference` where there are no token ids or
  ///   nothing to compare.
  public init(path: String, layers: Int) throws {
    let file = try SafetensorsFile(path: path)
    batch = try Self.batch(of: file)
    var values: [Value] = []
    var unrecognised: [String] = []
    for name in file.names where name != "input_ids" && name != "attention_mask" {
      guard let (point, isByHead) = hookPoint(ofReference: name, layers: layers) else {
        unrecognised.append(name)
        continue
      }
      let shape = try file.entry(name).shape
      guard shape.count >= 3, shape[0] == batch.count else {
        throw TransformerError.malformedReference(
          path: path, problem: "'\(name)' of shape \(shape) does not belong to \(batch.count) prompts")
      }
      let tensor = try file.tensor(name)
      values.append(
        Value(name: name, point: point, tensor: isByHead ? tensor.exchangingMiddleAxes() : tensor))
    }
    guard !values.isEmpty else {
      throw TransformerError.malformedReference(path: path, problem: "it holds no activations to compare")
    }
    self.values = values.sorted { ($0.point.order, $0.name) < ($1.point.order, $1.name) }
    self.unrecognised = unrecognised
  }

  private static func batch(of file: SafetensorsFile) throws -> TokenBatch {
    let shape = try file.entry("input_ids").shape
    guard shape.count == 2 else {
      throw TransformerError.malformedReference(
        path: file.path, problem: "'input_ids' has shape \(shape) where [prompts, positions] is needed")
    }
    let ids = try file.integers("input_ids")
    var lengths = [Int](repeating: shape[1], count: shape[0])
    if file.entries["attention_mask"] != nil {
      try file.requireShape(shape, of: "attention_mask")
      let mask = try file.integers("attention_mask")
      for prompt in lengths.indices {
        let row = mask[prompt * shape[1]..<(prompt + 1) * shape[1]]
        lengths[prompt] = row.reduce(0, +)
        guard row.prefix(lengths[prompt]).allSatisfy({ $0 == 1 }) else {
          throw TransformerError.malformedReference(
            path: file.path, problem: "prompt \(prompt) is not padded on the right")
        }
      }
    }
    return TokenBatch(lengths.indices.map { Array(ids[$0 * shape[1]..<$0 * shape[1] + lengths[$0]]) })
  }
}

/// The hook point that a stored name means, and whether its heads stand before its positions.
private func hookPoint(ofReference name: String, layers: Int) -> (HookPoint, isByHead: Bool)? {
  if let point = HookPoint(name) { return (point, false) }
  if name == "final_norm" { return (.finalNorm, false) }
  let parts = name.split(separator: ".")
  if parts.count == 3, parts[0] == "blocks", let layer = Int(parts[1]), layer < layers {
    let places: [Substring: BlockPoint] = [
      "resid_pre": .residPre, "resid_post": .residPost, "z": .z, "pattern": .pattern, "mlp_out": .rawMLPOut,
    ]
    return places[parts[2]].map { (.block(layer: layer, $0), false) }
  }
  guard parts.count == 2, let layer = Int(parts[1]), layer <= layers else { return nil }
  // What a list of hidden states holds after the last layer is the final normalisation's output.
  if layer == layers { return parts[0] == "resid_pre" ? (.finalNorm, false) : nil }
  switch parts[0] {
  case "attn_pattern": return (.pattern(layer: layer), false)
  case "head_out": return (.result(layer: layer), true)
  case "mlp_out": return (.block(layer: layer, .rawMLPOut), false)
  case "resid_pre": return (.residPre(layer: layer), false)
  case "resid_post": return (.residPost(layer: layer), false)
  default: return nil
  }
}

extension Tensor {
  /// `[a, b, c, d]` as `[a, c, b, d]`.
  fileprivate func exchangingMiddleAxes() -> Tensor {
    var result = Tensor(zeros: [shape[0] * shape[2], shape[1], shape[3]])
    for index in 0..<shape[0] {
      let rows = Int32(index * shape[2])..<Int32((index + 1) * shape[2])
      result.scatterRows(row(index).exchangingFirstAxes(), to: Array(rows))
    }
    return result.reshaped([shape[0], shape[2], shape[1], shape[3]])
  }
}
