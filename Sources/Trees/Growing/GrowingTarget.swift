// What trees of a forest predict, in one form: a vector a row, of which leaves hold the mean.
//
// Classes are vectors with a single 1. The gain of a split is then the same for both: Σ‖S‖²/n over the sides, which for
// classes is what lowers Gini's impurity most, and for quantities what lowers the variance most.

import Tables

/// Targets of a forest: class indices, or vectors of quantities.
struct GrowingTarget: Sendable {
  /// The class of each row; empty for quantities.
  let labels: [Int32]
  /// `[rows, width]`; empty for classes.
  let values: [Double]
  /// The number of classes, or of quantities.
  let width: Int

  init(_ target: Target) {
    switch target {
    case .classes(let labels, let names):
      self.labels = labels.map { Int32($0) }
      values = []
      width = names.count
    case .values(let values):
      labels = []
      self.values = values.map(Double.init)
      width = 1
    }
  }

  /// The targets of some rows.
  func selecting(_ rows: ArraySlice<Int32>) -> GrowingTarget {
    labels.isEmpty
      ? GrowingTarget(
        vectors: rows.flatMap { values[Int($0) * width..<(Int($0) + 1) * width] }, width: width)
      : GrowingTarget(labels: rows.map { labels[Int($0)] }, width: width)
  }

  private init(labels: [Int32], width: Int) {
    self.labels = labels
    values = []
    self.width = width
  }

  /// Vectors of quantities, such as a black box's probabilities: `[rows, width]`.
  init(vectors: [Double], width: Int) {
    labels = []
    values = vectors
    self.width = width
  }
}

/// The sums of some rows' target vectors, and how many rows they are.
struct TargetSums {
  let base: UnsafeMutablePointer<Double>
  let width: Int
  var count = 0.0
  /// Σ base[k]², kept up to date for classes.
  var squares = 0.0

  init(width: Int) {
    base = .allocate(capacity: width)
    self.width = width
    base.update(repeating: 0, count: width)
  }

  func deallocate() { base.deallocate() }

  mutating func clear() {
    base.update(repeating: 0, count: width)
    count = 0
    squares = 0
  }

  /// The sums of so many rows of each of two classes.
  mutating func set(first: Int, second: Int) {
    (base[0], base[1]) = (Double(first), Double(second))
    squares = base[0] * base[0] + base[1] * base[1]
    count = Double(first + second)
  }

  @inline(__always)
  mutating func add(label: Int) {
    let old = base[label]
    base[label] = old + 1
    squares += 2 * old + 1
    count += 1
  }

  @inline(__always)
  mutating func add(vector: UnsafePointer<Double>) {
    squares = 0
    for index in 0..<width {
      let sum = base[index] + vector[index]
      base[index] = sum
      squares += sum * sum
    }
    count += 1
  }

  /// Σ‖S‖²/n of these rows and of the others among `whole`.
  @inline(__always)
  func gain(among whole: TargetSums) -> Double {
    let rest = whole.count - count
    guard count > 0, rest > 0 else { return -1 }
    var others = 0.0
    for index in 0..<width {
      let other = whole.base[index] - base[index]
      others += other * other
    }
    return squares / count + others / rest
  }
}
