// Many statistics under the same redrawn prompts.

import Tensors

/// Random draws of prompts, with repeats: how often each prompt is in each.
public struct PromptDraws: Sendable {
  /// Shares that sum to 1, `[draw, prompt]`.
  public let weights: Tensor

  /// `count` draws of `prompts` prompts.
  public init(prompts: Int, count: Int = 200, seed: UInt64) {
    var generator = SeededGenerator(seed: seed, stream: "draws")
    var values = [Float](repeating: 0, count: count * prompts)
    for draw in 0..<count {
      for _ in 0..<prompts {
        values[draw * prompts + generator.index(below: prompts)] += 1 / Float(prompts)
      }
    }
    weights = Tensor(values, shape: [count, prompts])
  }

  /// The means of many items' scores under every draw, `[draw, item]`.
  /// - Parameter scores: `[prompt][item]`.
  public func means(_ scores: [[Float]]) -> Tensor {
    let items = scores.first?.count ?? 0
    return matrixProduct(weights, Tensor(scores.flatMap { $0 }, shape: [scores.count, items]))
  }

  /// The 95 % interval of each item's mean.
  public func intervals(_ means: Tensor) -> [ClosedRange<Double>] {
    let (draws, items) = (means.shape[0], means.shape[1])
    let values = means.values
    return parallelMap(items) { item in
      percentileInterval((0..<draws).map { Double(values[$0 * items + item]) })
    }
  }

  /// How steady the `k` largest items are: the mean Jaccard similarity of two draws' top sets, and for each item the
  /// share of draws that have it among the top.
  ///
  /// What varies is the prompts alone: the model and the method's seed stay the same.
  public func topStability(_ means: Tensor, k: Int) -> (jaccard: Double, inTop: [Double]) {
    let (draws, items) = (means.shape[0], means.shape[1])
    let values = means.values
    let tops = parallelMap(draws) { draw in
      Set(largest(k, of: values[draw * items..<(draw + 1) * items]))
    }
    var (sum, pairs) = (0.0, 0)
    for draw in 1..<max(1, draws) {
      let (one, two) = (tops[draw - 1], tops[draw])
      let both = one.intersection(two).count
      let either = one.count + two.count - both
      sum += either == 0 ? 1 : Double(both) / Double(either)
      pairs += 1
    }
    var inTop = [Int](repeating: 0, count: items)
    for top in tops { for item in top { inTop[item] += 1 } }
    return (pairs == 0 ? 1 : sum / Double(pairs), inTop.map { Double($0) / Double(draws) })
  }
}

/// The places of the `k` values that are largest in size; of equal ones the earlier.
func largest(_ k: Int, of values: ArraySlice<Float>) -> [Int] {
  var best: [(size: Float, place: Int)] = []
  for (place, value) in values.enumerated() {
    let size = abs(value)
    if best.count == k, let last = best.last, size <= last.size { continue }
    let spot = best.firstIndex { $0.size < size } ?? best.count
    best.insert((size, place), at: spot)
    if best.count > k { best.removeLast() }
  }
  return best.map(\.place)
}
