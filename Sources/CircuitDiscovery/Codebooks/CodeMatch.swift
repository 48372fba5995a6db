// Codes that stand for what a position is labelled with, beside neurons that do (Tamkin, Taufeeque & Goodman 2023,
// sections 4.2 and 5.2).

import Tensors
import Transformers

/// Positions by what they are: a pattern's matches, or a state machine's states.
public struct PositionLabels: Sendable {
  /// The labels.
  public var names: [String] = []
  /// For each label its positions, counted over all prompts, in ascending order.
  public var positions: [[Int]] = []

  /// No labels yet.
  public init() {}

  /// Adds a label.
  public mutating func add(_ name: String, at positions: [Int]) {
    names.append(name)
    self.positions.append(positions)
  }
}

/// How well one code or neuron tells a label.
public struct LabelMatch: Sendable, Equatable {
  /// Of the positions where it is active, the share that have the label.
  public var precision: Double
  /// Of the positions that have the label, the share where it is active.
  public var recall: Double
}

/// The best code of a label.
public struct CodeMatch: Sendable, Equatable {
  /// The label.
  public var label: String
  /// Its positions among those that were measured.
  public var occurrences: Int
  /// The code; nil where no code is ever active there.
  public var code: CodeAddress?
  /// How well the code tells the label.
  public var match: LabelMatch
  /// The neuron of highest precision at the code's recall.
  public var neuron: (layer: Int, index: Int)?
  /// Its precision at that recall.
  public var neuronPrecision: Double?

  /// Whether two matches are the same.
  public static func == (a: Self, b: Self) -> Bool {
    a.label == b.label && a.occurrences == b.occurrences && a.code == b.code && a.match == b.match
      && a.neuron?.layer == b.neuron?.layer && a.neuron?.index == b.neuron?.index
      && a.neuronPrecision == b.neuronPrecision
  }
}

/// Finds codes and neurons of labels. Every second prompt is chosen on; figures are those of the others.
public struct CodeSearch: Sendable {
  private let trace: CodeTrace
  private let labels: PositionLabels
  private let isChosenOn: [Bool]

  /// A search in a model's codes.
  public init(_ trace: CodeTrace, _ labels: PositionLabels) {
    self.trace = trace
    self.labels = labels
    isChosenOn = trace.prompts.enumerated().flatMap { index, prompt in
      [Bool](repeating: index % 2 == 0, count: prompt.count)
    }
  }

  /// The best code of each label, by F1 where codes are chosen.
  public func matches() -> [CodeMatch] {
    let measured = isChosenOn.map { !$0 }
    let chosenUses = trace.books.indices.map { trace.uses(book: $0, where: isChosenOn) }
    let measuredUses = trace.books.indices.map { trace.uses(book: $0, where: measured) }
    return labels.names.indices.map { label in
      let positions = labels.positions[label]
      let (choosing, measuring) = (
        positions.filter { isChosenOn[$0] }, positions.filter { !isChosenOn[$0] }
      )
      var best: (book: Int, number: Int, score: Double)?
      for book in trace.books.indices {
        for (number, count) in joint(book, choosing).sorted(by: { $0.key < $1.key }) {
          // F1 = 2 · both / (active + labelled).
          let score = 2 * Double(count) / Double(chosenUses[book][Int(number)] + choosing.count)
          if score > best?.score ?? 0 { best = (book, Int(number), score) }
        }
      }
      guard let best else {
        return CodeMatch(
          label: labels.names[label], occurrences: measuring.count,
          match: LabelMatch(precision: 0, recall: 0))
      }
      let both = Double(joint(best.book, measuring)[Int32(best.number)] ?? 0)
      let uses = Double(measuredUses[best.book][best.number])
      return CodeMatch(
        label: labels.names[label], occurrences: measuring.count,
        code: CodeAddress(book: trace.books[best.book], number: best.number),
        match: LabelMatch(
          precision: uses > 0 ? both / uses : 0,
          recall: measuring.isEmpty ? 0 : both / Double(measuring.count)))
    }
  }

