// Rotary settings in config.json, in both of their spellings.

import Files
import Tensors

/// What the settings of rotary positions lean on.
struct RotaryContext {
  /// d_head.
  var headWidth: Int
  /// The longest prompt that the configuration declares.
  var context: Int
  /// The base of the angles where none is given.
  var base = 10000.0
  /// The share of a head that is turned where none is given.
  var share = 1.0
  /// Which coordinates are turned together.
  var pairing = RotaryPairing.halves
}

extension RotaryConfiguration {
  /// Reads `rope_parameters`, or the older `rope_theta` and `rope_scaling`.
  ///
  /// - Parameters:
  ///   - headWidth: d_head, of which `partial_rotary_factor` may turn a part.
  ///   - context: the longest prompt.
  ///   - base: the base of the angles where none is given.
  ///   - share: the share of a head that is turned where none is given.
  ///   - kind: the key within `rope_parameters` where kinds of layers have settings of their own.
  /// - Throws: `TransformerError` for settings that are wrong or not implemented.
  init(
    reading options: inout ConfigurationReader, headWidth: Int, context: Int = 0,
    defaultBase base: Double = 10000, share: Double = 1, pairing: RotaryPairing = .halves, kind: String? = nil
  ) throws(TransformerError) {
    var outer = RotaryContext(headWidth: headWidth, context: context, pairing: pairing)
    outer.base = try options.positiveNumber("rope_theta", default: base)
    outer.share = try options.positiveNumber("partial_rotary_factor", default: share)
    let scaling = options.value("rope_scaling")
    let parameters = options.value("rope_parameters")
    // Some files keep the context of the original training outside.
    let original = try options.optionalNumber("original_max_position_embeddings")
    let own = parameters.map { parameters in kind.flatMap { parameters[$0] } ?? parameters }
    try self.init(
      parameters: own ?? scaling ?? .object([]), path: options.path, outer, originalContext: original)
  }

  /// Reads one object of rotary settings.
  init(
    parameters: JSONValue, path: String, headWidth: Int, base: Double, share: Double, context: Int = 0
  ) throws(TransformerError) {
    try self.init(
      parameters: parameters, path: path,
      RotaryContext(headWidth: headWidth, context: context, base: base, share: share), originalContext: nil)
  }

  private init(
    parameters: JSONValue, path: String, _ outer: RotaryContext, originalContext: Double?
  ) throws(TransformerError) {
    var options = try ConfigurationReader(path: path, json: parameters)
    let base = try options.positiveNumber("rope_theta", default: outer.base)
    let share = try options.positiveNumber("partial_rotary_factor", default: outer.share)
    let older = try options.optionalText("type")
    let name = try options.optionalText("rope_type") ?? older ?? "default"
    let inner = try options.optionalNumber("original_max_position_embeddings")
    let original = inner ?? originalContext
    // Sections of image positions: text has the same place in all of them.
    _ = options.value("mrope_section")
    _ = options.value("mrope_interleaved")
    guard share <= 1 else { throw options.bad("partial_rotary_factor", "must be at most 1, not \(share)") }
    if let original, !(1...1e15).contains(original) {
      throw options.bad("original_max_position_embeddings", "must be a number of positions, not \(original)")
    }
    var dimension = Int(Double(outer.headWidth) * share)
    let scaling: Scaling
    switch name {
    case "default", "mrope": scaling = .none
    case "linear": scaling = .linear(factor: try options.positiveNumber("factor", default: 1))
    case "dynamic":
      // Angles change only in prompts beyond the context, which are refused.
      _ = try options.positiveNumber("factor", default: 1)
      scaling = .none
    case "llama3":
      scaling = .llama3(
        factor: try options.positiveNumber("factor", default: 8),
        lowFrequency: try options.positiveNumber("low_freq_factor", default: 1),
        highFrequency: try options.positiveNumber("high_freq_factor", default: 4),
        originalContext: original ?? 8192)
    case "yarn": scaling = try .yarn(&options, context: outer.context, originalContext: original)
    case "longrope", "su":
      scaling = try .longrope(
        &options, pairs: (dimension + 1) / 2, context: outer.context, originalContext: original)
    case "proportional":
      scaling = .proportional(
        turned: dimension / 2, factor: try options.positiveNumber("factor", default: 1))
      dimension = outer.headWidth
    default: throw .unsupportedOption(path: path, option: "rope_type", value: name)
    }
    try options.finish()
    guard dimension >= 1, (dimension + 1) / 2 * 2 <= outer.headWidth else {
      throw options.bad("partial_rotary_factor", "turns \(dimension) of \(outer.headWidth) coordinates")
    }
    self.init(dimension: dimension, base: base, scaling: scaling, pairing: outer.pairing)
  }
}

extension RotaryConfiguration.Scaling {
  fileprivate static func yarn(
    _ options: inout ConfigurationReader, context: Int, originalContext: Double?
  ) throws(TransformerError) -> Self {
    let original = originalContext ?? Double(context)
    let given = try options.optionalNumber("factor")
    let factor = given ?? Double(context) / max(original, 1)
    let (one, all) = (try options.optionalNumber("mscale"), try options.optionalNumber("mscale_all_dim"))
    func growth(_ weight: Double) -> Double { factor <= 1 ? 1 : 0.1 * weight * logarithm(factor) + 1 }
    var amplitude = growth(1)
    if let one, let all, one != 0, all != 0 { amplitude = growth(one) / growth(all) }
    let fast = try options.optionalNumber("beta_fast") ?? 32
    let slow = try options.optionalNumber("beta_slow") ?? 1
    return .yarn(
      factor: factor, fastTurns: fast, slowTurns: slow, originalContext: original,
      isTruncated: try options.truth("truncate", default: true),
      amplitude: try options.optionalNumber("attention_factor") ?? amplitude)
  }

  fileprivate static func longrope(
    _ options: inout ConfigurationReader, pairs: Int, context: Int, originalContext: Double?
  ) throws(TransformerError) -> Self {
    func factors(_ name: String) throws(TransformerError) -> [Double] {
      guard let list = options.value(name)?.elements?.compactMap(\.anyNumber), list.count == pairs else {
        throw options.bad(name, "must be a list of \(pairs) numbers")
      }
      return list
    }
    let (short, long) = (try factors("short_factor"), try factors("long_factor"))
    // Phi-3's first files have factors on queries and keys in place of one for both; its model does not read them.
    _ = try options.optionalNumber("short_mscale")
    _ = try options.optionalNumber("long_mscale")
    let original = originalContext ?? Double(context)
    let given = try options.optionalNumber("factor")
    let factor = given ?? Double(context) / max(original, 1)
    let amplitude = factor <= 1 ? 1 : (1 + logarithm(factor) / logarithm(original)).squareRoot()
    return .longrope(
      short: short, long: long, originalContext: Int(original),
      amplitude: try options.optionalNumber("attention_factor") ?? amplitude)
  }
}
