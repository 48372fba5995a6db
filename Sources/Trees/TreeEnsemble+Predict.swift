// From rows to scores and predictions: trees outside, blocks of rows inside, so that a tree stays in cache.

import Tables
import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

extension TreeEnsemble {
  /// Predictions for every row: scores through the link.
  ///
  /// Columns are found by name, and categories by their names: see `Features.aligned(to:kinds:)`.
  /// - Returns: shape `[rows, outputs]`.
  /// - Throws: `TableError` where a feature of the model is not among `features`.
  public func predict(_ features: Features) throws(TableError) -> Tensor {
    let scores = try scores(features)
    let (outputs, width) = (outputNames.count, scoreCount)
    return Tensor(shape: [features.rowCount, outputs]) { target in
      var row = [Double](repeating: 0, count: width)
      for index in 0..<features.rowCount {
        for score in 0..<width { row[score] = scores[index * width + score] }
        for (output, value) in link.predictions(row).enumerated() {
          target[index * outputs + output] = Float(value)
        }
      }
    }
  }

  /// Scores for every row, before the link.
  /// - Returns: `[rows, scores]` in row-major order.
  /// - Throws: `TableError` where a feature of the model is not among `features`.
  public func scores(_ features: Features) throws(TableError) -> [Double] {
    scores(aligned: try features.aligned(to: featureNames, kinds: featureKinds))
  }

  /// Scores for rows whose columns are the model's features in its order.
  func scores(aligned features: Features) -> [Double] {
    let (rows, width) = (features.rowCount, scoreCount)
    return [Double](unsafeUninitializedCapacity: rows * width) { target, initialized in
      for row in 0..<rows {
        for score in 0..<width { target[row * width + score] = 0 }
      }
      initialized = rows * width
      guard let base = target.baseAddress, rows > 0 else { return }
      let sums = SendablePointer(base)
      features.withCells { cells in
        parallelRanges(rows, minimum: 64) { range in
          // 256 rows a block: the columns a tree asks about stay in cache while all rows of the block pass it.
          for start in stride(from: range.lowerBound, to: range.upperBound, by: 256) {
            let block = start..<min(start + 256, range.upperBound)
            for tree in trees {
              tree.add(to: sums, width: width, cells: cells, rows: block)
            }
          }
        }
      }
      for row in 0..<rows {
        for score in 0..<width {
          target[row * width + score] = baseScores[score] + scale * target[row * width + score]
        }
      }
    }
  }
}

extension TreeEnsemble.Link {
  /// Predictions from the scores of one row.
  public func predictions(_ scores: [Double]) -> [Double] {
    switch self {
    case .identity: return scores
    case .logistic(let slope):
      let p = 1 / (1 + exp(-slope * scores[0]))
      return [1 - p, p]
    case .logisticEach(let slope): return scores.map { 1 / (1 + exp(-slope * $0)) }
    case .softmax:
      let largest = scores.max() ?? 0
      let powers = scores.map { exp($0 - largest) }
      let sum = powers.reduce(0, +)
      return powers.map { $0 / sum }
    case .exponential: return scores.map { exp($0) }
    case .signedSquare: return scores.map { $0 * abs($0) }
    case .complement: return [1 - scores[0], scores[0]]
    case .step: return scores[0] > 0 ? [0, 1] : [1, 0]
    }
  }
}

extension Tree {
  /// Adds the leaf values of rows `rows` to their sums.
  ///
  /// `cells` is column-major `[features, rowCount]`, `sums` is `[rowCount, width]`.
  func add(
    to sums: SendablePointer<Double>, width: Int, cells: FeatureCells, rows: Range<Int>
  ) {
    let sums = sums.base
    nodes.withUnsafeBufferPointer { nodes in
      leafValues.withUnsafeBufferPointer { leafValues in
        for row in rows {
          var node = nodes[0]
          let own = cells.base + cells.place(of: row)
          while node.feature >= 0 {
            let value = own[Int(node.feature) * cells.storedRowCount]
            node = nodes[Int(goesLeft(value, at: node) ? node.left : node.right)]
          }
          if let output {
            sums[row * width + output] += leafValues[Int(node.left)]
          } else {
            for score in 0..<width { sums[row * width + score] += leafValues[Int(node.left) + score] }
          }
        }
      }
    }
  }
}
