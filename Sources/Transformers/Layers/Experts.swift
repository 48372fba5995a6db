// One layer's experts: which tokens pass which, and what an expert makes of its rows. Forward and adjoint of each step
// stand together.
//
// Source: Shazeer et al. 2017, "Outrageously large neural networks"; Jiang et al. 2024, "Mixtral of experts".

import Tensors

extension ExpertRouting {
  /// The weight of every expert for every row: of the best scores, their softmax over the chosen or over all.
  ///
  /// - Parameter logits: `[rows, experts]`.
  /// - Returns: `[rows, experts]`, 0 where an expert is not chosen.
  func weights(of logits: Tensor) -> Tensor {
    var result = Tensor(zeros: logits.shape)
    for row in 0..<logits.shape[0] {
      let scores = logits.row(row).values.map(Double.init)
      let best = chosen(scores)
      let highest = scores.max() ?? 0
      let total = (normalizesWeights ? best : Array(scores.indices))
        .reduce(0.0) { $0 + exponential(scores[$1] - highest) }
      for expert in best { result[row, expert] = Float(exponential(scores[expert] - highest) / total) }
    }
    return result
  }

  /// The adjoint of `weights(of:)`, the choice being held fixed.
  func weightsAdjoint(_ gradient: Tensor, logits: Tensor) -> Tensor {
    var result = Tensor(zeros: logits.shape)
    for row in 0..<logits.shape[0] {
      let scores = logits.row(row).values.map(Double.init)
      let best = Set(chosen(scores))
      let highest = scores.max() ?? 0
      let among = normalizesWeights ? scores.indices.filter(best.contains) : Array(scores.indices)
      let total = among.reduce(0.0) { $0 + exponential(scores[$1] - highest) }
      let shares = among.map { exponential(scores[$0] - highest) / total }
      let slopes = among.map { best.contains($0) ? Double(gradient[row, $0]) : 0 }
      let mean = zip(shares, slopes).reduce(0.0) { $0 + $1.0 * $1.1 }
      for (place, expert) in among.enumerated() {
        result[row, expert] = Float(shares[place] * (slopes[place] - mean))
      }
    }
    return result
  }

  private func chosen(_ scores: [Double]) -> [Int] {
    Array(scores.indices.sorted { (scores[$1], $0) < (scores[$0], $1) }.prefix(chosen))
  }
}

/// What an expert's way up leaves for its way back.
struct ExpertActivations {
  /// The hidden layer's two parts before activation `[rows, width]`.
  var gate: Tensor
  var up: Tensor
  /// The hidden layer.
  var hidden: Tensor
}

extension ExpertWeights {
  /// The hidden layer of some rows.
  func hidden(_ x: Tensor, _ rule: ExpertRouting.Gate) throws -> ExpertActivations {
    let (gate, up): (Tensor, Tensor)
    switch input {
    case .separate(let gateMap, let upMap): (gate, up) = (try gateMap(x), try upMap(x))
    case .interleaved(let map):
      let both = try map(x)
      (gate, up) = (Self.everySecond(both, from: 0), Self.everySecond(both, from: 1))
    }
    var hidden = gate
    switch rule {
    case .plain(let activation):
      hidden.activate(activation)
      hidden.multiply(by: up)
    case .clamped(let slope, let limit):
      hidden = Tensor(shape: gate.shape) { target in
        gate.withValues { gate in
          up.withValues { up in
            for index in gate.indices {
              let g = min(gate[index], limit)
              target[index] = g * logistic(slope * g) * (min(max(up[index], -limit), limit) + 1)
            }
          }
        }
      }
    }
    return ExpertActivations(gate: gate, up: up, hidden: hidden)
  }

  /// The adjoint of `hidden`: the gradient of the rows, given that of the hidden layer.
  func hiddenAdjoint(
    _ gradient: Tensor, _ kept: ExpertActivations, _ rule: ExpertRouting.Gate, slopeRule: SlopeRule
  ) throws -> Tensor {
    var (dGate, dUp) = (gradient, gradient)
    switch rule {
    case .plain(let activation):
      var activated = kept.gate
      activated.activate(activation)
      dUp.multiply(by: activated)
      dGate.multiply(by: kept.up)
      dGate.multiplyBySlope(of: activation, at: kept.gate, rule: slopeRule)
    case .clamped(let slope, let limit):
      Self.clampedAdjoint(&dGate, &dUp, kept, slope: slope, limit: limit, rule: slopeRule)
    }
    if slopeRule == .relevance {
      // A product's relevance goes half to each side.
      dGate.scale(by: 0.5)
      dUp.scale(by: 0.5)
    }
    switch input {
    case .separate(let gateMap, let upMap):
      var dx = Tensor(uninitialized: [gradient.shape[0], gateMap.inputs])
      try gateMap.adjoint(dGate, into: &dx)
      try upMap.adjoint(dUp, into: &dx, accumulating: true)
      return dx
    case .interleaved(let map):
      var both = Tensor(uninitialized: [gradient.shape[0], map.outputs])
      scatterHeads(dGate, into: &both, Self.secondColumns(of: map.outputs, from: 0))
      scatterHeads(dUp, into: &both, Self.secondColumns(of: map.outputs, from: 1))
      var dx = Tensor(uninitialized: [gradient.shape[0], map.inputs])
      try map.adjoint(both, into: &dx)
      return dx
    }
  }

  private static func clampedAdjoint(
    _ dGate: inout Tensor, _ dUp: inout Tensor, _ kept: ExpertActivations, slope: Float, limit: Float,
    rule: SlopeRule
  ) {
    dGate.withMutableValues { dGate in
      dUp.withMutableValues { dUp in
        kept.gate.withValues { gate in
          kept.up.withValues { up in
            for index in gate.indices {
              let (g, u) = (min(gate[index], limit), min(max(up[index], -limit), limit))
              let s = logistic(slope * g)
              let isExact = rule == .exact
              let gateSlope = isExact ? (gate[index] > limit ? 0 : s * (1 + slope * g * (1 - s))) : s
              dGate[index] *= gateSlope * (u + 1)
              dUp[index] *= isExact && abs(up[index]) > limit ? 0 : g * s
            }
          }
        }
      }
    }
  }

  private static func secondColumns(of width: Int, from first: Int) -> HeadColumns {
    HeadColumns(count: width / 2, width: 1, offset: first, headStride: 2, rowStride: width)
  }

  private static func everySecond(_ x: Tensor, from first: Int) -> Tensor {
    gatherHeads(x, secondColumns(of: x.shape[1], from: first)).reshaped([x.shape[0], x.shape[1] / 2])
  }
}

private func logistic(_ x: Float) -> Float { Float(1 / (1 + exponential(-Double(x)))) }
