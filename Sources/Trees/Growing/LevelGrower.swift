// One boosted tree, level by level: for tables of many features or few rows.

import CKernels
import Tables
import Tensors

/// Grows one tree on the gradients of one score.
struct LevelGrower {
  private let features: QuantisedFeatures
  /// The features that splits may ask about, in rising order.
  private let asked: [Int]
  private let shape: BoostedTreeShape
  private let cuts: GradientCuts
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

  init(
    _ features: QuantisedFeatures, asking asked: [Int], gradients: consuming [Float],
    shape: BoostedTreeShape, noise: Double
  ) {
    self.features = features
    self.asked = asked
    self.shape = shape
    cuts = GradientCuts(features: features, shape: shape, noise: noise)
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
    for _ in 0..<shape.maximumDepth where !open.isEmpty { split(bestCuts()) }
    split([GradientCut?](repeating: nil, count: open.count))
    return (assembly.tree(output: output), leafOfRow)
  }

  private func leafValue(_ node: OpenNode) -> Double {
    shape.leafValue(gradient: node.gradient, hessian: node.hessian)
  }

  /// The best split of every open node over the features asked about; ties go to the earlier feature.
  private func bestCuts() -> [GradientCut?] {
    let count = asked.count
    let pieces = min(count, Threads.count * 8)
    guard pieces > 0, !open.isEmpty else { return [GradientCut?](repeating: nil, count: open.count) }
    let found = [[GradientCut?]](unsafeUninitializedCapacity: pieces) { buffer, initialized in
      initialized = pieces
      buffer.initialize(repeating: [])
      guard let base = buffer.baseAddress else { return }
      let shared = SendablePointer(base)
      parallelFor(pieces) { piece in
        shared.base[piece] = bestCuts(count * piece / pieces..<count * (piece + 1) / pieces)
      }
    }
    return open.indices.map { slot in
      found.reduce(nil as GradientCut?) { best, piece in
        guard let own = piece[slot] else { return best }
        return own.gain > best?.gain ?? -1 ? own : best
      }
    }
  }

  private func bestCuts(_ range: Range<Int>) -> [GradientCut?] {
    var best = [GradientCut?](repeating: nil, count: open.count)
    let everyRow = rows.count == features.rowCount
    let parents = open.map { $0.gradient * $0.gradient / ($0.hessian + shape.regularisation) }
    let histogram = UnsafeMutablePointer<Double>.allocate(capacity: open.count * 256 * 2)
    defer { histogram.deallocate() }
    rows.withUnsafeBufferPointer { rows in
      slots.withUnsafeBufferPointer { slots in
        gradients.withUnsafeBufferPointer { gradients in
          for feature in asked[range] {
            let bins = features.binCounts[feature]
            guard bins > 1 || features.kinds[feature] == .numeric else { continue }
            let width = bins + 1
            histogram.update(repeating: 0, count: open.count * width * 2)
            ck_histogram(
              features.codes.column(feature), everyRow ? nil : rows.baseAddress, slots.baseAddress,
              gradients.baseAddress, rows.count, width, histogram)
            for slot in open.indices {
              let own = histogram + slot * width * 2
              let floor = best[slot]?.gain ?? parents[slot] + GradientCuts.leastGain
              if let cut = cuts.best(feature, own, over: floor) { best[slot] = cut }
            }
          }
        }
      }
    }
    return best
  }

  /// Splits open nodes that have a candidate, closes the others as leaves, and moves their rows.
  private mutating func split(_ candidates: [GradientCut?]) {
    var children: [OpenNode] = []
    // For each slot: the children's slots, or the leaf's value index.
    var moves: [(left: Int, right: Int, goesLeft: [UInt8])?] = []
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
        node.node, feature: candidate.feature, cuts.question(candidate),
        missingGoesLeft: candidate.missingGoesLeft, left: left, right: right)
      moves.append((children.count, children.count + 1, cuts.goesLeft(candidate)))
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
      let code = Int(features.codes.column(candidate.feature)[row])
      let child = move.goesLeft[code] == 1 ? move.left : move.right
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
}
