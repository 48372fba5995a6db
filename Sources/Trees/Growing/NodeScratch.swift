// The working memory of one growing tree: a node's cells, codes and targets gathered side by side, and its sums.

import CKernels
import Tables
import Tensors

/// Buffers that every node of a tree uses in turn.
final class NodeScratch {
  let width: Int
  /// Rows on their way to the right child.
  let moved: UnsafeMutablePointer<Int32>
  private let cells: UnsafeMutablePointer<Float>
  private let codes: UnsafeMutablePointer<UInt8>
  private let labels: UnsafeMutablePointer<Int32>
  private let vectors: UnsafeMutablePointer<Double>
  private let keys: UnsafeMutablePointer<UInt32>
  private let histogram: UnsafeMutablePointer<Double>
  private let binCounts: UnsafeMutablePointer<Double>
  private(set) var whole: TargetSums
  private(set) var left: TargetSums
  /// Whether all rows of the node have one target.
  private(set) var isPure = false
  private var hasLabels = false

  init(rows: Int, width: Int) {
    self.width = width
    moved = .allocate(capacity: rows)
    cells = .allocate(capacity: rows)
    codes = .allocate(capacity: rows)
    labels = .allocate(capacity: rows)
    vectors = .allocate(capacity: rows * width)
    keys = .allocate(capacity: rows)
    histogram = .allocate(capacity: 256 * width)
    binCounts = .allocate(capacity: 256)
    whole = TargetSums(width: width)
    left = TargetSums(width: width)
  }

  func deallocate() {
    moved.deallocate()
    cells.deallocate()
    codes.deallocate()
    labels.deallocate()
    vectors.deallocate()
    keys.deallocate()
    histogram.deallocate()
    binCounts.deallocate()
    whole.deallocate()
    left.deallocate()
  }

  /// The node's mean target.
  var means: [Double] { (0..<width).map { whole.base[$0] / max(1, whole.count) } }

  /// Gathers the targets of a node's rows and sums them.
  func load(_ rows: [Int32], _ range: Range<Int>, _ target: GrowingTarget) {
    whole.clear()
    isPure = true
    hasLabels = !target.labels.isEmpty
    if !hasLabels {
      for (place, index) in range.enumerated() {
        let first = Int(rows[index]) * width
        for score in 0..<width {
          let value = target.values[first + score]
          vectors[place * width + score] = value
          if value != vectors[score] { isPure = false }
        }
        whole.add(vector: vectors + place * width)
      }
    } else if width == 2 {
      var second = 0
      for (place, index) in range.enumerated() {
        let label = target.labels[Int(rows[index])]
        labels[place] = label
        second += Int(label)
      }
      isPure = second == 0 || second == range.count
      whole.set(first: range.count - second, second: second)
    } else {
      for (place, index) in range.enumerated() {
        let label = target.labels[Int(rows[index])]
        labels[place] = label
        if label != labels[0] { isPure = false }
        whole.add(label: Int(label))
      }
    }
  }

  /// Gathers a feature's cells; missing ones are NaN and count for neither end.
  func gather(
    _ feature: Int, _ rows: [Int32], _ range: Range<Int>, _ features: FeatureCells
  ) -> (low: Float, high: Float, missing: Int) {
    rows.withUnsafeBufferPointer { rows in
      guard let base = rows.baseAddress else { return (.infinity, -.infinity, 0) }
      var (low, high) = (Float.infinity, -Float.infinity)
      let missing = ck_gather_cells(
        features.base + feature * features.storedRowCount, features.places, base + range.lowerBound,
        range.count, cells, &low, &high)
      return (low, high, missing)
    }
  }

  /// Sums the rows whose cell is at most `threshold` into `left`.
  func sideByThreshold(_ count: Int, _ threshold: Float, _ missingGoesLeft: Bool) {
    var sums = cleared()
    if hasLabels, width == 2 {
      var second = 0
      let count = ck_left_of_two(cells, labels, count, threshold, missingGoesLeft ? 1 : 0, &second)
      sums.set(first: count - second, second: second)
      left = sums
      return
    }
    for place in 0..<count {
      let value = cells[place]
      if value <= threshold || (missingGoesLeft && value.isNaN) { add(place, to: &sums) }
    }
    left = sums
  }

