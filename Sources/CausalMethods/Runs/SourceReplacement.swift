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
  /// Means that were computed already: by length, or under 0 for the mean over positions.
  private var means: [Int: Tensor] = [:]

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

  /// The stand-ins of some prompts of one length, `[item, prompt · position · width]`.
  mutating func values(_ indices: [Int]) throws -> Tensor {
    let length = task.clean[indices[0]].count
    let rowWidth = length * width
    switch replacement {
    case .zero: return Tensor(zeros: [items, indices.count * rowWidth])
    case .pair: return try read(TokenBatch(indices.map { task.corrupted[$0] }))
    case .resample:
      let donors = task.others.indices.filter { task.others[$0].count == length }
      let chosen = indices.map { index -> [Int] in
        var generator = SeededGenerator(seed: seed, stream: "resample \(index)")
        return task.others[donors[generator.index(below: donors.count)]]
      }
      return try read(TokenBatch(chosen))
    case .mean:
      let mean = try positionMean(length)
      return repeated(mean, indices.count)
    case .meanOverPositions:
      let mean = try flatMean()
      return repeated(mean, indices.count * length)
    }
  }

  /// `[source, position · d_model]` over the other prompts of a length.
  private mutating func positionMean(_ length: Int) throws -> Tensor {
    if let known = means[length] { return known }
    let prompts = task.others.filter { $0.count == length }
    let mean = try mean(of: prompts, rowWidth: length * width, rows: prompts.count)
    means[length] = mean
    return mean
  }

  /// `[source, d_model]` over all positions of the other prompts.
  private mutating func flatMean() throws -> Tensor {
    if let known = means[0] { return known }
    let mean = try mean(
      of: task.others, rowWidth: width, rows: task.others.reduce(0) { $0 + $1.count })
    means[0] = mean
    return mean
  }

  /// The mean of rows of `rowWidth` elements over all outputs of some prompts.
  private func mean(of prompts: [[Int]], rowWidth: Int, rows: Int) throws -> Tensor {
    var sums = [Double](repeating: 0, count: items * rowWidth)
    for group in Dictionary(grouping: prompts, by: \.count).sorted(by: { $0.key < $1.key }) {
      let size = max(1, 1024 / max(1, group.key))
      for start in stride(from: 0, to: group.value.count, by: size) {
        let part = Array(group.value[start..<min(start + size, group.value.count)])
        let outputs = try read(TokenBatch(part))
        let columns = outputs.shape[1]
        outputs.withValues { values in
          for index in values.indices {
            sums[index / columns * rowWidth + index % columns % rowWidth] += Double(values[index])
          }
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
