// One tree of a forest: nodes are opened depth first, each over a run of one array of row numbers.

import CKernels
import Tables
import Tensors

/// Grows one tree.
struct ForestTreeGrower {
  private let features: Features
  /// The table's cells, or the near rows'.
  private var cells: FeatureCells
  private let quantised: QuantisedFeatures?
  /// The table row by row, where it is tall.
  private let rowMajor: RowMajorCells?
  private let rare: [Int: Set<Int>]
  private var target: GrowingTarget
  private let options: ForestOptions
  private var generator: SeededGenerator
  private var assembly = TreeAssembly()
  /// The rows seen; every open node owns a run of it.
  private var rows: [Int32] = []
  private var seen: [Bool] = []
  /// Features in the order they are drawn, shuffled as far as each node needs.
  private var drawOrder: [Int32]
  private let drawsPerNode: Int
  private let minimumLeafRows: Int

  /// A split that a node may take.
  struct Candidate {
    var gain: Double
    var feature: Int
    var question: TreeAssembly.Question
    var missingGoesLeft: Bool
    /// Whether a cell was missing when the split was chosen; else the larger side decides.
    var sawMissing: Bool
  }

  init(
    _ features: Features, _ cells: FeatureCells, _ quantised: QuantisedFeatures?,
    rowMajor: RowMajorCells?, rare: [Int: Set<Int>],
    _ target: GrowingTarget, _ options: ForestOptions, tree: Int
  ) {
    self.features = features
    self.cells = cells
    self.quantised = quantised
    self.rowMajor = rowMajor
    self.rare = rare
    self.target = target
    self.options = options
    generator = SeededGenerator(seed: options.seed, stream: "tree \(tree)")
    drawOrder = (0..<Int32(features.count)).map { $0 }
    minimumLeafRows = options.leafRows(of: features.rowCount)
    drawsPerNode = min(options.featuresPerSplit ?? features.count, features.count)
  }

  /// Grows to the end.
  mutating func grow() -> GrownTree {
    let count = features.rowCount
    if options.drawsRows {
      rows.reserveCapacity(count)
      seen = [Bool](repeating: false, count: count)
      for _ in 0..<count {
        let row = generator.index(below: count)
        seen[row] = true
        rows.append(Int32(row))
      }
      rows.sort()
    } else {
      rows = (0..<Int32(count)).map { $0 }
    }
    let scratch = NodeScratch(rows: count, width: target.width)
    defer { scratch.deallocate() }
    let (allCells, allTargets) = (cells, target)
    let least = minimumLeafRows
    let near = rowMajor.map { NearRows($0) }
    defer { near?.deallocate() }
    var pending: [(node: Int, range: Range<Int>, depth: Int)] = []
    pending.append((assembly.addNode(cover: Double(rows.count)), 0..<rows.count, 0))
    while let (node, range, depth) = pending.popLast() {
      if let near {
        if let held = near.range, !held.contains(range.lowerBound) {
          near.range = nil
          (cells, target) = (allCells, allTargets)
        }
        if near.range == nil, range.count <= NearRows.most {
          target = allTargets.selecting(rows[range])
          cells = near.gather(&rows, range)
        }
      }
      scratch.load(rows, range, target)
      guard depth < options.maximumDepth ?? .max, range.count >= 2 * least,
        !scratch.isPure, let split = bestSplit(range, scratch)
      else {
        assembly.makeLeaf(node, scratch.means)
        continue
      }
      let middle = partition(range, split, scratch)
      let (leftRange, rightRange) = (range.lowerBound..<middle, middle..<range.upperBound)
      let missingGoesLeft =
        split.sawMissing ? split.missingGoesLeft : leftRange.count >= rightRange.count
      let left = assembly.addNode(cover: Double(leftRange.count))
      let right = assembly.addNode(cover: Double(rightRange.count))
      assembly.makeSplit(
        node, feature: split.feature, split.question, missingGoesLeft: missingGoesLeft, left: left,
        right: right)
      pending.append((right, rightRange, depth + 1))
      pending.append((left, leftRange, depth + 1))
    }
    return GrownTree(tree: assembly.tree(output: nil), seen: seen)
  }

  /// Draws `drawsPerNode` features without replacement, and more only where all of them are constant in the node.
  ///
  /// Constant ones count: among many sparse columns a node then tries few, and the trees of a forest differ more.
  private mutating func bestSplit(_ range: Range<Int>, _ scratch: NodeScratch) -> Candidate? {
    let count = drawOrder.count
    // Lending out a part of self while self is read would copy all of self, feature by feature.
    var generator = self.generator
    defer { self.generator = generator }
    var best: Candidate?
    var tried = 0
    var drawn = 0
    while drawn < drawsPerNode || tried == 0, drawn < count {
      let pick = drawn + generator.index(below: count - drawn)
      drawOrder.swapAt(drawn, pick)
      let feature = Int(drawOrder[drawn])
      drawn += 1
      let floor = best?.gain ?? scratch.whole.squares / scratch.whole.count
      let result =
        switch options.splitting {
        case .random: randomCut(feature, range, scratch, &generator, over: floor)
        case .best: bestCut(feature, range, scratch, &generator, over: floor)
        }
      switch result {
      case .constant: continue
      case .worse: tried += 1
      case .better(let candidate):
        tried += 1
        best = candidate
      }
    }
    return best
  }

