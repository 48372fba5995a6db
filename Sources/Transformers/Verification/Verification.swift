// Comparing a model with what another implementation computed on the same tokens.

import Tensors

/// The largest difference at one hook point.
public struct VerificationRow: Sendable, Equatable {
  /// The name in the reference file.
  public var name: String
  /// The hook point it was compared with.
  public var point: HookPoint
  /// The largest absolute difference at places that hold tokens.
  public var largestError: Float
  /// The largest absolute reference value there.
  public var largestValue: Float
}

extension Transformer {
  /// Runs the model on a reference's tokens and compares every stored value.
  ///
  /// Places past a prompt's end, and rows of patterns that belong to them, are not compared.
  /// - Throws: `TransformerError` where the prompts or hook points are not this model's, or shapes differ.
  public func verify(against reference: ReferenceActivations) throws -> [VerificationRow] {
    var rows: [VerificationRow] = []
    let stored = Dictionary(grouping: reference.values, by: \.point)
    try run(reference.batch, observing: Set(stored.keys)) { point, value in
      for expected in stored[point] ?? [] {
        guard expected.tensor.shape == value.shape else {
          throw TransformerError.malformedReference(
            path: expected.name,
            problem: "shape \(expected.tensor.shape) where the model has \(value.shape) at \(point)")
        }
        rows.append(compare(copy value, with: expected, reference.batch))
      }
    }
    return rows
  }

  private func compare(
    _ value: Tensor, with expected: ReferenceActivations.Value, _ batch: TokenBatch
  ) -> VerificationRow {
    // Axis 1 counts positions, or heads in front of query positions.
    let isPattern = [.scores, .pattern].contains(expected.point.blockPoint)
    let outer = isPattern ? value.shape[1] : 1
    let positions = value.shape[isPattern ? 2 : 1]
    let inner = value.count / max(1, batch.count * outer * positions)
    var largestError: Float = 0
    var largestValue: Float = 0
    value.withValues { found in
      expected.tensor.withValues { wanted in
        for index in found.indices {
          let position = index / inner % positions
          let prompt = index / (inner * positions * outer)
          guard position < batch.lengths[prompt], wanted[index].isFinite || found[index].isFinite else {
            continue
          }
          let error = abs(found[index] - wanted[index])
          // A value that is not a number is as wrong as can be.
          largestError = error.isNaN ? .infinity : max(largestError, error)
          largestValue = max(largestValue, abs(wanted[index]))
        }
      }
    }
    return VerificationRow(
      name: expected.name, point: expected.point, largestError: largestError, largestValue: largestValue)
  }
}

extension HookPoint {
  /// The place within the layer, for places within one.
  public var blockPoint: BlockPoint? {
    if case .block(_, let point) = self { point } else { nil }
  }
}
