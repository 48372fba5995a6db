// One boosted tree over rows kept leaf by leaf (Ke et al. 2017, LightGBM).
//
// A node owns a range of one array of row numbers. Of two children the smaller one's rows are read; the larger one's
// histogram is the parent's less that. Work is cut at places that hang on the rows alone, so that any number of threads
// adds up the same sums in the same order.

import CKernels
import Tables
import Tensors

/// Grows one tree on the gradients that `RowRecords` hold.
struct RangeGrower {
  private let records: RowRecords
  private let features: QuantisedFeatures
  private let cuts: GradientCuts
  private let shape: BoostedTreeShape
  private let team: any RowTeam
  private var open: [OpenNode] = []
  private var leaves: [(range: Range<Int>, value: Int32)] = []
  private var assembly = TreeAssembly()
  /// Whether rows still stand in their first order.
  private var isWhole = true

  /// A node and the histogram that it alone owns.
  private struct OpenNode: @unchecked Sendable {
    var node: Int
    /// The node's rows of this process.
    var range: Range<Int>
    /// The node's rows of all processes.
    var count: Int
    var gradient: Double
    var hessian: Double
    var histogram: UnsafeMutablePointer<Double>
  }

  /// A node that is split, and where its rows go.
  private struct Parting: Sendable {
    var parent: OpenNode
    var cut: GradientCut
    var goesLeft: [UInt8]
    var left: Int
    var right: Int
    var middle: Int
  }

  /// A stretch of a node's rows that one thread takes.
  private struct Piece: Sendable {
    var owner: Int
    var range: Range<Int>
  }

  init(
    _ features: QuantisedFeatures, _ records: RowRecords, shape: BoostedTreeShape, noise: Double,
    team: some RowTeam = LoneProcess()
  ) {
    self.team = team
    self.features = features
    self.records = records
    self.shape = shape
    cuts = GradientCuts(features: features, shape: shape, noise: noise)
  }

  /// Grows to the end.
  /// - Returns: the tree, and for every row the index of its leaf's value.
  mutating func grow(output: Int) -> (Tree, leafOfRow: [Int32]) {
    let tree = tree(output: output)
    return (tree, leafOfRow())
  }

  /// Grows to the end.
  mutating func tree(output: Int) -> Tree {
    let whole = 0..<records.rowCount
    let histogram = records.histogram()
    fill([(whole, histogram)])
    var (g, h) = (0.0, 0.0)
    for cell in 0...features.binCounts[0] {
      g += histogram[2 * cell]
      h += histogram[2 * cell + 1]
    }
    open = [
      OpenNode(
        node: assembly.addNode(cover: h), range: whole, count: team.sum([whole.count])[0], gradient: g,
        hessian: h, histogram: histogram)
    ]
    for depth in 0..<shape.maximumDepth where !open.isEmpty {
      let partings = chosenPartings()
      part(partings, isLast: depth + 1 == shape.maximumDepth)
    }
    return assembly.tree(output: output)
  }

  /// The best cut of every open node; those without one become leaves.
  private mutating func chosenPartings() -> [Parting] {
    let (open, cuts, offsets, features) = (open, cuts, records.offsets, features)
    let best = parallelMap(open.count) { place -> GradientCut?? in
      let node = open[place]
      let parent = node.gradient * node.gradient / (node.hessian + cuts.shape.regularisation)
      var best: GradientCut?
      for feature in offsets.indices {
        guard features.binCounts[feature] > 1 || features.kinds[feature] == .numeric else { continue }
        let own = node.histogram + 2 * Int(offsets[feature])
        let floor = best?.gain ?? parent + GradientCuts.leastGain
        if let cut = cuts.best(feature, own, over: floor) { best = cut }
      }
      return .some(best)
    }
    var partings: [Parting] = []
    for (node, cut) in zip(open, best) {
      guard let cut = cut ?? nil else {
        close(node)
        continue
      }
      let (left, right) = (assembly.addNode(cover: 0), assembly.addNode(cover: 0))
      assembly.makeSplit(
        node.node, feature: cut.feature, cuts.question(cut), missingGoesLeft: cut.missingGoesLeft,
        left: left, right: right)
      partings.append(
        Parting(
          parent: node, cut: cut, goesLeft: cuts.goesLeft(cut), left: left, right: right,
          middle: node.range.lowerBound))
    }
    return partings
  }