  private func joint(_ book: Int, _ positions: [Int]) -> [Int32: Int] {
    var counts: [Int32: Int] = [:]
    for position in positions {
      for number in trace.numbers(book: book, at: position) { counts[number, default: 0] += 1 }
    }
    return counts
  }

  /// Adds to each match the MLP neuron that tells the label best at the same recall.
  ///
  /// A neuron is active above a threshold that gives the code's recall. It is chosen where codes are chosen; its
  /// precision is that at the code's recall on the other prompts, with a threshold set there.
  ///
  /// - Parameter model: whose neurons; it must read the same tokens.
  /// - Throws: `TransformerError` for prompts that the model cannot run.
  public func addingNeurons(of model: Transformer, to matches: [CodeMatch]) throws -> [CodeMatch] {
    guard model.configuration.mlp == .plain || model.configuration.mlp == .gated else { return matches }
    var best = [(layer: Int, index: Int, chosen: Double, precision: Double)?](
      repeating: nil, count: matches.count)
    for layer in 0..<model.configuration.layers {
      let neurons = try neuronActivations(model, layer)
      let scores = parallelMap(neurons.shape[0]) { neuron in
        precisions(neurons.row(neuron).values, matches)
      }
      for (neuron, scores) in scores.enumerated() {
        for (label, score) in scores.enumerated() where score.chosen > best[label]?.chosen ?? 0 {
          best[label] = (layer, neuron, score.chosen, score.measured)
        }
      }
    }
    return zip(matches, best).map { match, best in
      var match = match
      match.neuron = best.map { ($0.layer, $0.index) }
      match.neuronPrecision = best?.precision
      return match
    }
  }

  /// One neuron's precision for every label, where neurons are chosen and where they are measured.
  private func precisions(
    _ values: [Float], _ matches: [CodeMatch]
  ) -> [(chosen: Double, measured: Double)] {
    let halves = [true, false].map { half in
      let order = values.indices.filter { isChosenOn[$0] == half }.sorted { values[$0] > values[$1] }
      var ranks = [Int](repeating: 0, count: values.count)
      for (rank, position) in order.enumerated() { ranks[position] = rank }
      return ranks
    }
    return matches.indices.map { label in
      let (chosen, measured) = (halves[0], halves[1])
      let recall = matches[label].match.recall
      let positions = labels.positions[label]
      return (
        precision(at: recall, positions.filter { isChosenOn[$0] }.map { chosen[$0] }),
        precision(at: recall, positions.filter { !isChosenOn[$0] }.map { measured[$0] })
      )
    }
  }

  /// The precision of a threshold that takes in the wanted share of a label's positions, by their ranks.
  private func precision(at recall: Double, _ ranks: [Int]) -> Double {
    let wanted = Int((recall * Double(ranks.count)).rounded(.up))
    guard wanted > 0, wanted <= ranks.count else { return 0 }
    return Double(wanted) / Double(ranks.sorted()[wanted - 1] + 1)
  }

  /// The activations of a layer's hidden neurons `[neuron, position]`.
  private func neuronActivations(_ model: Transformer, _ layer: Int) throws -> Tensor {
    let point = HookPoint.mlpPost(layer: layer)
    let (width, count) = (model.configuration.dMLP, trace.positions)
    var starts: [Int] = [0]
    for prompt in trace.prompts { starts.append(starts[starts.count - 1] + prompt.count) }
    var result = Tensor(zeros: [width, count])
    for group in TokenBatch.groups(of: trace.prompts, tokenLimit: 4096) {
      let value = try model.run(group.batch, reading: [point])[point]
      result.withMutableValues { result in
        value.withValues { value in
          for (row, prompt) in group.indices.enumerated() {
            for position in trace.prompts[prompt].indices {
              let first = (row * group.batch.width + position) * width
              for neuron in 0..<width {
                result[neuron * count + starts[prompt] + position] = value[first + neuron]
              }
            }
          }
        }
      }
    }
    return result
  }
}
