// A transformer in double precision and plain loops, written as the formulas are: the oracle of the way up and back.

import Foundation
import Tensors

@testable import Transformers

/// The loss of one batch as a function of all parameters, for every choice that a blueprint has.
struct DoublePrecisionTransformer {
  let layout: ParameterLayout
  let batch: PackedBatch
  private var shape: TransformerConfiguration { layout.model.configuration }

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

  func logits(_ p: [Double]) -> [[Double]] {
    var stream = zip(batch.tokens, batch.layout.positions).map { token, position -> [Double] in
      let scale = Double(shape.embeddingScale)
      let word = row(.tokenEmbedding, Int(token), p).map { $0 * scale }
      return layout.place(of: .positionEmbedding) == nil
        ? word : zip(word, row(.positionEmbedding, Int(position), p)).map { $0 + $1 }
    }
    for layer in 0..<shape.layers {
      let before = stream
      stream = sum(stream, attention(layer, before, p))
      if shape.mlp != .none {
        stream = sum(stream, mlp(layer, shape.residual == .parallel ? before : stream, p))
      }
    }
    let last = norm(stream, .finalNormGain, .finalNormBias, p)
    return last.map { row in
      (0..<shape.vocabulary).map { token in
        var value = layout.place(of: .unembeddingBias).map { p[$0.offset + token] } ?? 0
        for column in row.indices { value += row[column] * unembedding(column, token, p) }
        return capped(value, shape.logitCap)
      }
    }
  }

  private func unembedding(_ column: Int, _ token: Int, _ p: [Double]) -> Double {
    guard let place = layout.place(of: .unembedding) else {
      return row(.tokenEmbedding, token, p)[column]
    }
    return p[place.offset + column * shape.vocabulary + token]
  }

  private func attention(_ layer: Int, _ x: [[Double]], _ p: [Double]) -> [[Double]] {
    func at(_ parameter: BlockParameter) -> Parameter { .block(layer, parameter) }
    let normed = norm(x, at(.attentionNormGain), at(.attentionNormBias), p)
    let (heads, groups, width) = (shape.heads, shape.keyValueHeads, shape.dHead)
    let q: [[Double]]
    let k: [[Double]]
    let v: [[Double]]
    if layout.place(of: at(.fusedWeight)) != nil {
      let joint = product(normed, at(.fusedWeight), at(.fusedBias), p)
      q = joint.map { Array($0[0..<heads * width]) }
      k = joint.map { Array($0[heads * width..<2 * heads * width]) }
      v = joint.map { Array($0[2 * heads * width..<3 * heads * width]) }
    } else {
      q = product(normed, at(.queryWeight), at(.queryBias), p)
      k = product(normed, at(.keyWeight), at(.keyBias), p)
      v = product(normed, at(.valueWeight), at(.valueBias), p)
    }
    let queries = placed(q, heads, layer, at(.queryNorm), p)
    let keys = placed(k, groups, layer, at(.keyNorm), p)
    var z = x.map { _ in [Double](repeating: 0, count: heads * width) }
    let rule = shape.attention[layer].rule
    for sequence in batch.layout.sequences {
      let rows = sequence.rows.map(Int.init)
      for head in 0..<heads {
        let group = head / (heads / groups)
        for (position, query) in rows.enumerated() {
          let seen = rule.visible(from: position, length: rows.count)
          let scores = seen.map { other -> Double in
            var score = 0.0
            for column in 0..<width {
              score += queries[query][head * width + column] * keys[rows[other]][group * width + column]
            }
            return capped(score * Double(rule.scale), rule.scoreCap)
          }
          let largest = scores.max() ?? 0
          let weights = scores.map { exp($0 - largest) }
          let total = weights.reduce(0, +)
          for (other, weight) in zip(seen, weights) {
            for column in 0..<width {
              z[query][head * width + column] += weight / total * v[rows[other]][group * width + column]
            }
          }
        }
      }
    }
    let out = product(z, at(.outputWeight), at(.outputBias), p)
    return layout.model.weights.blocks[layer].attentionPostNorm == nil
      ? out : norm(out, at(.attentionPostNormGain), at(.attentionPostNormBias), p)
  }

