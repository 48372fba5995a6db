// One step of Adam with the settings of the paper, on rows, columns and vectors.

import CKernels
import Tensors

/// Adam (Kingma & Ba 2015) at step t, with β₁ 0.9, β₂ 0.999 and ε 1e-8.
struct AdamStep {
  private var options: ck_adam_t

  init(learningRate: Float, step: Int) {
    let (beta1, beta2) = (0.9, 0.999)
    var (power1, power2) = (1.0, 1.0)
    for _ in 0..<step {
      power1 *= beta1
      power2 *= beta2
    }
    options = ck_adam_t(
      rate: Float(Double(learningRate) / (1 - power1)), beta1: Float(beta1), beta2: Float(beta2),
      inverse_root: Float(1 / (1 - power2).squareRoot()), epsilon: 1e-8)
  }

  /// A vector.
  func update(_ values: inout [Float], gradient: [Float], moments: inout [[Float]]) {
    for index in values.indices {
      let slope = gradient[index]
      let first = moments[0][index] + (1 - options.beta1) * (slope - moments[0][index])
      let second = options.beta2 * moments[1][index] + (1 - options.beta2) * slope * slope
      moments[0][index] = first
      moments[1][index] = second
      values[index] -= options.rate * first / (second.squareRoot() * options.inverse_root + options.epsilon)
    }
  }

  /// Unit rows, with the gradient `gradient − weights·bias` less its part along each row. Rows that are not live have
  /// no gradient.
  /// - Returns: the length of each row's change.
  func updateRows(
    _ values: inout Tensor, gradient: Tensor, less bias: Tensor, weights: [Float], live: [Int32],
    moments: inout [Tensor]
  ) -> [Float] {
    let (rows, columns) = (values.shape[0], values.shape[1])
    let isLive = mask(live, count: rows)
    var lengths = Tensor(zeros: [rows])
    let w = FloatAddress(values.mutablePointer())
    let (m, v) = (FloatAddress(moments[0].mutablePointer()), FloatAddress(moments[1].mutablePointer()))
    let (g, b) = (ConstFloatAddress(gradient.pointer), ConstFloatAddress(bias.pointer))
    let out = FloatAddress(lengths.mutablePointer())
    parallelRanges(rows) { range in
      withUnsafePointer(to: options) { options in
        for row in range {
          let start = row * columns
          out.address[row] = ck_adam_projected(
            w.address + start, m.address + start, v.address + start,
            isLive[row] == 1 ? g.address + start : nil,
            b.address, weights[row], columns, options
          ).squareRoot()
        }
      }
    }
    return lengths.values
  }

  /// Unit columns, with the gradient less its part along each column. Rows that are not live have no gradient of
  /// their own.
  func updateColumns(_ values: inout Tensor, gradient: Tensor, live: [Int32], moments: inout [Tensor]) {
    let (rows, columns) = (values.shape[0], values.shape[1])
    let isLive = mask(live, count: rows)
    var along = Tensor(zeros: [columns])
    let w = FloatAddress(values.mutablePointer())
    let (m, v) = (FloatAddress(moments[0].mutablePointer()), FloatAddress(moments[1].mutablePointer()))
    let g = ConstFloatAddress(gradient.pointer)
    let scratch = FloatAddress(along.mutablePointer())
    columnBlocks(columns) { block in
      withUnsafePointer(to: options) { options in
        ck_adam_projected_columns(
          w.address, m.address, v.address, g.address, isLive, rows, columns, block.lowerBound,
          block.upperBound,
          scratch.address, options)
      }
    }
  }

  private func mask(_ live: [Int32], count: Int) -> [UInt8] {
    var mask = [UInt8](repeating: 0, count: count)
    for row in live { mask[Int(row)] = 1 }
    return mask
  }
}
