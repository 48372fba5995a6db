// Layer and root-mean-square normalisation of rows.

import CKernels

/// How a row is brought to a common scale.
public enum RowNormalization: Sendable, Equatable {
  /// (x − mean) / √(variance + ε) (Ba et al. 2016).
  case layer(epsilon: Float)
  /// x / √(mean square + ε), with `gainOffset` added to the gain (Zhang & Sennrich 2019; Gemma's gains are stored
  /// less one).
  case rootMeanSquare(epsilon: Float, gainOffset: Float)
}

/// Normalises every row of the last axis of `x` into `out`, which takes its shape.
///
/// - Parameters:
///   - gain: a factor for each column, or none.
///   - bias: an addend for each column, or none; layer normalisation only.
public func normalizeRows(
  _ x: Tensor, _ kind: RowNormalization, gain: Tensor?, bias: Tensor?, into out: inout Tensor
) {
  let width = x.shape.last ?? 1
  precondition(
    gain.map { $0.count == width } ?? true && bias.map { $0.count == width } ?? true,
    "gain \(gain?.shape ?? []) and bias \(bias?.shape ?? []) for rows of \(x.shape)")
  precondition(out.count == x.count, "normalising \(x.shape) into \(out.shape)")
  guard width > 0 else { return }
  let (source, target) = (ConstFloatAddress(x.pointer), FloatAddress(out.mutablePointer()))
  withExtendedLifetime((x.storage, gain?.storage, bias?.storage)) {
    let factors = gain.map { ConstFloatAddress($0.pointer) }
    let addends = bias.map { ConstFloatAddress($0.pointer) }
    parallelRanges(x.count / width, minimum: max(1, (1 << 13) / width)) { rows in
      for row in rows {
        normalize(
          source.address + row * width, kind, factors?.address, addends?.address,
          target.address + row * width, width)
      }
    }
  }
}

/// Normalises each head's part of every row, in place (Qwen 3 and Gemma 3 normalise queries and keys so).
///
/// - Parameter gain: as wide as a head, for all of them; or as wide as all heads, with a part for each.
public func normalizeHeads(_ x: inout Tensor, _ heads: HeadColumns, _ kind: RowNormalization, gain: Tensor) {
  precondition(
    gain.count == heads.width || gain.count == heads.count * heads.width,
    "gain \(gain.shape) for \(heads.count) heads of width \(heads.width)")
  let gainStride = gain.count == heads.width ? 0 : heads.width
  heads.check(x)
  let base = FloatAddress(x.mutablePointer())
  withExtendedLifetime(gain.storage) {
    let factors = ConstFloatAddress(gain.pointer)
    let rowCount = x.count / heads.rowStride
    parallelRanges(rowCount, minimum: max(1, (1 << 13) / heads.rowStride)) { rows in
      for row in rows {
        for head in 0..<heads.count {
          let part = base.address + heads.start(row: row, head: head)
          normalize(part, kind, factors.address + head * gainStride, nil, part, heads.width)
        }
      }
    }
  }
}

private func normalize(
  _ x: UnsafePointer<Float>, _ kind: RowNormalization, _ gain: UnsafePointer<Float>?,
  _ bias: UnsafePointer<Float>?, _ out: UnsafeMutablePointer<Float>, _ width: Int
) {
  switch kind {
  case .layer(let epsilon): ck_layer_norm(x, gain, bias, epsilon, out, width)
  case .rootMeanSquare(let epsilon, let offset): ck_rms_norm(x, gain, offset, epsilon, out, width)
  }
}
