// The self-attention network of Škrlj et al. (2020), on inputs of any width.
//
// Their head h weighs each input cell by softmax(W_h·x) with W_h of size d × d, of which only the diagonal is read for
// global importance. At d = 20,531 two such heads need 843 million weights. Here W_h = diag(a_h) + U_hᵀ·V_h with U_h, V_h
// of a few rows: 2·rank + 1 numbers a cell and head, the same two importances, and cells can still raise one another.

import NeuralNetworks
import Tensors

/// `d · mean_h softmax(W_h·x) ⊙ x`: `[rows, cells]` → `[rows, cells]`.
///
/// The factor d, absent in the paper, gives the output the scale of the input: attention of 1/d everywhere is then
/// the identity.
struct AttentionHeads: NetworkLayer {
  /// One head's W = diag(diagonal) + leftᵀ·right.
  struct Head: Sendable {
    /// `[cells]`.
    var diagonal: Tensor
    /// `[rank, cells]`.
    var left: Tensor
    /// `[rank, cells]`.
    var right: Tensor
  }

  var heads: [Head]

  init(cells: Int, headCount: Int, rank: Int, using generator: inout SeededGenerator) {
    let spread = 0.1 / Float(max(cells, 1)).squareRoot()
    func random(_ shape: [Int], _ spread: Float) -> Tensor {
      Tensor((0..<shape.reduce(1, *)).map { _ in Float(generator.normal()) * spread }, shape: shape)
    }
    heads = (0..<headCount).map { _ in
      Head(
        diagonal: random([cells], 0.01), left: random([rank, cells], 0.1),
        right: random([rank, cells], spread))
    }
  }

  /// The number of input cells.
  var cellCount: Int { heads[0].diagonal.count }

  var parameters: [Tensor] { heads.flatMap { [$0.diagonal, $0.left, $0.right] } }

  mutating func visitParameters(_ visit: (inout Tensor) -> Void) {
    for index in heads.indices {
      visit(&heads[index].diagonal)
      visit(&heads[index].left)
      visit(&heads[index].right)
    }
  }

  /// W_h·x for every row, and the low-rank part's inner values V_h·x.
  private func scores(_ input: Tensor, _ head: Head) -> (scores: Tensor, inner: Tensor) {
    let inner = matrixProduct(input, head.right, transposingB: true)
    return (input.timesRow(head.diagonal).plus(matrixProduct(inner, head.left)), inner)
  }

  func forward(_ input: Tensor, _ pass: NetworkPass) -> (output: Tensor, trace: LayerTrace) {
    var trace = LayerTrace(pass: pass, tensors: [input])
    var total = Tensor(zeros: input.shape)
    for head in heads {
      let (scores, inner) = scores(input, head)
      let attention = scores.softmaxOfRows()
      total = total.plus(attention)
      trace.tensors += [attention, inner]
    }
    let output = total.times(input).scaled(by: Float(cellCount) / Float(heads.count))
    trace.tensors.append(total)
    return (output, trace)
  }

  func backward(_ gradient: Tensor, _ trace: LayerTrace) -> LayerGradients {
    let input = trace.tensors[0]
    let share = Float(cellCount) / Float(heads.count)
    let total = trace.tensors[trace.tensors.count - 1]
    var inputGradient = gradient.times(total).scaled(by: share)
    let attentionGradient = gradient.times(input).scaled(by: share)
    var parameters: [Tensor] = []
    for (index, head) in heads.enumerated() {
      let (attention, inner) = (trace.tensors[1 + 2 * index], trace.tensors[2 + 2 * index])
      let scoreGradient = attention.softmaxOfRowsGradient(attentionGradient)
      let innerGradient = matrixProduct(scoreGradient, head.left, transposingB: true)
      var leftGradient = Tensor(zeros: head.left.shape)
      matrixProduct(
        inner, inner.matrix.transpose, scoreGradient, scoreGradient.matrix, into: &leftGradient,
        leftGradient.matrix)
      var rightGradient = Tensor(zeros: head.right.shape)
      matrixProduct(
        innerGradient, innerGradient.matrix.transpose, input, input.matrix, into: &rightGradient,
        rightGradient.matrix)
      parameters += [scoreGradient.times(input).sumOverFirstAxis(), leftGradient, rightGradient]
      inputGradient = inputGradient.plus(scoreGradient.timesRow(head.diagonal))
        .plus(matrixProduct(innerGradient, head.right))
    }
    return LayerGradients(input: inputGradient, parameters: parameters)
  }

  /// The paper's global importance: mean over heads of softmax(diag W_h), one number a cell, sum 1.
  var globalImportance: [Float] {
    var total = Tensor(zeros: [1, cellCount])
    for head in heads {
      let diagonal = head.diagonal.plus(head.left.times(head.right).sumOverFirstAxis())
      total = total.plus(diagonal.reshaped([1, cellCount]).softmaxOfRows(), scaledBy: 1 / Float(heads.count))
    }
    return total.values
  }

  /// The paper's local importance: softmax(mean_h W_h·x), `[rows, cells]`, rows sum to 1.
  func localImportance(_ input: Tensor) -> Tensor {
    var mean = Tensor(zeros: input.shape)
    for head in heads { mean = mean.plus(scores(input, head).scores, scaledBy: 1 / Float(heads.count)) }
    return mean.softmaxOfRows()
  }
}