  /// Sums the rows whose category is among `members` into `left`.
  func sideByCategories(_ count: Int, _ members: [Int], _ missingGoesLeft: Bool) {
    var sums = cleared()
    let set = Set(members)
    for place in 0..<count {
      let value = cells[place]
      if value.isNaN ? missingGoesLeft : set.contains(Int(value)) { add(place, to: &sums) }
    }
    left = sums
  }

  /// `left`'s memory with nothing summed yet. Sums are kept in a local while a loop runs: a property of a class is
  /// checked for exclusive access at every use.
  private func cleared() -> TargetSums {
    var sums = left
    sums.clear()
    return sums
  }

  @inline(__always)
  private func add(_ place: Int, to sums: inout TargetSums) {
    if hasLabels {
      sums.add(label: Int(labels[place]))
    } else {
      sums.add(vector: vectors + place * width)
    }
  }

  @inline(__always)
  private func add(bin: Int, to sums: inout TargetSums) {
    sums.add(vector: histogram + bin * width)
    sums.count += binCounts[bin] - 1
  }

  /// A random half of the categories in the node, at least one and not all (unless there is but one); rare ones are never
  /// among them.
  func randomCategories(_ count: Int, rare: Set<Int>?, _ generator: inout SeededGenerator) -> [Int] {
    var present = Set((0..<count).lazy.filter { !self.cells[$0].isNaN }.map { Int(self.cells[$0]) }).sorted()
    if let rare {
      let frequent = present.filter { !rare.contains($0) }
      // All of the frequent ones against the rare is a set too.
      if frequent.count < present.count, !frequent.isEmpty {
        let order = generator.permutation(of: frequent.count)
        return order.prefix(1 + generator.index(below: frequent.count)).map { frequent[$0] }.sorted()
      }
      present = frequent
    }
    guard present.count > 1 else { return present }
    let order = generator.permutation(of: present.count)
    let taken = 1 + generator.index(below: present.count - 1)
    return order.prefix(taken).map { present[$0] }.sorted()
  }

  /// Gathers a feature's codes.
  /// - Returns: how many are missing.
  func gatherCodes(
    _ feature: Int, _ rows: [Int32], _ range: Range<Int>, _ quantised: QuantisedFeatures
  ) -> Int {
    rows.withUnsafeBufferPointer { rows in
      let values = quantised.codes.column(feature)
      let missingCode = UInt8(quantised.binCounts[feature])
      var missing = 0
      for (place, index) in range.enumerated() {
        let code = values[Int(rows[index])]
        codes[place] = code
        if code == missingCode { missing += 1 }
      }
      return missing
    }
  }

  func codesAreConstant(_ count: Int) -> Bool {
    for place in 1..<max(1, count) where codes[place] != codes[0] { return false }
    return true
  }

  /// A cut of bins in some order: the last place on the left.
  struct Cut {
    var place: Int
    var gain: Double
    var missingGoesLeft: Bool
  }

  /// The best cut between bins.
  func bestBin(_ count: Int, _ bins: Int, missing: Int, least: Double, over floor: Double) -> Cut? {
    var search = CutSearch(whole: whole, least: least, floor: floor)
    var sums = left
    // Few rows: sort them. Many: a histogram.
    if count * 4 < (bins + 1) * min(width, 8) {
      for place in 0..<count { keys[place] = UInt32(codes[place]) << 24 | UInt32(place) }
      var sorted = UnsafeMutableBufferPointer(start: keys, count: count)
      sorted.sort()
      let known = count - missing
      // Missing cells have the largest code: they stand at the end, right of every cut.
      for direction in 0..<(missing > 0 ? 2 : 1) {
        sums.clear()
        if direction == 1 {
          for place in known..<count { add(Int(sorted[place] & 0xff_ffff), to: &sums) }
        }
        for place in 0..<known {
          add(Int(sorted[place] & 0xff_ffff), to: &sums)
          let isEnd = place + 1 == known
          guard isEnd || sorted[place] >> 24 != sorted[place + 1] >> 24 else { continue }
          search.consider(Int(sorted[place] >> 24), sums, missingGoesLeft: direction == 1)
        }
      }
      return search.best
    }
    fillHistogram(count, bins)
    for direction in 0..<(missing > 0 ? 2 : 1) {
      sums.clear()
      if direction == 1 { add(bin: bins, to: &sums) }
      for bin in 0..<bins where binCounts[bin] > 0 {
        add(bin: bin, to: &sums)
        search.consider(bin, sums, missingGoesLeft: direction == 1)
      }
    }
    return search.best
  }

