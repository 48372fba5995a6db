// The adjoint of attention, in three steps so that gradients of patterns and scores can be read in between.
//
// With pattern P, scores S and z = P·V: dP = dz·Vᵀ, dV = Pᵀ·dz; dS by softmax's adjoint; dQ = scale·dS·K,
// dK = scale·dSᵀ·Q. Heads that share keys and values are summed by one task, so results do not depend on threads.

import CKernels

/// Where the gradients of queries, keys and values lie: columns of one matrix of packed rows.
///
/// With as many key and value heads as query heads, each query head's use of its group stands alone; with as many as the
/// layer has groups they are summed.
public struct AttentionGradientColumns: Sendable, Equatable {
  /// Where the queries' gradients are.
  public var queries: HeadColumns
  /// Where the keys' gradients are.
  public var keys: HeadColumns
  /// Where the values' gradients are.
  public var values: HeadColumns

  /// Columns of one matrix.
  public init(queries: HeadColumns, keys: HeadColumns, values: HeadColumns) {
    self.queries = queries
    self.keys = keys
    self.values = values
  }
}

/// From the gradient of z to those of patterns and values.
///
/// - Parameters:
///   - pattern: the pattern of the forward half, square by square.
///   - dz: `[rows, heads · d_head]`.
///   - dPattern: takes the shape `[squares.count]`.
///   - gradient: the values' columns are written.
public func attentionMixAdjoint(
  pattern: Tensor, _ input: AttentionInput, _ layout: SequenceLayout, dz: Tensor,
  into dPattern: inout Tensor, values gradient: inout Tensor, _ columns: AttentionGradientColumns
) {
  let squares = AttentionSquares(layout, heads: input.queries.count)
  dPattern.become(uninitialized: [squares.count])
  let source = HeadColumns(filling: input.queries.count, width: input.values.width)
  precondition(
    pattern.count == squares.count && dz.count == layout.rowCount * source.rowStride,
    "patterns of shape \(pattern.shape), gradient of z of shape \(dz.shape)")
  let (slopes, target) = (FloatAddress(dPattern.mutablePointer()), FloatAddress(gradient.mutablePointer()))
  let (weights, up) = (ConstFloatAddress(pattern.pointer), ConstFloatAddress(dz.pointer))
  withExtendedLifetime((pattern.storage, dz.storage)) {
    forEachGroup(input, columns, layout, sharing: columns.values) { place in
      let mixed = GemmOperand(
        pointer: up.address, window: place.window(source, head: place.head))
      let square = squares.window(place)
      gemm(
        mixed, input.operand(input.values, place, head: place.group).transpose,
        GemmTarget(pointer: slopes.address, window: square), scale: 1, accumulating: false, threads: 1)
      gemm(
        GemmOperand(pointer: weights.address, window: square.transpose), mixed,
        GemmTarget(pointer: target.address, window: place.window(columns.values, head: place.target)),
        scale: 1, accumulating: !place.isFirstOfTarget, threads: 1)
    }
  }
}

/// Turns the gradient of patterns into that of scores, in place: dS = P ⊙ (dP − Σ P ⊙ dP), row by row.
public func attentionPatternAdjoint(
  pattern: Tensor, _ dPattern: inout Tensor, _ squares: AttentionSquares
) {
  precondition(pattern.count == squares.count, "patterns of shape \(pattern.shape)")
  let (weights, base) = (ConstFloatAddress(pattern.pointer), dPattern.mutablePointer())
  let start = ConstFloatAddress(UnsafePointer(base))
  withExtendedLifetime(pattern.storage) {
    forEachSquareRow(&dPattern, squares) { row, _, _, length in
      ck_softmax_row_backward(weights.address + (UnsafePointer(row) - start.address), row, length)
    }
  }
}

/// The gradient of each head's sink, given that of patterns: −Σ p_sink · Σ P ⊙ dP over rows.
///
/// - Returns: `[heads]`.
public func attentionSinkGradient(
  pattern: Tensor, _ dPattern: Tensor, _ squares: AttentionSquares
) -> Tensor {
  precondition(pattern.count == squares.count && dPattern.count == squares.count, "\(pattern.shape)")
  var sums = [Double](repeating: 0, count: squares.heads)
  pattern.withValues { pattern in
    dPattern.withValues { slopes in
      for (sequence, length) in squares.lengths.enumerated() {
        for head in 0..<squares.heads {
          let start = squares.start(sequence: sequence, head: head)
          for query in 0..<length {
            var (mass, product) = (0.0, 0.0)
            for place in start + query * length..<start + (query + 1) * length {
              mass += Double(pattern[place])
              product += Double(pattern[place]) * Double(slopes[place])
            }
            sums[head] -= (1 - mass) * product
          }
        }
      }
    }
  }
  return Tensor(sums.map { Float($0) })
}

