// A transformer in double precision and plain loops: the oracle of the training pass.

import Foundation
import Tensors

@testable import Transformers

/// The loss of one batch as a function of all parameters, written as the formulas are.
struct DoublePrecisionTransformer {
  let layout: ParameterLayout
  let batch: PackedBatch
  private var shape: TrainableArchitecture { layout.architecture }

  init(_ layout: ParameterLayout, _ batch: PackedBatch) {
    self.layout = layout
    self.batch = batch
  }

  /// Σ weight · loss over the targets.
  func loss(_ parameters: [Double]) -> Double {
    let logits = logits(parameters)
    return batch.targets.reduce(0) { sum, target in
      let row = logits[target.row]
      let largest = row.max() ?? 0
      let total = largest + log(row.reduce(0) { $0 + exp($1 - largest) })
      let right = target.tokens.reduce(0) { $0 + row[Int($1)] } / Double(target.tokens.count)
      return sum + Double(target.weight) * (total - right)
    }
  }

  func logits(_ parameters: [Double]) -> [[Double]] {
    var stream = zip(batch.tokens, batch.positions).map { token, position in
      (0..<shape.modelWidth).map { column in
        parameters[layout.embedding.offset + token * shape.modelWidth + column]
          + (layout.positions.map { parameters[$0.offset + position * shape.modelWidth + column] } ?? 0)
      }
    }
    for block in layout.blocks {
      let joint = product(norm(stream, block.norm1, parameters), block.queryKeyValue, parameters)
      stream = sum(stream, product(mix(joint), block.output, parameters))
      if let mlpIn = block.mlpIn, let mlpOut = block.mlpOut {
        let pre = product(norm(stream, block.norm2, parameters), mlpIn, parameters)
        stream = sum(stream, product(pre.map { $0.map(activate) }, mlpOut, parameters))
      }
    }
    let last = norm(stream, layout.finalNorm, parameters)
    let window = layout.unembeddingInUse
    return last.map { row in
      (0..<shape.vocabulary).map { token in
        var value = layout.unembeddingBias.map { parameters[$0.offset + token] } ?? 0
        for column in row.indices {
          let place =
            window.transposed ? token * window.rowStride + column : column * window.rowStride + token
          value += row[column] * parameters[window.offset + place]
        }
        return value
      }
    }
  }

  private func activate(_ x: Double) -> Double {
    switch shape.mlp?.activation {
    case .relu: max(0, x)
    case .gelu: x * 0.5 * erfc(-x / 2.0.squareRoot())
    case .geluTanh: 0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    case .silu: x / (1 + exp(-x))
    case nil: x
    }
  }

  private func norm(_ x: [[Double]], _ place: LayerNormWindows?, _ p: [Double]) -> [[Double]] {
    guard let place, let epsilon = shape.normEpsilon else { return x }
    return x.map { row in
      let mean = row.reduce(0, +) / Double(row.count)
      let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(row.count)
      let scale = 1 / (variance + Double(epsilon)).squareRoot()
      return row.indices.map {
        (row[$0] - mean) * scale * p[place.weight.offset + $0] + p[place.bias.offset + $0]
      }
    }
  }

  private func product(_ x: [[Double]], _ place: LinearWindows, _ p: [Double]) -> [[Double]] {
    x.map { row in
      (0..<place.weight.columns).map { column -> Double in
        var value = 0.0
        if let bias = place.bias { value = p[bias.offset + column] }
        for index in row.indices {
          value += row[index] * p[place.weight.offset + index * place.weight.columns + column]
        }
        return value
      }
    }
  }

  private func sum(_ x: [[Double]], _ y: [[Double]]) -> [[Double]] {
    zip(x, y).map { zip($0, $1).map { $0 + $1 } }
  }

  private func mix(_ joint: [[Double]]) -> [[Double]] {
    let (total, width) = (shape.headsWidth, shape.headWidth)
    var z = joint.map { _ in [Double](repeating: 0, count: total) }
    for sequence in batch.sequences {
      for head in 0..<shape.heads {
        for query in sequence {
          let seen =
            shape.isCausal ? sequence.lowerBound...query : sequence.lowerBound...(sequence.upperBound - 1)
          let scores = seen.map { key -> Double in
            var score = 0.0
            for column in head * width..<(head + 1) * width {
              score += joint[query][column] * joint[key][total + column]
            }
            return score * Double(shape.scoreScale)
          }
          let largest = scores.max() ?? 0
          let weights = scores.map { exp($0 - largest) }
          let sum = weights.reduce(0, +)
          for (key, weight) in zip(seen, weights) {
            for column in 0..<width {
              z[query][head * width + column] +=
                weight / sum * joint[key][2 * total + head * width + column]
            }
          }
        }
      }
    }
    return z
  }
}
