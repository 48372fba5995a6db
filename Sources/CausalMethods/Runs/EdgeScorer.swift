// Edge scores as products of source differences and destination gradients, streamed: never more than one layer's
// gradients are held.

import Tensors
import Transformers

/// Sums Σ_pos Δsource · ∂metric/∂destination for every edge, prompt by prompt.
struct EdgeScorer {
  let graph: CircuitGraph
  let dModel: Int
  private let offsets: [Int]
  /// `[prompt, edge]`, edges reader by reader.
  private(set) var scores: Tensor
  /// Memory for gradients in the order of readers.
  private var slopes = Tensor(zeros: [0])

  init(_ graph: CircuitGraph, prompts: Int, dModel: Int) {
    self.graph = graph
    self.dModel = dModel
    offsets = graph.edgeOffsets
    scores = Tensor(zeros: [prompts, graph.edgeCount])
  }

  /// The hook points whose gradients are needed.
  var points: Set<HookPoint> {
    var points: Set<HookPoint> = [.residPost(layer: graph.layers - 1)]
    for layer in 0..<graph.layers {
      for input in HeadInput.allCases { points.insert(input.point(layer: layer)) }
      if graph.hasMLPs { points.insert(.mlpInput(layer: layer)) }
    }
    return points
  }

  /// Adds `weight` times the products of one hook point's gradients.
  ///
  /// - Parameters:
  ///   - differences: `[source, prompt · position · d_model]`.
  ///   - gradient: at one of `points`, `[prompt, position, (head,) d_model]`.
  mutating func add(
    _ differences: Tensor, _ gradient: Tensor, at point: HookPoint, weight: Float = 1
  ) {
    let prompts = gradient.shape[0]
    let promptWidth = gradient.shape[1] * dModel
    guard let (first, readers) = readers(at: point) else { return }
    let bound = graph.sourceCount(before: first)
    // Reader-major, so that each prompt's part of a reader is one run of elements.
    let rows = prompts * gradient.shape[1]
    if readers.count > 1 {
      gradient.reshaped([rows, readers.count, dModel]).exchangeFirstAxes(into: &slopes)
    } else {
      slopes = gradient
    }
    let width = prompts * promptWidth
    matrixProducts(
      prompts, steps: (promptWidth, promptWidth, graph.edgeCount), slopes,
      MatrixWindow(rows: readers.count, columns: promptWidth, rowStride: width), differences,
      MatrixWindow(rows: bound, columns: promptWidth, rowStride: width, transposed: true), into: &scores,
      MatrixWindow(
        offset: offsets[first], rows: readers.count, columns: bound, rowStride: readers.stride * bound),
      scale: weight, accumulating: true)
  }

  /// The first reader at a hook point, how many there are, and how far apart they are counted.
  private func readers(at point: HookPoint) -> (first: Int, (count: Int, stride: Int))? {
    guard case .block(let layer, let place) = point else { return nil }
    switch place {
    case .queriesInput: return headReaders(layer, .queries)
    case .keysInput: return headReaders(layer, .keys)
    case .valuesInput: return headReaders(layer, .values)
    case .mlpInput: return graph.destinationIndex(of: .mlp(layer: layer)).map { ($0, (1, 1)) }
    case .residPost: return graph.destinationIndex(of: .logits).map { ($0, (1, 1)) }
    default: return nil
    }
  }

  private func headReaders(_ layer: Int, _ input: HeadInput) -> (first: Int, (count: Int, stride: Int))? {
    graph.destinationIndex(of: .head(layer: layer, head: 0, input)).map {
      ($0, (graph.heads, HeadInput.allCases.count))
    }
  }
}
