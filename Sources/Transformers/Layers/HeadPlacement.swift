// What happens to queries and keys between their projection and the scores: normalisation of each head's vector
// (Qwen 3, Gemma 3), then a turn by its position.

import Tensors

/// The columns of queries, keys and values in one matrix of packed rows.
struct AttentionColumns: Sendable, Equatable {
  var queries: HeadColumns
  var keys: HeadColumns
  var values: HeadColumns

  /// Side by side: queries of all heads, then keys, then values of so many groups.
  init(heads: Int, groups: Int, width: Int) {
    let rowStride = (heads + 2 * groups) * width
    func part(_ count: Int, after heads: Int) -> HeadColumns {
      HeadColumns(count: count, width: width, offset: heads * width, rowStride: rowStride)
    }
    queries = part(heads, after: 0)
    keys = part(groups, after: heads)
    values = part(groups, after: heads + groups)
  }

  /// Each head's query, key and value side by side (GPT-NeoX).
  init(interleaving heads: Int, width: Int) {
    func part(_ index: Int) -> HeadColumns {
      HeadColumns(
        count: heads, width: width, offset: index * width, headStride: 3 * width, rowStride: 3 * heads * width
      )
    }
    (queries, keys, values) = (part(0), part(1), part(2))
  }

  var gradient: AttentionGradientColumns {
    AttentionGradientColumns(queries: queries, keys: keys, values: values)
  }

  func input(_ matrix: Tensor) -> AttentionInput {
    AttentionInput(matrix, queries: queries, keys: keys, values: values)
  }
}

/// The rule by which one layer places its queries and keys.
struct HeadPlacement: Sendable {
  /// How heads are normalised, where they are.
  var normalization: RowNormalization?
  /// Gain of the normalisation of queries `[d_head]`.
  var queryGain: Tensor?
  /// Gain of the normalisation of keys `[d_head]`.
  var keyGain: Tensor?
  /// The angles, where queries and keys are turned.
  var rotary: RotaryTable?

  /// Whether heads are normalised, so that the adjoint needs them as they were projected.
  var normalizes: Bool { normalization != nil && (queryGain != nil || keyGain != nil) }

  /// Normalises and turns queries and keys in place.
  func apply(to matrix: inout Tensor, _ columns: AttentionColumns, positions: [Int32]) {
    if let normalization {
      if let queryGain { normalizeHeads(&matrix, columns.queries, normalization, gain: queryGain) }
      if let keyGain { normalizeHeads(&matrix, columns.keys, normalization, gain: keyGain) }
    }
    if let rotary {
      rotateHeads(&matrix, columns.queries, positions: positions, rotary)
      rotateHeads(&matrix, columns.keys, positions: positions, rotary)
    }
  }

  /// Turns the gradient of placed queries and keys into that of projected ones, in place.
  ///
  /// - Parameters:
  ///   - projected: queries and keys before `apply`; read only where heads are normalised.
  ///   - gradientColumns: where the gradient's heads lie; there may be more key heads than were projected.
  func adjoint(
    _ gradient: inout Tensor, _ gradientColumns: AttentionColumns, projected: Tensor,
    _ columns: AttentionColumns, positions: [Int32], rule: SlopeRule,
    parameters: inout ParameterGradient?, layer: Int
  ) {
    if let rotary {
      rotateHeadsBack(&gradient, gradientColumns.queries, positions: positions, rotary)
      rotateHeadsBack(&gradient, gradientColumns.keys, positions: positions, rotary)
    }
    guard let normalization else { return }
    func normalized(
      _ gain: Tensor?, _ parameter: BlockParameter, _ heads: HeadColumns, _ gradientHeads: HeadColumns,
      _ gradient: inout Tensor, _ parameters: inout ParameterGradient?
    ) {
      guard let gain else { return }
      if parameters == nil {
        normalizeHeadsAdjoint(
          projected, heads, normalization, gain: gain, gradient: &gradient, gradientHeads, rule: rule)
      } else {
        parameters?.normalizeHeadsAdjoint(
          projected, heads, normalization, gain: gain, .block(layer, parameter), gradient: &gradient,
          gradientHeads)
      }
    }
    normalized(
      queryGain, .queryNorm, columns.queries, gradientColumns.queries, &gradient, &parameters)
    normalized(keyGain, .keyNorm, columns.keys, gradientColumns.keys, &gradient, &parameters)
  }
}