/// From the gradient of (capped) scores to those of queries and keys.
///
/// - Parameters:
///   - scores: the capped scores, where the rule has a cap.
///   - dScores: the gradient of scores after their cap; changed where there is a cap.
///   - gradient: the queries' and keys' columns are written.
public func attentionScoresAdjoint(
  _ input: AttentionInput, _ rule: AttentionRule, _ layout: SequenceLayout, scores: Tensor?,
  _ dScores: inout Tensor, queriesAndKeys gradient: inout Tensor, _ columns: AttentionGradientColumns
) {
  let squares = AttentionSquares(layout, heads: input.queries.count)
  precondition(dScores.count == squares.count, "gradient of scores of shape \(dScores.shape)")
  if let cap = rule.scoreCap, let scores { dScores.multiplyByCapSlope(cap, at: scores) }
  let (slopes, target) = (ConstFloatAddress(dScores.pointer), FloatAddress(gradient.mutablePointer()))
  withExtendedLifetime(dScores.storage) {
    forEachGroup(input, columns, layout, sharing: columns.keys) { place in
      let square = GemmOperand(pointer: slopes.address, window: squares.window(place))
      gemm(
        square, input.operand(input.keys, place, head: place.group),
        GemmTarget(pointer: target.address, window: place.window(columns.queries, head: place.head)),
        scale: rule.scale, accumulating: false, threads: 1)
      gemm(
        square.transpose, input.operand(input.queries, place, head: place.head),
        GemmTarget(pointer: target.address, window: place.window(columns.keys, head: place.target)),
        scale: rule.scale, accumulating: !place.isFirstOfTarget, threads: 1)
    }
  }
}

/// One query head of one sequence.
private struct HeadPlace: Sendable {
  var sequence: Int
  var firstRow: Int
  var length: Int
  /// The query head.
  var head: Int
  /// The key and value head that it reads.
  var group: Int
  /// The head of the gradient's keys and values that it adds to.
  var target: Int
  var isFirstOfTarget: Bool

  func window(_ columns: HeadColumns, head: Int) -> MatrixWindow {
    MatrixWindow(
      offset: columns.start(row: firstRow, head: head), rows: length, columns: columns.width,
      rowStride: columns.rowStride)
  }
}

extension AttentionSquares {
  fileprivate func window(_ place: HeadPlace) -> MatrixWindow {
    MatrixWindow(
      offset: start(sequence: place.sequence, head: place.head), rows: place.length, columns: place.length)
  }
}

extension AttentionInput {
  fileprivate func operand(_ columns: HeadColumns, _ place: HeadPlace, head: Int) -> GemmOperand {
    GemmOperand(pointer: tensor.pointer, window: place.window(columns, head: head))
  }
}

extension GemmOperand {
  fileprivate var transpose: GemmOperand { GemmOperand(pointer: pointer, window: window.transpose) }
}

/// Calls `body` for every query head of every sequence; those that add to the same gradient run one after the other.
private func forEachGroup(
  _ input: AttentionInput, _ columns: AttentionGradientColumns, _ layout: SequenceLayout,
  sharing shared: HeadColumns, _ body: @Sendable (HeadPlace) -> Void
) {
  input.check(layout)
  precondition(
    columns.queries.count == input.queries.count && columns.keys.count == columns.values.count
      && input.queries.count % columns.keys.count == 0 && columns.keys.count % input.keys.count == 0,
    "gradients of \(columns.keys.count) key heads for \(input.queries.count) query heads")
  let heads = input.queries.count
  let readers = heads / shared.count
  let tasks = layout.sequences.count * shared.count
  let parts = min(tasks, 8 * Threads.count)
  withExtendedLifetime(input.tensor.storage) {
    parallelFor(parts) { part in
      for task in tasks * part / parts..<tasks * (part + 1) / parts {
        let (index, target) = (task / shared.count, task % shared.count)
        let sequence = layout.sequences[index]
        guard let first = sequence.rows.first else { continue }
        for reader in 0..<readers {
          let head = target * readers + reader
          body(
            HeadPlace(
              sequence: index, firstRow: Int(first), length: sequence.length, head: head,
              group: input.group(ofHead: head), target: target, isFirstOfTarget: reader == 0))
        }
      }
    }
  }
}
