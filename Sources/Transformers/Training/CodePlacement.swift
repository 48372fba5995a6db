// Where codes begin, and where those go that nothing chooses: on vectors that codes stand for badly so far, and in the
// middle of what they stand for.

import Tensors

/// What the codes of one table stood for in a batch.
struct CodeBatch {
  /// `[rows, books · width]`.
  var inputs = Tensor(zeros: [0])
  /// The sums of codes in their place, of the same shape.
  var sums = Tensor(zeros: [0])
  /// The numbers of the chosen codes, `[rows, books, active]`.
  var chosen = Tensor(zeros: [0])
}

extension Trainer {
  /// Puts inputs of a batch in the place of all codes, before the first step.
  /// - Throws: `CheckpointError` where a weight cannot be read.
  public mutating func placeCodes(on examples: [TrainingExample], seed: UInt64) throws {
    try learn(examples)
    replaceUnusedCodes(CodeUses(layout), seed: seed, stream: "first codes")
  }

  /// Moves codes to the means of the inputs they stand for, the rest of the model being as it is: k-means (Lloyd 1982)
  /// under the codebooks' own similarity, in every layer at once. Codes that nothing chooses move to inputs far from theirs.
  ///
  /// - Parameter batches: what the means are taken over, in every round.
  /// - Throws: `CheckpointError` where a weight cannot be read.
  public mutating func settleCodes(on batches: [[TrainingExample]], rounds: Int, seed: UInt64) throws {
    for round in 0..<rounds {
      var uses = CodeUses(layout)
      var sums = uses.tables.map { Tensor(zeros: $0.shape) }
      for batch in batches {
        try learn(batch)
        for part in parts {
          part.count(into: &uses)
          for (index, table) in uses.tables.enumerated() {
            guard let shape = shape(of: table) else { continue }
            add(part.codeBatch(table), to: &sums[index], shape)
          }
        }
      }
      for (index, table) in uses.tables.enumerated() {
        move(table, to: sums[index], counts: uses.counts(table: index))
      }
      guard round < rounds - 1 else { break }
      replaceUnusedCodes(uses, seed: seed, stream: "round \(round) of codes")
    }
  }

  /// Puts inputs of the last batch in the place of codes that nothing chose.
  mutating func replaceUnusedCodes(_ uses: CodeUses, seed: UInt64, stream: String) {
    for (index, table) in uses.tables.enumerated() {
      guard let shape = shape(of: table) else { continue }
      let unused = Dictionary(grouping: uses.unused(table: index)) { $0 / shape.codes }
      guard !unused.isEmpty else { continue }
      var generator = SeededGenerator(seed: seed, stream: "\(stream) of \(table.name)")
      let batches = parts.map { $0.codeBatch(table) }
      for (book, codes) in unused.sorted(by: { $0.key < $1.key }) {
        let rows = Self.farRows(batches, book: book, count: codes.count, shape, &generator)
        for (code, row) in zip(codes, rows) {
          set(code, of: table, batches[row.part].inputs, row: row.row, book: book, shape)
        }
      }
    }
  }

  /// Rows of a batch drawn without replacement by the squared distance from their codes' sum, as k-means++ draws its
  /// centres; without replacement after Efraimidis & Spirakis (2006).
  private static func farRows(
    _ batches: [CodeBatch], book: Int, count: Int, _ shape: CodebookShape, _ generator: inout SeededGenerator
  ) -> ArraySlice<(part: Int, row: Int)> {
    var drawn: [(key: Double, part: Int, row: Int)] = []
    for (part, batch) in batches.enumerated() where batch.sums.count == batch.inputs.count {
      batch.inputs.withValues { inputs in
        batch.sums.withValues { sums in
          for row in 0..<inputs.count / shape.columns {
            let start = row * shape.columns + book * shape.width
            var distance = 0.0
            for column in start..<start + shape.width {
              let difference = Double(inputs[column] - sums[column])
              distance += difference * difference
            }
            guard distance > 0 else { continue }
            drawn.append((logarithm(generator.uniform()) / distance, part, row))
          }
        }
      }
    }
    drawn.sort { $0.key > $1.key }
    return drawn.map { (part: $0.part, row: $0.row) }.prefix(count)
  }

  func shape(of table: ParameterSlice) -> CodebookShape? {
    (table.codebook?.place).flatMap { present.model.configuration.codebookShape($0) }
  }

  /// Adds each input to the sums of its codes; every active code stands for an equal share of it.
  func add(_ batch: CodeBatch, to sums: inout Tensor, _ shape: CodebookShape) {
    let share = 1 / Float(shape.active)
    sums.withMutableValues { sums in
      batch.inputs.withValues { inputs in
        batch.chosen.withValues { chosen in
          for index in chosen.indices {
            let book = index / shape.active % shape.books
            let source = index / (shape.active * shape.books) * shape.columns + book * shape.width
            let target = (book * shape.codes + Int(chosen[index])) * shape.width
            for column in 0..<shape.width { sums[target + column] += share * inputs[source + column] }
          }
        }
      }
    }
  }

  mutating func move(_ table: ParameterSlice, to sums: Tensor, counts: [Float]) {
    let width = table.shape[1]
    sums.withValues { sums in
      for (code, count) in counts.enumerated() where count > 0 {
        for column in 0..<width {
          parameters[table.offset + code * width + column] = sums[code * width + column] / count
        }
      }
    }
  }

  /// Takes a code from an input, of which the active codes are to be the sum, and forgets its moments.
  private mutating func set(
    _ code: Int, of table: ParameterSlice, _ source: Tensor, row: Int, book: Int, _ shape: CodebookShape
  ) {
    source.withValues { source in
      let start = row * shape.columns + book * shape.width
      for column in 0..<shape.width {
        let place = table.offset + code * shape.width + column
        parameters[place] = source[start + column] / Float(shape.active)
        state.firstMoment[place] = 0
        state.secondMoment[place] = 0
      }
    }
  }
}
