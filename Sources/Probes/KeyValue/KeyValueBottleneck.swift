// A bottleneck of fixed keys with values that are learned (Träuble et al. 2022, arXiv 2207.11240).

import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The size of a bottleneck, and how its values are learned.
public struct KeyValueSettings: Sendable, Equatable {
  /// Codebooks, each with a random projection of its own: C in the paper.
  public var codebooks = 64
  /// Keys of a codebook, at most; there are never more than one for each four rows that set them.
  public var keys = 64
  /// The width that rows are projected to: d_key.
  public var keyWidth = 8
  /// Step of a value towards its example's class; each codebook's value takes it whole.
  public var learningRate = 0.3
  /// Passes over the examples of a phase.
  public var epochs = 10
  /// Seed of projections, keys and the order of examples.
  public var seed: UInt64 = 0

  /// The usual settings.
  public init() {}
}

/// Keys that were set without labels and stay; values that say which class.
///
/// A row is projected once for each codebook, and the nearest key's value is taken; the mean of the values over codebooks
/// holds the classes' scores. An example changes the values of its own keys only, so that classes that come later leave
/// what others have learned alone, as far as they have keys of their own.
public struct KeyValueBottleneck: Classifier {
  /// The number of classes.
  public let classCount: Int
  /// `[codebook · keyWidth, width]`.
  private let projections: DoubleMatrix
  /// `[codebook][key, keyWidth]`.
  private let keys: [DoubleMatrix]
  /// `[codebook][key, class]`.
  public private(set) var values: [DoubleMatrix]
  private let settings: KeyValueSettings
  private var generator: SeededGenerator

  /// Sets keys by the rows, whose classes it does not see; values are zero.
  public init(keysOf rows: DoubleMatrix, classCount: Int, _ settings: KeyValueSettings = KeyValueSettings()) {
    precondition(classCount >= 2 && settings.codebooks > 0 && settings.keys > 0 && settings.keyWidth > 0)
    var generator = SeededGenerator(seed: settings.seed, stream: "key-value bottleneck")
    let scale = 1 / Double(max(1, rows.columns)).squareRoot()
    let projections = DoubleMatrix(
      (0..<settings.codebooks * settings.keyWidth * rows.columns).map { _ in generator.normal() * scale },
      rows: settings.codebooks * settings.keyWidth, columns: rows.columns)
    let projected = doubleProduct(rows, projections, transposingB: true)
    let count = max(1, min(settings.keys, rows.rows / 4))
    keys = (0..<settings.codebooks).map { codebook in
      kMeansCentres(Self.part(codebook, of: projected, settings.keyWidth), count: count, &generator)
    }
    values = keys.map { DoubleMatrix(rows: $0.rows, columns: classCount) }
    self.projections = projections
    self.classCount = classCount
    self.settings = settings
    self.generator = generator
  }

  private static func part(_ codebook: Int, of projected: DoubleMatrix, _ width: Int) -> DoubleMatrix {
    DoubleMatrix(
      (0..<projected.rows).flatMap { row in
        (0..<width).map { projected.values[row * projected.columns + codebook * width + $0] }
      }, rows: projected.rows, columns: width)
  }

  /// The key of each row in each codebook `[codebook][row]`.
  public func chosenKeys(_ rows: DoubleMatrix) -> [[Int]] {
    let projected = doubleProduct(rows, projections, transposingB: true)
    return keys.indices.map { codebook in
      nearestCentres(Self.part(codebook, of: projected, settings.keyWidth), keys[codebook])
    }
  }

  /// Learns examples, in random order several times over: what was learned before stays but for the keys they share.
  public mutating func learn(_ rows: DoubleMatrix, _ labels: [Int]) {
    precondition(rows.rows == labels.count)
    let chosen = chosenKeys(rows)
    for _ in 0..<settings.epochs {
      for row in generator.permutation(of: labels.count) {
        let scores = scores(of: chosen.map { $0[row] })
        let most = scores.max() ?? 0
        let exponentials = scores.map { exp($0 - most) }
        let sum = exponentials.reduce(0, +)
        for codebook in keys.indices {
          let start = chosen[codebook][row] * classCount
          for index in 0..<classCount {
            let slope = exponentials[index] / sum - (index == labels[row] ? 1 : 0)
            values[codebook].values[start + index] -= settings.learningRate * slope
          }
        }
      }
    }
  }

  private func scores(of chosen: [Int]) -> [Double] {
    var sums = [Double](repeating: 0, count: classCount)
    for (codebook, key) in chosen.enumerated() {
      let start = key * classCount
      for index in 0..<classCount { sums[index] += values[codebook].values[start + index] }
    }
    return sums.map { $0 / Double(max(1, keys.count)) }
  }

  /// The mean value over codebooks of each row's keys.
  public func scores(_ rows: DoubleMatrix) -> DoubleMatrix {
    let chosen = chosenKeys(rows)
    return DoubleMatrix(
      (0..<rows.rows).flatMap { row in scores(of: chosen.map { $0[row] }) }, rows: rows.rows,
      columns: classCount)
  }
}

/// A key that decided, over some rows.
public struct DecidingKey: Sendable, Equatable {
  /// The codebook.
  public var codebook: Int
  /// The key within it.
  public var key: Int
  /// The class that its value speaks for.
  public var label: Int
  /// Its share of all margins by which the rows' classes won over the next best.
  public var share: Double
  /// Rows that chose it, by index.
  public var rows: [Int]
}

extension KeyValueBottleneck {
  /// The keys that decided most: each adds its part of the margin between the class that wins and the next best, and the
  /// parts of a row's keys sum to the row's margin.
  public func decidingKeys(_ rows: DoubleMatrix, count: Int) -> [DecidingKey] {
    let chosen = chosenKeys(rows)
    var margins: [[Int]: Double] = [:]
    var members: [[Int]: [Int]] = [:]
    var total = 0.0
    for row in 0..<rows.rows {
      let scores = scores(of: chosen.map { $0[row] })
      let order = scores.indices.sorted { scores[$0] > scores[$1] }
      total += scores[order[0]] - scores[order[1]]
      for codebook in keys.indices {
        let key = chosen[codebook][row]
        let value = Array(values[codebook].row(key))
        let part = (value[order[0]] - value[order[1]]) / Double(keys.count)
        margins[[codebook, key], default: 0] += part
        members[[codebook, key], default: []].append(row)
      }
    }
    guard total > 0 else { return [] }
    return margins.sorted { ($0.value, $1.key[0], $1.key[1]) > ($1.value, $0.key[0], $0.key[1]) }.prefix(
      count
    ).map {
      name, margin in
      let value = Array(values[name[0]].row(name[1]))
      let label = value.indices.reduce(0) { value[$1] > value[$0] ? $1 : $0 }
      return DecidingKey(
        codebook: name[0], key: name[1], label: label, share: margin / total, rows: members[name] ?? [])
    }
  }
}