  /// What came of trying a feature.
  enum Trial {
    case constant
    case worse
    case better(Candidate)
  }

  /// One random cut (extra trees). A cut that gains nothing is taken all the same where none is better.
  private func randomCut(
    _ feature: Int, _ range: Range<Int>, _ scratch: NodeScratch, _ generator: inout SeededGenerator,
    over floor: Double
  ) -> Trial {
    let (low, high, missing) = scratch.gather(feature, rows, range, cells)
    guard low <= high, low < high || missing > 0 else { return .constant }
    let sawMissing = missing > 0
    let missingGoesLeft = sawMissing && generator.next() & 1 == 1
    let question: TreeAssembly.Question
    if case .categorical = features.kinds[feature] {
      let members = scratch.randomCategories(range.count, rare: rare[feature], &generator)
      question = .categories(members)
      scratch.sideByCategories(range.count, members, missingGoesLeft)
    } else {
      // Between the least value (which goes left) and the greatest (which does not).
      let drawn = Float(Double(low) + generator.uniform() * (Double(high) - Double(low)))
      let threshold = low == high ? high : drawn < high ? max(drawn, low) : low
      question = .atMost(threshold)
      scratch.sideByThreshold(range.count, threshold, missingGoesLeft)
    }
    let least = Double(minimumLeafRows)
    guard scratch.left.count >= least, scratch.whole.count - scratch.left.count >= least else {
      return .worse
    }
    let gain = scratch.left.gain(among: scratch.whole)
    guard gain > floor - NodeScratch.slack else { return .worse }
    return .better(
      Candidate(
        gain: gain, feature: feature, question: question, missingGoesLeft: missingGoesLeft,
        sawMissing: sawMissing))
  }

  /// The best cut over the codes of a feature (random forest).
  private func bestCut(
    _ feature: Int, _ range: Range<Int>, _ scratch: NodeScratch, _ generator: inout SeededGenerator,
    over floor: Double
  ) -> Trial {
    guard let quantised else { return .constant }
    let bins = quantised.binCounts[feature]
    let missing = scratch.gatherCodes(feature, rows, range, quantised)
    guard !scratch.codesAreConstant(range.count) else { return .constant }
    let least = Double(minimumLeafRows)
    if let categories = quantised.categories[feature] {
      guard
        let (members, cut) = scratch.bestCategories(
          range.count, bins, missing: missing, rare: quantised.rareBins[feature], &generator, least: least,
          over: floor)
      else { return .worse }
      return .better(
        Candidate(
          gain: cut.gain, feature: feature,
          question: .categories(members.flatMap { categories[$0] }.sorted()),
          missingGoesLeft: cut.missingGoesLeft, sawMissing: missing > 0))
    }
    guard
      let cut = scratch.bestBin(range.count, bins, missing: missing, least: least, over: floor)
    else { return .worse }
    let isLast = cut.place + 1 >= bins
    let threshold =
      isLast ? Float.greatestFiniteMagnitude : quantised.cuts[quantised.cutStarts[feature] + cut.place]
    return .better(
      Candidate(
        gain: cut.gain, feature: feature, question: .atMost(threshold),
        missingGoesLeft: cut.missingGoesLeft, sawMissing: missing > 0))
  }

  /// Puts the rows that go left first, both sides in their old order.
  private mutating func partition(_ range: Range<Int>, _ split: Candidate, _ scratch: NodeScratch) -> Int {
    if case .atMost(let threshold) = split.question {
      return rows.withUnsafeMutableBufferPointer { rows in
        guard let base = rows.baseAddress else { return range.lowerBound }
        return range.lowerBound
          + ck_part_cells(
            cells.base + split.feature * cells.storedRowCount, cells.places, base + range.lowerBound,
            range.count, threshold, split.missingGoesLeft ? 1 : 0, scratch.moved)
      }
    }
    let members: Set<Int>? = if case .categories(let list) = split.question { Set(list) } else { nil }
    var kept = range.lowerBound
    var moved = 0
    for index in range {
      let value = cells[Int(rows[index]), split.feature]
      let goesLeft: Bool
      if value.isNaN {
        goesLeft = split.missingGoesLeft
      } else if let members {
        goesLeft = members.contains(Int(value))
      } else {
        goesLeft = false
      }
      if goesLeft {
        rows[kept] = rows[index]
        kept += 1
      } else {
        scratch.moved[moved] = rows[index]
        moved += 1
      }
    }
    for index in 0..<moved { rows[kept + index] = scratch.moved[index] }
    return kept
  }
}
