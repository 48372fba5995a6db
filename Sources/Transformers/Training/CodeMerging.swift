// Fewer codes where fewer do: a code is paid for by how rarely it is used, so that codes near each other become one.

import Tensors

extension Trainer {
  /// Moves the codes of a place to the means of what they stand for, as `settleCodes` does, where a code's cosine is
  /// lowered by the price times −log of its share of the uses: entropy-constrained vector quantisation (Chou, Lookabaugh
  /// & Gray 1989, "Entropy-constrained vector quantization", IEEE Trans. ASSP 37). Of codes near each other the one that
  /// is used more takes all. Codes that are left without use become zero, and nothing chooses them afterwards.
  ///
  /// - Parameters:
  ///   - place: the codebooks whose codes merge.
  ///   - batches: what means and shares are taken over, in every round.
  ///   - price: per nat, as a share of what one code alone would leave of a codebook's inputs: the mean of 1 − cosine.
  /// - Precondition: codebooks choose by cosine.
  /// - Throws: `CheckpointError` where a weight cannot be read.
  public mutating func mergeCodes(
    _ place: CodebookConfiguration.Place, on batches: [[TrainingExample]], rounds: Int, price: Double
  ) throws {
    precondition(present.model.configuration.codebooks?.similarity == .cosine, "codes merge by cosine")
    guard let shape = present.model.configuration.codebookShape(place) else { return }
    let tables = CodeUses(layout).tables.filter { $0.codebook?.place == place }
    var prices = tables.map { _ in CodePrices(shape) }
    for round in 0...rounds {
      var sums = tables.map { Tensor(zeros: $0.shape) }
      for batch in batches {
        try learn(batch)
        for part in parts {
          for (index, table) in tables.enumerated() {
            var batch = part.codeBatch(table)
            let directions = batch.directions(width: shape.width)
            // The first round only looks at what inputs there are.
            guard round > 0 else {
              prices[index].look(at: directions, shape)
              continue
            }
            nearestCodes(
              directions, parameters[table], shape, .cosine, handicaps: prices[index].handicaps,
              into: &batch.chosen)
            prices[index].count(batch.chosen, shape)
            add(batch, to: &sums[index], shape)
          }
        }
      }
      for (index, table) in tables.enumerated() {
        if round > 0 {
          move(table, to: sums[index], counts: prices[index].counts)
          clear(table, unless: prices[index].counts)
        }
        prices[index].set(price, shape)
      }
    }
  }

  /// Clears codes without use, and what the optimiser remembers of them, which would move them again.
  private mutating func clear(_ table: ParameterSlice, unless counts: [Float]) {
    let width = table.shape[1]
    for (code, count) in counts.enumerated() where count == 0 {
      for place in table.offset + code * width..<table.offset + (code + 1) * width {
        parameters[place] = 0
        state.firstMoment[place] = 0
        state.secondMoment[place] = 0
      }
    }
  }
}

/// What the codes of one table cost by how rarely they were used in the round before.
private struct CodePrices {
  /// What each code's cosine is lowered by, `[books · codes]`.
  private(set) var handicaps: Tensor
  /// Uses in this round, of each code.
  private(set) var counts: [Float]
  /// The sum of all directions of inputs, and their number.
  private var directions: [Double]
  private var rows = 0

  init(_ shape: CodebookShape) {
    handicaps = Tensor(zeros: [shape.books * shape.codes])
    counts = [Float](repeating: 0, count: shape.books * shape.codes)
    directions = [Double](repeating: 0, count: shape.columns)
  }

  mutating func look(at inputs: Tensor, _ shape: CodebookShape) {
    rows += inputs.count / shape.columns
    inputs.withValues { values in
      for index in 0..<inputs.count { directions[index % shape.columns] += Double(values[index]) }
    }
  }

  mutating func count(_ chosen: Tensor, _ shape: CodebookShape) {
    chosen.withValues { chosen in
      for index in chosen.indices {
        counts[index / shape.active % shape.books * shape.codes + Int(chosen[index])] += 1
      }
    }
  }

  /// Prices from the uses that were counted, which begin at nothing again; before any use all codes cost the same.
  mutating func set(_ price: Double, _ shape: CodebookShape) {
    defer { counts = [Float](repeating: 0, count: counts.count) }
    for book in 0..<shape.books {
      let own = book * shape.codes..<(book + 1) * shape.codes
      let total = counts[own].reduce(0.0) { $0 + Double($1) }
      guard total > 0 else { continue }
      let square = directions[book * shape.width..<(book + 1) * shape.width].reduce(0) { $0 + $1 * $1 }
      let spread = max(0, 1 - square.squareRoot() / Double(max(1, rows)))
      handicaps.withMutableValues { handicaps in
        for code in own {
          handicaps[code] =
            counts[code] > 0 ? Float(-price * spread * logarithm(Double(counts[code]) / total)) : Self.unused
        }
      }
    }
  }

  /// More than any cosine makes up for.
  private static let unused: Float = 1e30
}

extension CodeBatch {
  /// The inputs of every book at length one.
  fileprivate func directions(width: Int) -> Tensor {
    var directions = inputs
    directions.withMutableValues { values in
      for start in stride(from: 0, to: values.count, by: width) {
        var square: Float = 0
        for index in start..<start + width { square += values[index] * values[index] }
        guard square > 0 else { continue }
        let scale = 1 / square.squareRoot()
        for index in start..<start + width { values[index] *= scale }
      }
    }
    return directions
  }
}

extension Tensor {
  /// A part of the parameters, in its own shape.
  fileprivate subscript(slice: ParameterSlice) -> Tensor {
    let places = slice.offset..<slice.offset + slice.shape.reduce(1, *)
    return withValues { values in Tensor(places.map { values[$0] }, shape: slice.shape) }
  }
}
