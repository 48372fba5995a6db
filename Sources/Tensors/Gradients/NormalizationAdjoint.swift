// The adjoints of normalisations: from the gradient of normalised rows to that of the rows themselves.

import CKernels

/// How a gradient passes a nonlinear part.
public enum SlopeRule: Sendable, Equatable {
  /// By the part's derivative.
  case exact
  /// By the rules of layer-wise relevance propagation: a norm's scale counts as a constant, an activation as the factor
  /// act(x)/x, and a gate and what it multiplies get half each; attention's product and softmax keep their derivatives
  /// (Jafari et al. 2025, "RelP", arXiv 2508.21258, as their code runs it: LN-rule, identity rule, half rule).
  case relevance
}

/// Adds the gradient of `x` to `dx`, where `dy` is that of `normalizeRows(x, …)`.
///
/// `dy` and `dx` may have several rows for each row of `x`, one after the other: those are the gradients of several
/// readers of the same row.
///
/// - Parameters:
///   - x: the rows that were normalised.
///   - gain: a factor for each column, or none.
///   - rule: how the gradient passes the row's scale.
public func normalizeRowsAdjoint(
  _ x: Tensor, _ kind: RowNormalization, gain: Tensor?, dy: Tensor, addingTo dx: inout Tensor,
  rule: SlopeRule = .exact
) {
  let width = x.shape.last ?? 1
  guard width > 0, x.count > 0 else { return }
  precondition(
    dy.count == dx.count && dy.count % x.count == 0 && gain.map { $0.count == width } ?? true,
    "the gradient of normalised rows of \(x.shape): \(dy.shape) into \(dx.shape)")
  let readers = dy.count / x.count
  let target = FloatAddress(dx.mutablePointer())
  let (source, up) = (ConstFloatAddress(x.pointer), ConstFloatAddress(dy.pointer))
  withExtendedLifetime((x.storage, dy.storage, gain?.storage)) {
    let factors = gain.map { ConstFloatAddress($0.pointer) }
    parallelRanges(dy.count / width, minimum: max(1, (1 << 13) / width)) { rows in
      for row in rows {
        let (input, slope) = (source.address + row / readers * width, up.address + row * width)
        let out = target.address + row * width
        switch (kind, rule) {
        case (.layer(let epsilon), .exact):
          ck_layer_norm_adjoint(input, factors?.address, epsilon, slope, out, nil, nil, width)
        case (.rootMeanSquare(let epsilon, let offset), .exact):
          ck_rms_norm_adjoint(input, factors?.address, offset, epsilon, slope, out, nil, width)
        case (.layer(let epsilon), .relevance):
          ck_layer_norm_held_adjoint(input, factors?.address, epsilon, slope, out, width)
        case (.rootMeanSquare(let epsilon, let offset), .relevance):
          ck_rms_norm_held_adjoint(input, factors?.address, offset, epsilon, slope, out, width)
        }
      }
    }
  }
}

/// As `normalizeRowsAdjoint`, with the gradients of gain and bias added to their places in `gradient`; on one thread.
public func normalizeRowsAdjoint(
  _ x: Tensor, _ kind: RowNormalization, gain: Tensor?, dy: Tensor, addingTo dx: inout Tensor,
  gradient: inout Tensor, gainPlace: VectorWindow?, biasPlace: VectorWindow?
) {
  let width = x.shape.last ?? 1
  guard width > 0 else { return }
  precondition(
    dy.count == dx.count && dy.count == x.count && gain.map { $0.count == width } ?? true
      && gainPlace.map { $0.count == width } ?? true && biasPlace.map { $0.count == width } ?? true,
    "the gradient of normalised rows of \(x.shape): \(dy.shape) into \(dx.shape)")
  gainPlace?.check(in: gradient)
  biasPlace?.check(in: gradient)
  let (target, sums) = (dx.mutablePointer(), gradient.mutablePointer())
  let (gainSums, biasSums) = (gainPlace.map { sums + $0.offset }, biasPlace.map { sums + $0.offset })
  withExtendedLifetime((x.storage, dy.storage, gain?.storage)) {
    for row in 0..<x.count / width {
      let start = row * width
      switch kind {
      case .layer(let epsilon):
        ck_layer_norm_adjoint(
          x.pointer + start, gain?.pointer, epsilon, dy.pointer + start, target + start, gainSums, biasSums,
          width)
      case .rootMeanSquare(let epsilon, let offset):
        ck_rms_norm_adjoint(
          x.pointer + start, gain?.pointer, offset, epsilon, dy.pointer + start, target + start, gainSums,
          width)
      }
    }
  }
}