  /// Moves the rows of nodes that are split, and opens or closes their children.
  private mutating func part(_ chosen: [Parting], isLast: Bool) {
    var partings = chosen
    moveRows(&partings)
    isWhole = isWhole && chosen.isEmpty
    let lefts = team.sum(partings.map { $0.middle - $0.parent.range.lowerBound })
    open = []
    var filled: [(Range<Int>, UnsafeMutablePointer<Double>)] = []
    var subtracted: [(larger: UnsafeMutablePointer<Double>, smaller: UnsafeMutablePointer<Double>)] = []
    for (parting, leftCount) in zip(partings, lefts) {
      let parent = parting.parent
      let sums = leftSums(parting)
      let ranges = (
        parent.range.lowerBound..<parting.middle, parting.middle..<parent.range.upperBound
      )
      var left = OpenNode(
        node: parting.left, range: ranges.0, count: leftCount, gradient: sums.gradient,
        hessian: sums.hessian, histogram: parent.histogram)
      var right = OpenNode(
        node: parting.right, range: ranges.1, count: parent.count - leftCount,
        gradient: parent.gradient - sums.gradient, hessian: parent.hessian - sums.hessian,
        histogram: parent.histogram)
      assembly.setCover(left.node, left.hessian)
      assembly.setCover(right.node, right.hessian)
      let (leftIsOpen, rightIsOpen) = (!isLast && maySplit(left), !isLast && maySplit(right))
      guard leftIsOpen || rightIsOpen else {
        records.giveBack(parent.histogram)
        closeLeaf(left)
        closeLeaf(right)
        continue
      }
      let smaller = records.histogram()
      let leftIsSmaller = left.count <= right.count
      if leftIsSmaller { left.histogram = smaller } else { right.histogram = smaller }
      filled.append((leftIsSmaller ? ranges.0 : ranges.1, smaller))
      subtracted.append((larger: parent.histogram, smaller: smaller))
      open.append(left)
      open.append(right)
    }
    fill(filled)
    let cells = 2 * records.cellCount
    let pairs = subtracted.map { (SendablePointer($0.larger), SendablePointer($0.smaller)) }
    parallelFor(pairs.count) { index in
      let (larger, smaller) = (pairs[index].0.base, pairs[index].1.base)
      for cell in 0..<cells { larger[cell] -= smaller[cell] }
    }
  }

  /// Whether both sides of some cut could have weight enough.
  private func maySplit(_ node: OpenNode) -> Bool {
    node.count > 1 && node.hessian >= 2 * shape.minimumLeafWeight
  }

  /// The gradient and hessian that go left, from the parent's histogram.
  private func leftSums(_ parting: Parting) -> (gradient: Double, hessian: Double) {
    let feature = parting.cut.feature
    let own = parting.parent.histogram + 2 * Int(records.offsets[feature])
    var (g, h) = (0.0, 0.0)
    for code in 0...features.binCounts[feature] where parting.goesLeft[code] == 1 {
      g += own[2 * code]
      h += own[2 * code + 1]
    }
    return (g, h)
  }

  /// Stretches of ranges that threads take: of some thousand rows, and no more than 32 of a range.
  private static func pieces(_ ranges: [Range<Int>]) -> [Piece] {
    ranges.indices.flatMap { owner in
      let range = ranges[owner]
      let size = max(16_384, (range.count + 31) / 32)
      return stride(from: range.lowerBound, to: range.upperBound, by: size).map {
        Piece(owner: owner, range: $0..<min($0 + size, range.upperBound))
      }
    }
  }

  /// Sums the rows of ranges into histograms of zeros.
  private func fill(_ wanted: [(range: Range<Int>, histogram: UnsafeMutablePointer<Double>)]) {
    let pieces = Self.pieces(wanted.map(\.range))
    let cells = 2 * records.cellCount
    // A range's first piece goes straight to its histogram, the others to one of their own.
    let targets = pieces.map { piece in
      SendablePointer(
        piece.range.lowerBound == wanted[piece.owner].range.lowerBound
          ? wanted[piece.owner].histogram : self.records.histogram())
    }
    let (records, isWhole) = (records, isWhole)
    parallelFor(pieces.count) { index in
      records.add(pieces[index].range, areAll: isWhole, to: targets[index].base)
    }
    for (piece, target) in zip(pieces, targets) where target.base != wanted[piece.owner].histogram {
      let whole = wanted[piece.owner].histogram
      for cell in 0..<cells { whole[cell] += target.base[cell] }
      records.giveBack(target.base)
    }
    sum(wanted.map(\.histogram))
  }

