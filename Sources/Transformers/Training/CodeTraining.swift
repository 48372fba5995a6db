// What codebooks need in training beside gradients: a pull towards what codes stand for, and new places for codes that
// nothing chooses.

import Tensors

/// How codes are trained (Tamkin, Taufeeque & Goodman 2023, appendix A).
public struct CodeTraining: Sendable, Equatable {
  /// The weight of inputs' distance to their codes; 0 trains codes alone on the reconstruction.
  public var commitment: Double = 0
  /// Steps after which codes that were never chosen meanwhile take the place of a recent input; 0 for never.
  public var replacementInterval = 100
  /// The last step at which codes are replaced.
  public var lastReplacement = Int.max
  /// How far each use moves a code towards what it stands for, in place of its gradient; 0 for the gradient.
  public var following: Double = 0
  /// How codes of MLPs that are near each other become one; nil for not at all.
  public var merging: Merging?
  /// How many codes are active at first, and after how many steps as many as the model is to have; nil for as many all along.
  public var activeDecline: ActiveDecline?

  /// A number of active codes that falls, by equal steps, while the model learns.
  public struct ActiveDecline: Sendable, Equatable {
    /// Codes active at the first step.
    public var first: Int
    /// The step from which on there are as many as the model is to have.
    public var steps: Int

    /// A decline from `first` active codes, over in `steps` steps.
    public init(first: Int, steps: Int) {
      self.first = first
      self.steps = steps
    }

    /// How many are active at a step, of a model that is to have `last`.
    public func active(at step: Int, last: Int) -> Int {
      step >= steps || first <= last ? last : last + (first - last) * (steps - step) / steps
    }
  }

  /// Merges of codes (`Trainer.mergeCodes`), by equal steps: the first before the first step of the training.
  public struct Merging: Sendable, Equatable {
    /// The price of the last merge; earlier ones are cheaper in proportion.
    public var price: Double
    /// How many there are.
    public var times: Int

    /// Merges up to a price.
    public init(price: Double, times: Int) {
      self.price = price
      self.times = times
    }

    /// The price of the merge before a step, of a training of `steps`; nil where there is none.
    public func price(before step: Int, of steps: Int) -> Double? {
      let interval = max(1, steps / times)
      guard step % interval == 0, step / interval < times else { return nil }
      return price * Double(step / interval + 1) / Double(times)
    }
  }

  /// The usual settings.
  public init() {}

  private var replacement: String {
    if lastReplacement == 0 || replacementInterval == 0 { return "codes not replaced" }
    return "codes replaced every \(replacementInterval) steps"
      + (lastReplacement == .max ? "" : " up to step \(lastReplacement)")
  }

  /// The settings as text.
  public var description: String {
    "commitment \(commitment), \(replacement)"
      + (following == 0 ? "" : ", codes following means at \(following) a use")
      + (merging.map { ", merged \($0.times) times at a price of up to \($0.price)" } ?? "")
      + (activeDecline.map { ", from \($0.first) active codes down in \($0.steps) steps" } ?? "")
  }
}

/// How often each code was chosen since codes were last replaced.
public struct CodeUses: Sendable, Equatable {
  /// The tables of codes of a model.
  let tables: [ParameterSlice]
  private var counts: [Tensor]

  /// Nothing was chosen yet, or what a checkpoint says.
  public init(_ layout: ParameterLayout, _ stored: [String: Tensor] = [:]) {
    tables = layout.slices.filter(\.isCodes)
    counts = tables.map { table in
      guard let tensor = stored[table.name], tensor.count == table.shape[0] else {
        return Tensor(zeros: [table.shape[0]])
      }
      return tensor
    }
  }

  /// The counts by the table's name, for a checkpoint.
  public var stored: [String: Tensor] {
    Dictionary(uniqueKeysWithValues: zip(tables.map(\.name), counts))
  }

  /// Adds what was chosen in one batch.
  mutating func add(_ other: CodeUses) {
    for index in counts.indices { counts[index].add(other.counts[index]) }
  }

  /// Counts the codes that are active in rows `[rows, books, active]`.
  mutating func count(_ chosen: Tensor, table: Int, _ shape: CodebookShape) {
    counts[table].withMutableValues { counts in
      chosen.withValues { chosen in
        for index in chosen.indices {
          let book = index / shape.active % shape.books
          counts[book * shape.codes + Int(chosen[index])] += 1
        }
      }
    }
  }

  /// How often each code of a table was chosen.
  func counts(table: Int) -> [Float] { counts[table].values }

  /// The codes of a table that nothing chose, by their row.
  func unused(table: Int) -> [Int] {
    counts[table].values.enumerated().filter { $0.element == 0 }.map(\.offset)
  }

  /// The share of codes that something chose, of all tables.
  public var usedShare: Double {
    let total = counts.reduce(0) { $0 + $1.count }
    let used = counts.reduce(0) { $0 + $1.values.count { $0 > 0 } }
    return total == 0 ? 0 : Double(used) / Double(total)
  }
}

extension ParameterSlice {
  /// Whether these are the codes of codebooks.
  var isCodes: Bool {
    guard case .block(_, let parameter) = parameter else { return false }
    return parameter == .headCodes || parameter == .mlpCodes
  }

  /// The place and layer of a table of codes.
  var codebook: (layer: Int, place: CodebookConfiguration.Place)? {
    switch parameter {
    case .block(let layer, .headCodes): (layer, .heads)
    case .block(let layer, .mlpCodes): (layer, .mlp)
    default: nil
    }
  }
}

extension TrainingPass {
  /// What was chosen in the batch that went through last.
  func codeUses() -> CodeUses {
    var uses = CodeUses(layout)
    for (index, table) in uses.tables.enumerated() {
      guard let (layer, place) = table.codebook,
        let shape = layout.model.configuration.codebookShape(place)
      else { continue }
      uses.count(tape.blocks[layer].chosen(place), table: index, shape)
    }
    return uses
  }

  /// What a table's codes stood for in the batch that went through last.
  func codeBatch(_ table: ParameterSlice) -> CodeBatch {
    guard let (layer, place) = table.codebook else { return CodeBatch() }
    let block = tape.blocks[layer]
    return switch place {
    case .heads: CodeBatch(inputs: block.headCodesInput, sums: block.z, chosen: block.headCodes)
    case .mlp: CodeBatch(inputs: block.mlpCodesInput, sums: block.mlpCodesSum, chosen: block.mlpCodes)
    }
  }
}

extension BlockActivations {
  fileprivate func chosen(_ place: CodebookConfiguration.Place) -> Tensor {
    place == .heads ? headCodes : mlpCodes
  }
}