/// Turns the gradient of normalised heads into that of the heads themselves, in place.
///
/// - Parameters:
///   - x: what was normalised; `heads` says where. Fewer heads than the gradient has are read by several each.
///   - gradient: the gradient; `gradientHeads` says where its heads lie.
///   - rule: how the gradient passes a head's scale.
public func normalizeHeadsAdjoint(
  _ x: Tensor, _ heads: HeadColumns, _ kind: RowNormalization, gain: Tensor, gradient: inout Tensor,
  _ gradientHeads: HeadColumns, rule: SlopeRule = .exact
) {
  let gains = forEachHead(x, heads, gain, &gradient, gradientHeads)
  withExtendedLifetime((x.storage, gain.storage)) {
    parallelRanges(gains.rows, minimum: max(1, (1 << 13) / gradientHeads.rowStride)) { rows in
      for row in rows {
        gains.adjoint(row, heads, gradientHeads, kind, rule: rule, gainSums: nil)
      }
    }
  }
}

/// As `normalizeHeadsAdjoint`, with the gradient of the gain added to its place in `parameters`; on one thread.
public func normalizeHeadsAdjoint(
  _ x: Tensor, _ heads: HeadColumns, _ kind: RowNormalization, gain: Tensor, gradient: inout Tensor,
  _ gradientHeads: HeadColumns, parameters: inout Tensor, gainPlace: VectorWindow
) {
  gainPlace.check(in: parameters)
  let gains = forEachHead(x, heads, gain, &gradient, gradientHeads)
  let sums = parameters.mutablePointer() + gainPlace.offset
  withExtendedLifetime((x.storage, gain.storage)) {
    for row in 0..<gains.rows {
      gains.adjoint(row, heads, gradientHeads, kind, rule: .exact, gainSums: sums)
    }
  }
}

private func forEachHead(
  _ x: Tensor, _ heads: HeadColumns, _ gain: Tensor, _ gradient: inout Tensor, _ gradientHeads: HeadColumns
) -> HeadNormAdjoint {
  heads.check(x)
  gradientHeads.check(gradient)
  let rows = x.count / heads.rowStride
  precondition(
    gradient.count == rows * gradientHeads.rowStride && gradientHeads.count % heads.count == 0
      && (gain.count == heads.width || gain.count == heads.count * heads.width)
      && gradientHeads.width == heads.width,
    "the gradient of \(gradientHeads.count) heads in \(gradient.shape) of \(heads.count) in \(x.shape)")
  return HeadNormAdjoint(
    x: ConstFloatAddress(x.pointer), gain: ConstFloatAddress(gain.pointer),
    gainStride: gain.count == heads.width ? 0 : heads.width,
    gradient: FloatAddress(gradient.mutablePointer()), rows: rows)
}

private struct HeadNormAdjoint: Sendable {
  let x: ConstFloatAddress
  let gain: ConstFloatAddress
  let gainStride: Int
  let gradient: FloatAddress
  let rows: Int

  func adjoint(
    _ row: Int, _ heads: HeadColumns, _ gradientHeads: HeadColumns, _ kind: RowNormalization, rule: SlopeRule,
    gainSums: UnsafeMutablePointer<Float>?
  ) {
    let width = heads.width
    let readers = gradientHeads.count / heads.count
    withUnsafeTemporaryAllocation(of: Float.self, capacity: max(1, width)) { buffer in
      guard let out = buffer.baseAddress else { return }
      for head in 0..<gradientHeads.count {
        let input = x.address + heads.start(row: row, head: head / readers)
        let slope = gradient.address + gradientHeads.start(row: row, head: head)
        out.update(repeating: 0, count: width)
        let gain = gain.address + head / readers * gainStride
        let sums = gainSums.map { $0 + head / readers * gainStride }
        switch (kind, rule) {
        case (.layer(let epsilon), .exact):
          ck_layer_norm_adjoint(input, gain, epsilon, slope, out, sums, nil, width)
        case (.rootMeanSquare(let epsilon, let offset), .exact):
          ck_rms_norm_adjoint(input, gain, offset, epsilon, slope, out, sums, width)
        case (.layer(let epsilon), .relevance):
          ck_layer_norm_held_adjoint(input, gain, epsilon, slope, out, width)
        case (.rootMeanSquare(let epsilon, let offset), .relevance):
          ck_rms_norm_held_adjoint(input, gain, offset, epsilon, slope, out, width)
        }
        slope.update(from: out, count: width)
      }
    }
  }
}