  /// Normalised and turned heads.
  private func placed(
    _ x: [[Double]], _ heads: Int, _ layer: Int, _ gain: Parameter, _ p: [Double]
  ) -> [[Double]] {
    let width = shape.dHead
    return zip(x, batch.layout.positions).map { row, position in
      (0..<heads).flatMap { head -> [Double] in
        var vector = Array(row[head * width..<(head + 1) * width])
        if layout.place(of: gain) != nil { vector = norm([vector], gain, .unembeddingBias, p)[0] }
        guard let rotary = shape.attention[layer].rotary else { return vector }
        let half = rotary.frequencies().count
        var turned = vector
        for (pair, frequency) in rotary.frequencies().enumerated() {
          let angle = frequency * Double(position)
          turned[pair] = vector[pair] * cos(angle) - vector[pair + half] * sin(angle)
          turned[pair + half] = vector[pair + half] * cos(angle) + vector[pair] * sin(angle)
        }
        return turned
      }
    }
  }

  private func mlp(_ layer: Int, _ x: [[Double]], _ p: [Double]) -> [[Double]] {
    func at(_ parameter: BlockParameter) -> Parameter { .block(layer, parameter) }
    let normed = norm(x, at(.mlpNormGain), at(.mlpNormBias), p)
    let up = product(normed, at(.inWeight), at(.inBias), p)
    var hidden = up.map { $0.map(activate) }
    if shape.mlp == .gated {
      let gate = product(normed, at(.gateWeight), at(.gateBias), p)
      hidden = zip(gate, up).map { zip($0, $1).map { activate($0) * $1 } }
    }
    let out = product(hidden, at(.outWeight), at(.outBias), p)
    return layout.model.weights.blocks[layer].mlpPostNorm == nil
      ? out : norm(out, at(.mlpPostNormGain), at(.mlpPostNormBias), p)
  }

  private func activate(_ x: Double) -> Double {
    switch shape.activation {
    case .relu: max(0, x)
    case .gelu: x * 0.5 * erfc(-x / 2.0.squareRoot())
    case .geluTanh: 0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    case .silu: x / (1 + exp(-x))
    }
  }

  private func capped(_ x: Double, _ cap: Float?) -> Double {
    cap.map { Double($0) * tanh(x / Double($0)) } ?? x
  }

  private func norm(_ x: [[Double]], _ gain: Parameter, _ bias: Parameter, _ p: [Double]) -> [[Double]] {
    guard let kind = shape.normalization else { return x }
    let gains = layout.place(of: gain).map { Array(p[$0.offset..<$0.offset + $0.count]) }
    let biases = layout.place(of: bias).map { Array(p[$0.offset..<$0.offset + $0.count]) }
    return x.map { row in
      let count = Double(row.count)
      switch kind {
      case .layer(let epsilon):
        let mean = row.reduce(0, +) / count
        let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
        let scale = 1 / (variance + Double(epsilon)).squareRoot()
        let isHead = row.count != shape.dModel
        return row.indices.map {
          (row[$0] - mean) * scale * (gains?[$0] ?? 1) + (isHead ? 0 : biases?[$0] ?? 0)
        }
      case .rootMeanSquare(let epsilon, let offset):
        let scale = 1 / (row.reduce(0) { $0 + $1 * $1 } / count + Double(epsilon)).squareRoot()
        return row.indices.map { row[$0] * scale * ((gains?[$0]).map { $0 + Double(offset) } ?? 1) }
      }
    }
  }

  private func product(
    _ x: [[Double]], _ weight: Parameter, _ bias: Parameter, _ p: [Double]
  ) -> [[Double]] {
    guard let place = layout.place(of: weight) else { return x }
    let columns = place.shape[1]
    return x.map { row in
      (0..<columns).map { column -> Double in
        var value = layout.place(of: bias).map { p[$0.offset + column] } ?? 0
        for index in row.indices { value += row[index] * p[place.offset + index * columns + column] }
        return value
      }
    }
  }

  private func row(_ table: Parameter, _ index: Int, _ p: [Double]) -> [Double] {
    guard let place = layout.place(of: table) else { return [] }
    let width = place.shape[1]
    return Array(p[place.offset + index * width..<place.offset + (index + 1) * width])
  }

  private func sum(_ x: [[Double]], _ y: [[Double]]) -> [[Double]] {
    zip(x, y).map { zip($0, $1).map { $0 + $1 } }
  }
}