  /// Adds up histograms over the team, all in one message.
  private func sum(_ histograms: [UnsafeMutablePointer<Double>]) {
    guard team.size > 1, !histograms.isEmpty else { return }
    let cells = 2 * records.cellCount
    var own: [Double] = []
    own.reserveCapacity(histograms.count * cells)
    for histogram in histograms { own += UnsafeBufferPointer(start: histogram, count: cells) }
    team.sum(own).withUnsafeBufferPointer { sums in
      guard let base = sums.baseAddress else { return }
      for (place, histogram) in histograms.enumerated() {
        histogram.update(from: base + place * cells, count: cells)
      }
    }
  }

  /// Puts the rows that go left before those that go right, both in their old order.
  private func moveRows(_ partings: inout [Parting]) {
    let chosen = partings
    let pieces = Self.pieces(chosen.map(\.parent.range))
    let (records, features, isWhole) = (records, features, isWhole)
    let lefts = parallelMap(pieces.count) { index -> Int in
      let (piece, parting) = (pieces[index], chosen[pieces[index].owner])
      let start = piece.range.lowerBound
      // One number more is written than is kept: every piece has that much room of its own.
      return ck_part_rows(
        features.codes.column(parting.cut.feature), isWhole ? nil : records.rows + start, start,
        piece.range.count, parting.goesLeft, records.left + start + index, records.right + start + index)
    }
    var targets: [(left: Int, right: Int)] = []
    for (index, piece) in pieces.enumerated() { partings[piece.owner].middle += lefts[index] }
    var placed = [Int](repeating: 0, count: chosen.count)
    for (index, piece) in pieces.enumerated() {
      let owner = piece.owner
      let range = chosen[owner].parent.range
      let before = piece.range.lowerBound - range.lowerBound
      targets.append(
        (range.lowerBound + placed[owner], partings[owner].middle + before - placed[owner]))
      placed[owner] += lefts[index]
    }
    let places = targets
    parallelFor(pieces.count) { index in
      let piece = pieces[index].range
      (records.rows + places[index].left).update(
        from: records.left + piece.lowerBound + index, count: lefts[index])
      (records.rows + places[index].right).update(
        from: records.right + piece.lowerBound + index, count: piece.count - lefts[index])
    }
  }

  private mutating func close(_ node: OpenNode) {
    records.giveBack(node.histogram)
    closeLeaf(node)
  }

  private mutating func closeLeaf(_ node: OpenNode) {
    leaves.append((node.range, Int32(assembly.leafValues.count)))
    let value = shape.leafValue(gradient: node.gradient, hessian: node.hessian)
    assembly.makeLeaf(node.node, CollectionOfOne(value))
  }

  /// Adds the leaves' values to the scores of their rows: score `s` of row `i` at `i · width + s`.
  func add(_ tree: Tree, to scores: UnsafeMutablePointer<Double>, width: Int) {
    let shared = SendablePointer(scores)
    let (leaves, records, isWhole) = (leaves, records, isWhole)
    let pieces = Self.pieces(leaves.map(\.range))
    let output = tree.output ?? 0
    parallelFor(pieces.count) { index in
      let value = tree.leafValues[Int(leaves[pieces[index].owner].value)]
      for place in pieces[index].range {
        shared.base[(isWhole ? place : Int(records.rows[place])) * width + output] += value
      }
    }
  }

  private func leafOfRow() -> [Int32] {
    let count = records.rowCount
    return [Int32](unsafeUninitializedCapacity: count) { target, initialized in
      initialized = count
      guard let base = target.baseAddress else { return }
      let shared = SendablePointer(base)
      let (leaves, records, isWhole) = (leaves, records, isWhole)
      parallelFor(leaves.count) { index in
        let (range, value) = leaves[index]
        for place in range { shared.base[isWhole ? place : Int(records.rows[place])] = value }
      }
    }
  }
}
