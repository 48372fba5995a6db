// What stands in for a writer's output.

import Tensors
import Transformers

/// Where the values come from that replace a writer's.
public enum SourceReplacement: String, CaseIterable, Sendable {
  /// Its value in the prompt's corrupted twin.
  case pair
  /// Its mean over the other prompts of the same length, position by position.
  case mean
  /// Its mean over all positions of the other prompts.
  case meanOverPositions = "mean-over-positions"
  /// Zeros.
  case zero
  /// Its value in another prompt of the same length, drawn at random.
  case resample
}

/// Stand-in values, batch by batch: of all writers' outputs, or of what else is read from a run.
struct ReplacementSource {
  /// Reads values of prompts of one length, `[item, prompt · position · width]`.
  let read: (TokenBatch) throws -> Tensor
  /// How many items there are: writers, or layers.
  let items: Int
  /// How wide a value is at one position.
  let width: Int
  let task: CausalTask
  let replacement: SourceReplacement
  let seed: UInt64
  /// What a mean is taken over: other prompts of a length, each with the same continuations behind it.
  private struct MeanKey: Hashable {
    var length: Int
    var continuations: [[Int]]
  }
  /// Means that were computed already; at most `meanLimit` of them are kept.
  private var means: [MeanKey: Tensor] = [:]
  private static let meanLimit = 64
  /// The mean over positions, once it was computed.
  private var meanOverPositions: Tensor?

  /// Stand-ins of all writers.
  /// - Throws: `CausalError` where prompts lack what the replacement is taken from.
  init(
    _ model: Transformer, _ graph: CircuitGraph, _ task: CausalTask, _ replacement: SourceReplacement,
    seed: UInt64
  ) throws(CausalError) {
    try self.init(task, replacement, seed: seed, items: graph.sourceCount, width: model.configuration.dModel)
    {
      try model.sourceOutputs(graph, $0)
    }
  }

  /// Stand-ins of whatever `read` answers with.
  /// - Throws: `CausalError` where prompts lack what the replacement is taken from.
  init(
    _ task: CausalTask, _ replacement: SourceReplacement, seed: UInt64, items: Int, width: Int,
    read: @escaping (TokenBatch) throws -> Tensor
  ) throws(CausalError) {
    self.read = read
    self.items = items
    self.width = width
    self.task = task
    self.replacement = replacement
    self.seed = seed
    switch replacement {
    case .zero: break
    case .pair: try task.requirePairs()
    case .meanOverPositions where task.others.isEmpty:
      throw .noDonor(prompt: 0, problem: "there are no other prompts to take a mean of")
    case .meanOverPositions: break
    case .mean, .resample:
      let lengths = Set(task.others.map(\.count))
      for (prompt, tokens) in task.clean.enumerated() where !lengths.contains(tokens.count) {
        throw .noDonor(prompt: prompt, problem: "no other prompt has its \(tokens.count) tokens")
      }
    }
  }

  /// The stand-ins of some prompts of one batch, `[item, prompt · position · width]`.
  ///
  /// What stands behind a prompt for its answers stands behind what it is compared with too, so that all rows have
  /// something to be replaced by.
  mutating func values(_ indices: [Int]) throws -> Tensor {
    let length = task.clean[indices[0]].count
    let rows = task.cleanBatch([indices[0]]).width
    switch replacement {
    case .zero: return Tensor(zeros: [items, indices.count * rows * width])
    case .pair: return try read(task.corruptedBatch(indices))
    case .resample:
      let donors = task.others.indices.filter { task.others[$0].count == length }
      let chosen = indices.map { index -> [Int] in
        var generator = SeededGenerator(seed: seed, stream: "resample \(task.numbers[index])")
        return task.others[donors[generator.index(below: donors.count)]]
      }
      return try read(task.batch(chosen, asking: indices))
    case .mean:
      let shared = task.questions[indices[0]].continuations
      if indices.allSatisfy({ task.questions[$0].continuations == shared }) {
        return repeated(try positionMean(indices[0]), indices.count)
      }
      var values = Tensor(uninitialized: [items, indices.count * rows * width])
      for (place, index) in indices.enumerated() {
        let mean = try positionMean(index)
        for item in 0..<items {
          values.write(mean.row(item), at: (item * indices.count + place) * rows * width)
        }
      }
      return values
    case .meanOverPositions:
      let mean = try flatMean()
      return repeated(mean, indices.count * rows)
    }
  }

  /// `[source, position · d_model]` over the other prompts of a prompt's length, with its continuations.
  private mutating func positionMean(_ index: Int) throws -> Tensor {
    let key = MeanKey(length: task.clean[index].count, continuations: task.questions[index].continuations)
    if let known = means[key] { return known }
    let prompts = task.others.filter { $0.count == key.length }
    let batches = Self.parts(of: prompts).map {
      TokenBatch($0, continuedBy: $0.map { _ in key.continuations })
    }
    let mean = try mean(
      over: batches, rowWidth: (batches.first?.width ?? key.length) * width, rows: prompts.count)
    if means.count >= Self.meanLimit { means = [:] }
    means[key] = mean
    return mean
  }

  /// `[source, d_model]` over all positions of the other prompts.
  private mutating func flatMean() throws -> Tensor {
    if let meanOverPositions { return meanOverPositions }
    let mean = try mean(
      over: Self.parts(of: task.others).map { TokenBatch($0) }, rowWidth: width,
      rows: task.others.reduce(0) { $0 + $1.count })
    meanOverPositions = mean
    return mean
  }

  /// Prompts of one length, about a thousand tokens at once, the shortest first.
  private static func parts(of prompts: [[Int]]) -> [[[Int]]] {
    var parts: [[[Int]]] = []
    for (length, prompts) in Dictionary(grouping: prompts, by: \.count).sorted(by: { $0.key < $1.key }) {
      let size = max(1, 1024 / max(1, length))
      for start in stride(from: 0, to: prompts.count, by: size) {
        parts.append(Array(prompts[start..<min(start + size, prompts.count)]))
      }
    }
    return parts
  }

  /// The mean of rows of `rowWidth` elements over all outputs of some batches.
  private func mean(over batches: [TokenBatch], rowWidth: Int, rows: Int) throws -> Tensor {
    var sums = [Double](repeating: 0, count: items * rowWidth)
    for batch in batches {
      let outputs = try read(batch)
      let columns = outputs.shape[1]
      outputs.withValues { values in
        for index in values.indices {
          sums[index / columns * rowWidth + index % columns % rowWidth] += Double(values[index])
        }
      }
    }
    return Tensor(sums.map { Float($0 / Double(max(1, rows))) }, shape: [items, rowWidth])
  }

  /// Each source's row, several times.
  private func repeated(_ rows: Tensor, _ count: Int) -> Tensor {
    repeatRows(rows, count).reshaped([rows.shape[0], count * rows.shape[1]])
  }
}
