// Where to cut a histogram of gradients: what every way of growing boosted trees shares.

import CKernels

/// The best split of one node.
struct GradientCut: Sendable {
  /// What a split parts.
  enum BinSet: Sendable {
    case upTo(Int)
    case members([Int])
  }

  /// What the two sides come to; what the node came to by itself is not taken off, so that equal cuts are equal to the bit.
  var gain: Double
  var feature: Int
  /// Bins on the left.
  var left: BinSet
  var missingGoesLeft: Bool
}

/// Finds cuts of histograms `[bins + 1, 2]` of (gradient, hessian), whose last pair is the missing cells'.
struct GradientCuts: Sendable {
  let features: QuantisedFeatures
  let shape: BoostedTreeShape
  /// The variance of gradients per unit of hessian.
  let noise: Double

  /// What a cut must come to above its node.
  static let leastGain = 1e-9

  /// The best cut of one feature's histogram, if its gain is above `floor`.
  func best(_ feature: Int, _ histogram: UnsafeMutablePointer<Double>, over floor: Double) -> GradientCut? {
    let bins = features.binCounts[feature]
    if features.categories[feature] != nil { return categoryCut(feature, histogram, bins, over: floor) }
    var place = 0
    var missingLeft: Int32 = 0
    let gain = ck_best_cut(
      histogram, bins, shape.regularisation, shape.minimumLeafWeight, &place, &missingLeft)
    guard gain > floor else { return nil }
    return GradientCut(gain: gain, feature: feature, left: .upTo(place), missingGoesLeft: missingLeft != 0)
  }

  /// The best set of categories: they are put in the order of their own leaf values, and the order is cut.
  ///
  /// Categories of hardly any weight are left out of the set: ten more units of hessian hold their order back.
  private func categoryCut(
    _ feature: Int, _ histogram: UnsafeMutablePointer<Double>, _ bins: Int, over floor: Double
  ) -> GradientCut? {
    let present = (0..<bins).filter { histogram[2 * $0 + 1] > 0 }
    guard present.count > 1 || (present.count == 1 && histogram[2 * bins + 1] > 0) else { return nil }
    let rare = features.rareBins[feature]
    let sorted = present.filter { $0 != rare }.sorted {
      let (a, b) = (
        histogram[2 * $0] / (histogram[2 * $0 + 1] + 10), histogram[2 * $1] / (histogram[2 * $1 + 1] + 10)
      )
      return a == b ? $0 < $1 : a < b
    }
    guard let rare, present.contains(rare) else {
      return categoryCut(feature, histogram, sorted, bins, over: floor)
    }
    // Rare categories stay on the "no" side: the set is one of those that rise, or of those that fall.
    let rising = categoryCut(feature, histogram, sorted + [rare], bins, over: floor)
    let falling = categoryCut(
      feature, histogram, sorted.reversed() + [rare], bins, over: rising?.gain ?? floor)
    return falling ?? rising
  }

  /// The best cut of categories in a given order.
  private func categoryCut(
    _ feature: Int, _ histogram: UnsafeMutablePointer<Double>, _ order: [Int], _ bins: Int, over floor: Double
  ) -> GradientCut? {
    var ordered = [Double](repeating: 0, count: 2 * order.count + 2)
    for (index, bin) in (order + [bins]).enumerated() {
      ordered[2 * index] = histogram[2 * bin]
      ordered[2 * index + 1] = histogram[2 * bin + 1]
    }
    var place = 0
    var missingLeft: Int32 = 0
    let gain =
      ck_best_cut(
        ordered, order.count, shape.regularisation, shape.minimumLeafWeight, &place, &missingLeft)
      - gainOfChance(order.count)
    guard gain > floor else { return nil }
    let members = order.prefix(place + 1).filter { $0 != features.rareBins[feature] }.sorted()
    return members.isEmpty
      ? nil
      : GradientCut(
        gain: gain, feature: feature, left: .members(members), missingGoesLeft: missingLeft != 0)
  }

  /// What the best cut of that many categories gains where they mean nothing.
  ///
  /// Means of pure noise, put in order and cut in the middle, are ±√(2/π) standard deviations from 0 on average: each
  /// category brings 2/π of the noise. Two leave nothing to choose.
  private func gainOfChance(_ categories: Int) -> Double {
    2 / Double.pi * Double(max(0, categories - 2)) * noise
  }

  /// The question that a tree asks for a cut.
  func question(_ cut: GradientCut) -> TreeAssembly.Question {
    switch cut.left {
    case .members(let bins):
      return .categories(bins.flatMap { features.categories[cut.feature]?[$0] ?? [] })
    case .upTo(let bin):
      // The last bin has no cut: all known cells go left, the missing ones right.
      let isLast = bin + 1 >= features.binCounts[cut.feature]
      return .atMost(isLast ? .greatestFiniteMagnitude : features.cuts[features.cutStarts[cut.feature] + bin])
    }
  }

  /// 1 for every code that goes left, 256 codes.
  func goesLeft(_ cut: GradientCut) -> [UInt8] {
    var result = [UInt8](repeating: 0, count: 256)
    switch cut.left {
    case .upTo(let last): for bin in 0...last { result[bin] = 1 }
    case .members(let members): for bin in members { result[bin] = 1 }
    }
    result[features.binCounts[cut.feature]] = cut.missingGoesLeft ? 1 : 0
    return result
  }
}
