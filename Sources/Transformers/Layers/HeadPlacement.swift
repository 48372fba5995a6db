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

  /// Each group's queries, then its key, then its value (Falcon); with as many groups as heads, each head's query, key
  /// and value side by side (GPT-NeoX).
  init(interleaving heads: Int, groups: Int, width: Int) {
    let readers = heads / groups
    let groupStride = (readers + 2) * width
    func part(_ index: Int) -> HeadColumns {
      HeadColumns(
        count: groups, width: width, offset: index * width, headStride: groupStride,
        rowStride: groups * groupStride)
    }
    queries = HeadColumns(
      count: heads, width: width, runLength: readers, runStride: groupStride, rowStride: groups * groupStride)
    (keys, values) = (part(readers), part(readers + 1))
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
  /// d_head.
  var headWidth: Int
  /// How heads are normalised, where they are.
  var normalization: RowNormalization?
  /// Gain of the normalisation of queries `[d_head]`.
  var queryGain: Tensor?
  /// Gain of the normalisation of keys `[d_head]`.
  var keyGain: Tensor?
  /// Which vectors are normalised together.
  var span: TransformerConfiguration.HeadNormSpan
  /// The angles, where queries and keys are turned, and each row's place in their table.
  var rotary: (table: RotaryTable, places: [Int32])?
  /// Projections are cut to ± this, where given.
  var limit: Float?

  /// Whether the adjoint needs heads as they were projected.
  var needsProjected: Bool {
    limit != nil || normalization != nil && (queryGain != nil || keyGain != nil)
  }

  /// Cuts, normalises and turns queries and keys in place; cuts values too.
  func apply(to matrix: inout Tensor, _ columns: AttentionColumns) {
    if let limit { matrix.clamp(to: -limit...limit) }
    if let normalization {
      for (gain, heads) in [(queryGain, columns.queries), (keyGain, columns.keys)] {
        guard let gain else { continue }
        let joined = normalizedTogether(heads)
        normalizeHeads(&matrix, joined, normalization, gain: fitted(gain, to: joined))
      }
    }
    if let (table, places) = rotary {
      rotateHeads(&matrix, columns.queries, positions: places, table)
      rotateHeads(&matrix, columns.keys, positions: places, table)
    }
  }

  private func normalizedTogether(_ heads: HeadColumns) -> HeadColumns {
    span == .all ? heads.joined : heads
  }

  /// A gain as wide as the columns: where each query head has a copy of its group's key, so does the gain.
  private func fitted(_ gain: Tensor, to heads: HeadColumns) -> Tensor {
    let all = heads.count * heads.width
    guard gain.count != heads.width, gain.count != all else { return gain }
    let readers = all / gain.count
    let parts = gain.count / headWidth
    let values = gain.values
    return Tensor(
      (0..<parts).flatMap { part in
        (0..<readers).flatMap { _ in values[part * headWidth..<(part + 1) * headWidth] }
      })
  }

  /// Turns the gradient of placed queries and keys into that of projected ones, in place.
  ///
  /// - Parameters:
  ///   - projected: queries and keys before `apply`; read only where `needsProjected`.
  ///   - gradientColumns: where the gradient's heads lie; there may be more key heads than were projected.
  func adjoint(
    _ gradient: inout Tensor, _ gradientColumns: AttentionColumns, projected: Tensor,
    _ columns: AttentionColumns, rule: SlopeRule, parameters: inout ParameterGradient?, layer: Int
  ) {
    if let (table, places) = rotary {
      rotateHeadsBack(&gradient, gradientColumns.queries, positions: places, table)
      rotateHeadsBack(&gradient, gradientColumns.keys, positions: places, table)
    }
    normalizationAdjoint(
      &gradient, gradientColumns, projected: projected, columns, rule: rule, parameters: &parameters,
      layer: layer)
    if let limit {
      precondition(projected.count == gradient.count, "a limit on heads that query heads read apart")
      gradient.multiplyByClampSlope(-limit...limit, at: projected)
    }
  }

  private func normalizationAdjoint(
    _ gradient: inout Tensor, _ gradientColumns: AttentionColumns, projected: Tensor,
    _ columns: AttentionColumns, rule: SlopeRule, parameters: inout ParameterGradient?, layer: Int
  ) {
    guard let normalization else { return }
    var projected = projected
    if let limit, needsProjected { projected.clamp(to: -limit...limit) }
    let source = projected
    func normalized(
      _ gain: Tensor?, _ parameter: BlockParameter, _ heads: HeadColumns, _ gradientHeads: HeadColumns,
      _ gradient: inout Tensor, _ parameters: inout ParameterGradient?
    ) {
      guard let gain else { return }
      let (heads, gradientHeads) = (normalizedTogether(heads), normalizedTogether(gradientHeads))
      let fitted = fitted(gain, to: heads)
      if parameters == nil || fitted.count != gain.count {
        Tensors.normalizeHeadsAdjoint(
          source, heads, normalization, gain: fitted, gradient: &gradient, gradientHeads, rule: rule)
      } else {
        parameters?.normalizeHeadsAdjoint(
          source, heads, normalization, gain: gain, .block(layer, parameter), gradient: &gradient,
          gradientHeads)
      }
    }
    normalized(
      queryGain, .queryNorm, columns.queries, gradientColumns.queries, &gradient, &parameters)
    normalized(keyGain, .keyNorm, columns.keys, gradientColumns.keys, &gradient, &parameters)
  }
}
