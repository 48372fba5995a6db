// One boosted tree, level by level.

import CKernels
import Tables
import Tensors

/// Grows one tree on the gradients of one score.
struct LevelGrower {
  private let features: QuantisedFeatures
  /// The features that splits may ask about, in rising order.
  private let asked: [Int]
  private let options: BoostingOptions
  private let minimumLeafWeight: Double
  /// Rows that are not in a leaf yet, in rising order, and the open node each lies in.
  private var rows: [Int32]
  private var slots: [UInt16]
  /// Pairs (gradient, hessian) of those rows.
  private var gradients: [Float]
  private var open: [OpenNode]
  private var assembly = TreeAssembly()
  private var leafOfRow: [Int32]

  private struct OpenNode {
    var node: Int
    var gradient: Double
    var hessian: Double
  }

  /// The best split of one open node.
  private struct Candidate {
    var gain: Double
    var feature: Int
    /// Bins on the left.
    var left: BinSet
    var missingGoesLeft: Bool
  }

  private enum BinSet {
    case upTo(Int)
    case members([Int])
  }

  init(
    _ features: QuantisedFeatures, asking asked: [Int], gradients: consuming [Float],
    options: BoostingOptions, minimumLeafWeight: Double
  ) {
    self.features = features
    self.asked = asked
    self.minimumLeafWeight = minimumLeafWeight
    self.options = options
    rows = (0..<Int32(features.rowCount)).map { $0 }
    slots = [UInt16](repeating: 0, count: features.rowCount)
    leafOfRow = [Int32](repeating: 0, count: features.rowCount)
    var (g, h) = (0.0, 0.0)
    for row in 0..<features.rowCount {
      g += Double(gradients[2 * row])
      h += Double(gradients[2 * row + 1])
    }
    self.gradients = gradients
    open = []
    open.append(OpenNode(node: assembly.addNode(cover: h), gradient: g, hessian: h))
  }

  /// Grows to the end.
  /// - Returns: the tree, and for every row the index of its leaf's value.
  mutating func grow(output: Int) -> (Tree, leafOfRow: [Int32]) {
    for _ in 0..<options.maximumDepth where !open.isEmpty { split(bestCandidates()) }
    split([Candidate?](repeating: nil, count: open.count))
    return (assembly.tree(output: output), leafOfRow)
  }

  private func leafValue(_ node: OpenNode) -> Double {
    -options.learningRate * node.gradient / (node.hessian + options.regularisation)
  }

  /// The best split of every open node over the features asked about; ties go to the earlier feature.
  private func bestCandidates() -> [Candidate?] {
    let count = asked.count
    let pieces = min(count, Threads.count * 8)
    guard pieces > 0, !open.isEmpty else { return [Candidate?](repeating: nil, count: open.count) }
    let found = [[Candidate?]](unsafeUninitializedCapacity: pieces) { buffer, initialized in
      initialized = pieces
      buffer.initialize(repeating: [])
      guard let base = buffer.baseAddress else { return }
      let shared = SendablePointer(base)
      parallelFor(pieces) { piece in
        shared.base[piece] = bestCandidates(count * piece / pieces..<count * (piece + 1) / pieces)
      }
    }
    return open.indices.map { slot in
      found.reduce(nil as Candidate?) { best, piece in
        guard let own = piece[slot] else { return best }
        return own.gain > best?.gain ?? -1 ? own : best
      }
    }
  }

  private func bestCandidates(_ range: Range<Int>) -> [Candidate?] {
    var best = [Candidate?](repeating: nil, count: open.count)
    let everyRow = rows.count == features.rowCount
    let parents = open.map { $0.gradient * $0.gradient / ($0.hessian + options.regularisation) }
    let histogram = UnsafeMutablePointer<Double>.allocate(capacity: open.count * 256 * 2)
    defer { histogram.deallocate() }
    features.codes.withUnsafeBufferPointer { codes in
      rows.withUnsafeBufferPointer { rows in
        slots.withUnsafeBufferPointer { slots in
          gradients.withUnsafeBufferPointer { gradients in
            guard let codes = codes.baseAddress else { return }
            for feature in asked[range] {
              let bins = features.binCounts[feature]
              guard bins > 1 || features.kinds[feature] == .numeric else { continue }
              let width = bins + 1
              histogram.update(repeating: 0, count: open.count * width * 2)
              ck_histogram(
                codes + feature * features.rowCount, everyRow ? nil : rows.baseAddress, slots.baseAddress,
                gradients.baseAddress, rows.count, width, histogram)
              for slot in open.indices {
                let own = histogram + slot * width * 2
                let floor = max(best[slot]?.gain ?? 1e-9, 1e-9) + parents[slot]
                if features.categories[feature] != nil {
                  if var candidate = categoryCut(feature, own, bins, over: floor) {
                    candidate.gain -= parents[slot]
                    best[slot] = candidate
                  }
                  continue
                }
                var place = 0
                var missingLeft: Int32 = 0
                let gain = ck_best_cut(
                  own, bins, options.regularisation, minimumLeafWeight, &place, &missingLeft)
                if gain > floor {
                  best[slot] = Candidate(
                    gain: gain - parents[slot], feature: feature, left: .upTo(place),
                    missingGoesLeft: missingLeft != 0)
                }
              }
            }
          }
        }
      }
    }
    return best
  }

