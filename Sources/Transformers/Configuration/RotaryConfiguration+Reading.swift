// Rotary settings in config.json, in both of their spellings.

import Files

extension RotaryConfiguration {
  /// Reads `rope_parameters`, or the older `rope_theta` and `rope_scaling`.
  ///
  /// - Parameters:
  ///   - headWidth: d_head, of which `partial_rotary_factor` may turn a part.
  ///   - base: the base of the angles where none is given.
  ///   - kind: the key within `rope_parameters` where kinds of layers have settings of their own.
  /// - Throws: `TransformerError` for settings that are wrong or not implemented.
  init(
    reading options: inout ConfigurationReader, headWidth: Int, defaultBase base: Double = 10000,
    kind: String? = nil
  ) throws(TransformerError) {
    let base = try options.positiveNumber("rope_theta", default: base)
    let share = try options.positiveNumber("partial_rotary_factor", default: 1)
    let scaling = options.value("rope_scaling")
    if let parameters = options.value("rope_parameters") {
      try self.init(
        parameters: kind.flatMap { parameters[$0] } ?? parameters, path: options.path, headWidth: headWidth,
        base: base, share: share)
    } else {
      try self.init(
        parameters: scaling ?? .object([]), path: options.path, headWidth: headWidth, base: base,
        share: share)
    }
  }

  /// Reads one object of rotary settings.
  init(
    parameters: JSONValue, path: String, headWidth: Int, base: Double, share: Double
  ) throws(TransformerError) {
    var options = try ConfigurationReader(path: path, json: parameters)
    let base = try options.positiveNumber("rope_theta", default: base)
    let share = try options.positiveNumber("partial_rotary_factor", default: share)
    let older = try options.optionalText("type")
    let name = try options.optionalText("rope_type") ?? older ?? "default"
    let scaling: Scaling
    switch name {
    case "default": scaling = .none
    case "linear": scaling = .linear(factor: try options.positiveNumber("factor", default: 1))
    case "llama3":
      scaling = .llama3(
        factor: try options.positiveNumber("factor", default: 8),
        lowFrequency: try options.positiveNumber("low_freq_factor", default: 1),
        highFrequency: try options.positiveNumber("high_freq_factor", default: 4),
        originalContext: try options.positiveNumber("original_max_position_embeddings", default: 8192))
    default: throw .unsupportedOption(path: path, option: "rope_type", value: name)
    }
    try options.finish()
    let dimension = Int(Double(headWidth) * share)
    guard dimension >= 1, (dimension + 1) / 2 * 2 <= headWidth else {
      throw options.bad("partial_rotary_factor", "turns \(dimension) of \(headWidth) coordinates")
    }
    self.init(dimension: dimension, base: base, scaling: scaling)
  }
}