  /// The best cut met so far.
  private struct CutSearch {
    let whole: TargetSums
    let least: Double
    let floor: Double
    /// What every cut's gain is lessened by.
    var charge = 0.0
    var best: Cut?

    @inline(__always)
    mutating func consider(_ place: Int, _ sums: TargetSums, missingGoesLeft: Bool) {
      guard sums.count >= least, whole.count - sums.count >= least else { return }
      let gain = sums.gain(among: whole) - charge
      // A node that is not pure is split even where no cut lowers its impurity, as long as rows part.
      if gain > best?.gain ?? (floor - NodeScratch.slack) {
        best = Cut(place: place, gain: gain, missingGoesLeft: missingGoesLeft)
      }
    }
  }

  /// What rounding may take from the gain of a cut that neither gains nor loses.
  static let slack = 1e-12

  private func fillHistogram(_ count: Int, _ bins: Int) {
    histogram.update(repeating: 0, count: (bins + 1) * width)
    binCounts.update(repeating: 0, count: bins + 1)
    if !hasLabels {
      for place in 0..<count {
        let bin = Int(codes[place])
        binCounts[bin] += 1
        for score in 0..<width { histogram[bin * width + score] += vectors[place * width + score] }
      }
    } else {
      for place in 0..<count {
        let bin = Int(codes[place])
        binCounts[bin] += 1
        histogram[bin * width + Int(labels[place])] += 1
      }
    }
  }

  /// What the best cut of that many categories, ordered by one output, hardly ever gains where they mean nothing: two
  /// standard deviations above its mean.
  ///
  /// Means of pure noise, put in order and cut in the middle, are ±√(2/π) standard deviations from 0 on average: each
  /// category brings 2/π of the output's variance, and of what other outputs have in common with it. The deviation of
  /// their sum grows with the root of their number. Two categories leave nothing to choose.
  private func gainOfChance(_ categories: Int, _ count: Int, orderedBy output: Int) -> Double {
    guard categories > 2 else { return 0 }
    let means = means
    var products = [Double](repeating: 0, count: width)
    if hasLabels {
      products[output] = means[output]
    } else {
      for place in 0..<count {
        let vector = vectors + place * width
        for other in 0..<width { products[other] += vector[output] * vector[other] }
      }
      for other in 0..<width { products[other] /= Double(count) }
    }
    let shared = (0..<width).map { products[$0] - means[output] * means[$0] }
    guard shared[output] > 0 else { return 0 }
    let variance = shared.reduce(0) { $0 + $1 * $1 } / shared[output]
    let free = Double(categories - 2)
    return (2 / Double.pi * free + 2 * free.squareRoot()) * variance
  }

  /// The best set of categories: ordered by their mean of one output, and the order is cut. With two classes or one
  /// quantity that finds the best set of all; with more outputs a random one orders them. It must gain more than chance
  /// would.
  func bestCategories(
    _ count: Int, _ bins: Int, missing: Int, rare: Int?, _ generator: inout SeededGenerator, least: Double,
    over floor: Double
  ) -> (bins: [Int], cut: Cut)? {
    fillHistogram(count, bins)
    let output = width <= 2 ? width - 1 : generator.index(below: width)
    let present = (0..<bins).filter { binCounts[$0] > 0 }
    let sorted = present.filter { $0 != rare }.sorted {
      let (a, b) = (
        histogram[$0 * width + output] / binCounts[$0], histogram[$1 * width + output] / binCounts[$1]
      )
      return a == b ? $0 < $1 : a < b
    }
    let charge = gainOfChance(present.count, count, orderedBy: output)
    // Rare categories stay on the "no" side: the set is one of those that rise, or of those that fall.
    let last = present.filter { $0 == rare }
    var best: (bins: [Int], cut: Cut)?
    for order in last.isEmpty ? [sorted] : [sorted + last, sorted.reversed() + last] {
      var search = CutSearch(whole: whole, least: least, floor: floor, charge: charge)
      var sums = left
      for direction in 0..<(missing > 0 ? 2 : 1) {
        sums.clear()
        if direction == 1 { add(bin: bins, to: &sums) }
        for (place, bin) in order.enumerated() where bin != rare {
          add(bin: bin, to: &sums)
          search.consider(place, sums, missingGoesLeft: direction == 1)
        }
      }
      if let cut = search.best, cut.gain > best?.cut.gain ?? -.infinity {
        best = (order.prefix(cut.place + 1).sorted(), cut)
      }
    }
    return best
  }
}