  /// The best set of categories: they are put in the order of their own leaf values, and the order is cut.
  ///
  /// Categories of hardly any weight are left out of the set: ten more units of hessian hold their order back.
  private func categoryCut(
    _ feature: Int, _ histogram: UnsafeMutablePointer<Double>, _ bins: Int, over floor: Double
  ) -> Candidate? {
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
  ) -> Candidate? {
    var ordered = [Double](repeating: 0, count: 2 * order.count + 2)
    for (index, bin) in (order + [bins]).enumerated() {
      ordered[2 * index] = histogram[2 * bin]
      ordered[2 * index + 1] = histogram[2 * bin + 1]
    }
    var place = 0
    var missingLeft: Int32 = 0
    let gain = ck_best_cut(
      ordered, order.count, options.regularisation, minimumLeafWeight, &place, &missingLeft)
    guard gain > floor else { return nil }
    let members = order.prefix(place + 1).filter { $0 != features.rareBins[feature] }.sorted()
    return members.isEmpty
      ? nil
      : Candidate(gain: gain, feature: feature, left: .members(members), missingGoesLeft: missingLeft != 0)
  }

  /// Splits open nodes that have a candidate, closes the others as leaves, and moves their rows.
  private mutating func split(_ candidates: [Candidate?]) {
    var children: [OpenNode] = []
    // For each slot: the children's slots, or the leaf's value index.
    var moves: [(left: Int, right: Int, goesLeft: [Bool])?] = []
    var leaves = [Int32](repeating: 0, count: open.count)
    for (slot, node) in open.enumerated() {
      guard let candidate = candidates[slot] else {
        leaves[slot] = Int32(assembly.leafValues.count)
        assembly.makeLeaf(node.node, CollectionOfOne(leafValue(node)))
        moves.append(nil)
        continue
      }
      let (left, right) = (assembly.addNode(cover: 0), assembly.addNode(cover: 0))
      assembly.makeSplit(
        node.node, feature: candidate.feature, question(candidate),
        missingGoesLeft: candidate.missingGoesLeft, left: left, right: right)
      moves.append((children.count, children.count + 1, goesLeft(candidate)))
      children.append(OpenNode(node: left, gradient: 0, hessian: 0))
      children.append(OpenNode(node: right, gradient: 0, hessian: 0))
    }
    var kept = 0
    for index in rows.indices {
      let row = Int(rows[index])
      let slot = Int(slots[index])
      guard let move = moves[slot], let candidate = candidates[slot] else {
        leafOfRow[row] = leaves[slot]
        continue
      }
      let code = Int(features.codes[candidate.feature * features.rowCount + row])
      let child = move.goesLeft[code] ? move.left : move.right
      let (g, h) = (gradients[2 * index], gradients[2 * index + 1])
      children[child].gradient += Double(g)
      children[child].hessian += Double(h)
      rows[kept] = rows[index]
      slots[kept] = UInt16(child)
      gradients[2 * kept] = g
      gradients[2 * kept + 1] = h
      kept += 1
    }
    rows.removeLast(rows.count - kept)
    slots.removeLast(slots.count - kept)
    gradients.removeLast(gradients.count - 2 * kept)
    for child in children { assembly.setCover(child.node, child.hessian) }
    open = children
  }

  private func question(_ candidate: Candidate) -> TreeAssembly.Question {
    switch candidate.left {
    case .members(let bins):
      return .categories(bins.flatMap { features.categories[candidate.feature]?[$0] ?? [] })
    case .upTo(let bin):
      // The last bin has no cut: all known cells go left, the missing ones right.
      let isLast = bin + 1 >= features.binCounts[candidate.feature]
      return .atMost(
        isLast ? .greatestFiniteMagnitude : features.cuts[features.cutStarts[candidate.feature] + bin])
    }
  }

  /// Which codes go left.
  private func goesLeft(_ candidate: Candidate) -> [Bool] {
    let bins = features.binCounts[candidate.feature]
    var result = [Bool](repeating: false, count: 256)
    switch candidate.left {
    case .upTo(let last): for bin in 0...last { result[bin] = true }
    case .members(let members): for bin in members { result[bin] = true }
    }
    result[bins] = candidate.missingGoesLeft
    return result
  }
}
