// Attention of one layer: scores, pattern and the mix of values, one (sequence, head) pair a task.
//
// Source: Vaswani et al. 2017, section 3.2; grouped queries: Ainslie et al. 2023.

import CKernels

/// What is added to scores for a key's place (Press et al. 2021, "ALiBi"): slope · position, one slope a head.
///
/// Only differences between keys count, so this is the paper's penalty on distance.
public struct KeyPositionBias: Sendable, Equatable {
  /// The slope of every query head.
  public var slopes: [Float]
  /// A factor on every addend.
  public var factor: Float
  /// Whether slopes and products are rounded to bfloat16 first, as Falcon's own implementation does.
  public var isRounded: Bool

  /// The slopes of the paper, section 3, for a number of heads.
  public init(heads: Int, factor: Float = 1, isRounded: Bool = false) {
    let power = 1 << (Int.bitWidth - 1 - max(1, heads).leadingZeroBitCount)
    func slopes(_ count: Int, of heads: Int, step: Int) -> [Float] {
      (0..<count).map { Float(power2(-8 / Double(heads) * Double(1 + step * $0))) }
    }
    self.slopes =
      slopes(power, of: power, step: 1) + slopes(heads - power, of: 2 * power, step: 2)
    self.factor = factor
    self.isRounded = isRounded
  }

  /// What is added to a head's scores of the keys at positions below `length`.
  func addends(head: Int, length: Int) -> [Float] {
    guard isRounded else { return (0..<length).map { slopes[head] * Float($0) * factor } }
    let slope = roundedToBFloat16(slopes[head])
    return (0..<length).map { roundedToBFloat16(slope * roundedToBFloat16(Float($0))) * factor }
  }
}

private func roundedToBFloat16(_ value: Float) -> Float {
  let bits = value.bitPattern
  return Float(bitPattern: (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff_0000)
}

private func power2(_ exponent: Double) -> Double { power(2, exponent) }

/// What may attend to what, and how scores are formed.
public struct AttentionRule: Sendable, Equatable {
  /// Factor on the products of queries and keys.
  public var scale: Float
  /// Whether a position sees only itself and earlier ones.
  public var isCausal: Bool
  /// How many positions, itself included, a position sees at most; nil for all.
  public var window: Int?
  /// Scores s become cap·tanh(s / cap) where given.
  public var scoreCap: Float?
  /// What is added to scores for the keys' places; nil for nothing.
  public var keyBias: KeyPositionBias?
  /// One more score for every head, whose share of the pattern goes nowhere (GPT-OSS); nil for none.
  public var sinks: [Float]?

  /// A rule; causal and unlimited where nothing else is said.
  public init(scale: Float, isCausal: Bool = true, window: Int? = nil, scoreCap: Float? = nil) {
    self.scale = scale
    self.isCausal = isCausal
    self.window = window
    self.scoreCap = scoreCap
  }

  /// The positions that position `query` of a sequence sees.
  public func visible(from query: Int, length: Int) -> Range<Int> {
    let end = isCausal ? query + 1 : length
    let start = window.map { max(0, query - $0 + 1) } ?? 0
    return start..<max(start, end)
  }

  /// The rows that row `query` of a sequence sees: those of a range, less those of other continuations.
  func visible(
    from query: Int, length: Int, branches: [Range<Int>]
  ) -> (rows: Range<Int>, hidden: Range<Int>) {
    guard let trunk = branches.first?.lowerBound,
      let branch = branches.first(where: { $0.contains(query) })
    else { return (visible(from: query, length: length), 0..<0) }
    precondition(isCausal, "continuations of a text that looks both ways")
    let seen = visible(from: trunk + query - branch.lowerBound, length: trunk + branch.count)
    guard seen.lowerBound < trunk else { return (query + 1 - seen.count..<query + 1, 0..<0) }
    return (seen.lowerBound..<query + 1, trunk..<branch.lowerBound)
  }
}

/// The queries, keys and values of one layer: columns of one matrix of packed rows.
///
/// There may be fewer key and value heads than query heads; query head h then reads key head h / (heads / groups).
public struct AttentionInput: Sendable {
  /// `[rows, …]`
  public var tensor: Tensor
  /// Where the queries are.
  public var queries: HeadColumns
  /// Where the keys are.
  public var keys: HeadColumns
  /// Where the values are.
  public var values: HeadColumns

  /// Columns of `tensor`.
  public init(_ tensor: Tensor, queries: HeadColumns, keys: HeadColumns, values: HeadColumns) {
    self.tensor = tensor
    self.queries = queries
    self.keys = keys
    self.values = values
  }

  func check(_ layout: SequenceLayout) {
    for columns in [queries, keys, values] { columns.check(tensor) }
    precondition(
      tensor.count == layout.rowCount * queries.rowStride && queries.width == keys.width
        && keys.count == values.count && queries.count % keys.count == 0,
      "\(queries.count) query heads and \(keys.count) key heads over \(tensor.shape), \(layout.rowCount) rows"
    )
  }

  func group(ofHead head: Int) -> Int { head / (queries.count / keys.count) }
}

/// Every head's mix of values (z), computed without keeping scores or pattern.
///
/// - Returns: `[rows, heads · d_head]`.
public func attentionMix(_ input: AttentionInput, _ rule: AttentionRule, _ layout: SequenceLayout) -> Tensor {
  var z = Tensor(uninitialized: [layout.rowCount, input.queries.count * input.values.width])
  attentionMix(input, rule, layout, into: &z)
  return z
}

/// As `attentionMix(_:_:_:)`, into a matrix that exists.
public func attentionMix(
  _ input: AttentionInput, _ rule: AttentionRule, _ layout: SequenceLayout, into z: inout Tensor
) {
  input.check(layout)
  let target = HeadColumns(filling: input.queries.count, width: input.values.width)
  precondition(z.count == layout.rowCount * target.rowStride, "z of shape \(z.shape)")
  let out = FloatAddress(z.mutablePointer())
  forEachPair(input, layout) { sequence, _, head, scratch in
    let length = sequence.length
    let first = sequence.firstOwned
    let rowCount = length - first
    let scores = scratch.scores
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: rowCount) { ends in
      let visible = (first..<length).map {
        rule.visible(from: $0, length: length, branches: sequence.branches)
      }
      for (place, seen) in visible.enumerated() { ends[place] = Int32(min(length, seen.rows.upperBound)) }
      writeScores(
        input, rule, sequence, head, queries: first..<length, ends: UnsafePointer(ends.baseAddress),
        into: scores, stride: length, scratch)
      for (place, seen) in visible.enumerated() {
        softmax(scores + place * length, seen, length: length, sink: rule.sinks?[head])
      }
      let values = rows(of: input, input.values, sequence, input.group(ofHead: head), scratch)
      ck_attention_mix(
        scores, length, values.base, values.stride, rowCount, length, target.width, ends.baseAddress,
        scratch.panel, out.address + target.start(row: Int(sequence.rows[first]), head: head),
        target.rowStride)
    }
  }
}

/// Scaled and capped scores of all pairs of positions, not masked yet, square by square.
///
/// - Parameter scores: takes the shape `[squares.count]`.
/// - Precondition: no sequence shares rows.
public func attentionScores(
  _ input: AttentionInput, _ rule: AttentionRule, _ layout: SequenceLayout, into scores: inout Tensor
) {
  input.check(layout)
  let squares = AttentionSquares(layout, heads: input.queries.count)
  scores.become(uninitialized: [squares.count])
  let out = FloatAddress(scores.mutablePointer())
  forEachPair(input, layout) { sequence, index, head, scratch in
    let length = sequence.length
    writeScores(
      input, rule, sequence, head, queries: 0..<length, ends: nil,
      into: out.address + squares.start(sequence: index, head: head), stride: length, scratch)
  }
}

/// Sets the scores of pairs that may not see each other to −∞.
public func maskScores(_ scores: inout Tensor, _ rule: AttentionRule, _ squares: AttentionSquares) {
  forEachSquareRow(&scores, squares) { row, place, query, length in
    let (visible, hidden) = rule.visible(
      from: query, length: length, branches: squares.branches[place.sequence])
    (row).update(repeating: -.infinity, count: visible.lowerBound)
    (row + hidden.lowerBound).update(repeating: -.infinity, count: hidden.count)
    (row + visible.upperBound).update(repeating: -.infinity, count: length - visible.upperBound)
  }
}

/// Turns scores into patterns: softmax over the keys that a position sees, zeros elsewhere.
public func attentionPattern(_ scores: inout Tensor, _ rule: AttentionRule, _ squares: AttentionSquares) {
  forEachSquareRow(&scores, squares) { row, place, query, length in
    softmax(
      row, rule.visible(from: query, length: length, branches: squares.branches[place.sequence]),
      length: length, sink: rule.sinks?[place.head])
  }
}

/// Turns masked scores into patterns: softmax over keys; rows of −∞ alone become zeros.
public func attentionPattern(
  ofMasked scores: inout Tensor, _ rule: AttentionRule, _ squares: AttentionSquares
) {
  forEachSquareRow(&scores, squares) { row, place, _, length in
    let isEmpty = (0..<length).allSatisfy { row[$0] == -.infinity }
    if isEmpty {
      row.update(repeating: 0, count: length)
    } else {
      softmax(row, (0..<length, 0..<0), length: length, sink: rule.sinks?[place.head])
    }
  }
}

/// The mix of values (z) that patterns give, into `[rows, heads · d_head]`.
public func attentionMix(
  pattern: Tensor, _ input: AttentionInput, _ layout: SequenceLayout, into z: inout Tensor
) {
  input.check(layout)
  let squares = AttentionSquares(layout, heads: input.queries.count)
  let target = HeadColumns(filling: input.queries.count, width: input.values.width)
  precondition(
    pattern.count == squares.count && z.count == layout.rowCount * target.rowStride,
    "patterns of shape \(pattern.shape), z of shape \(z.shape)")
  let (out, weights) = (FloatAddress(z.mutablePointer()), ConstFloatAddress(pattern.pointer))
  withExtendedLifetime(pattern.storage) {
    forEachPair(input, layout) { sequence, index, head, scratch in
      let length = sequence.length
      let values = rows(of: input, input.values, sequence, input.group(ofHead: head), scratch)
      ck_attention_mix(
        weights.address + squares.start(sequence: index, head: head), length, values.base, values.stride,
        length, length, target.width, nil, scratch.panel,
        out.address + target.start(row: Int(sequence.rows[0]), head: head), target.rowStride)
    }
  }
}

/// Calls `body` with every row of every square, its sequence and head, its query and its length, in parallel.
func forEachSquareRow(
  _ values: inout Tensor, _ squares: AttentionSquares,
  _ body: @Sendable (UnsafeMutablePointer<Float>, (sequence: Int, head: Int), Int, Int) -> Void
) {
  precondition(values.count == squares.count, "squares of shape \(values.shape), not \(squares.count)")
  let base = FloatAddress(values.mutablePointer())
  let pairs = squares.lengths.count * squares.heads
  parallelRanges(pairs, minimum: max(1, (1 << 13) * max(1, pairs) / max(1, squares.count))) { range in
    for pair in range {
      let (sequence, head) = (pair / squares.heads, pair % squares.heads)
      let length = squares.lengths[sequence]
      let square = base.address + squares.start(sequence: sequence, head: head)
      for query in 0..<length { body(square + query * length, (sequence, head), query, length) }
    }
  }
}

/// The working memory of one head's attention over one sequence.
private struct AttentionScratch {
  /// `[positions, positions]`.
  let scores: UnsafeMutablePointer<Float>
  /// Keys or values of rows that do not stand together, `[positions, width]`.
  let gathered: UnsafeMutablePointer<Float>
  /// What the kernels lay out for themselves.
  let panel: UnsafeMutablePointer<Float>
}

/// Calls `body` for every sequence and head, in parallel, each with working memory.
private func forEachPair(
  _ input: AttentionInput, _ layout: SequenceLayout,
  _ body: @Sendable (SequenceLayout.Sequence, Int, Int, AttentionScratch) -> Void
) {
  let heads = input.queries.count
  let pairs = layout.sequences.count * heads
  let longest = layout.longest
  let widest = max(input.keys.width, input.values.width)
  let panel = 16 * max(longest, widest)
  let capacity = longest * longest + longest * widest + panel
  guard longest > 0 else { return }
  // A few parts a thread, so that sequences of different lengths balance.
  let parts = min(pairs, 8 * Threads.count)
  withExtendedLifetime(input.tensor.storage) {
    parallelFor(parts) { part in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: capacity) { buffer in
        guard let base = buffer.baseAddress else { return }
        let scratch = AttentionScratch(
          scores: base + panel, gathered: base + panel + longest * longest, panel: base)
        for pair in pairs * part / parts..<pairs * (part + 1) / parts {
          let sequence = layout.sequences[pair / heads]
          if sequence.firstOwned < sequence.length { body(sequence, pair / heads, pair % heads, scratch) }
        }
      }
    }
  }
}

/// One head's rows of a sequence as a matrix: in place where they are consecutive, else gathered.
private func rows(
  of input: AttentionInput, _ columns: HeadColumns, _ sequence: SequenceLayout.Sequence, _ head: Int,
  _ scratch: AttentionScratch
) -> (base: UnsafePointer<Float>, stride: Int) {
  let base = input.tensor.pointer
  let width = columns.width
  if sequence.isConsecutive {
    return (base + columns.start(row: Int(sequence.rows[0]), head: head), columns.rowStride)
  }
  for (position, row) in sequence.rows.enumerated() {
    (scratch.gathered + position * width).update(
      from: base + columns.start(row: Int(row), head: head), count: width)
  }
  return (UnsafePointer(scratch.gathered), width)
}

/// Scaled (and capped) scores of some queries against all keys of a sequence, not masked; where `ends` are given, a query's
/// scores of the keys from its own end on may be left as they are.
private func writeScores(
  _ input: AttentionInput, _ rule: AttentionRule, _ sequence: SequenceLayout.Sequence, _ head: Int,
  queries: Range<Int>, ends: UnsafePointer<Int32>?, into scores: UnsafeMutablePointer<Float>, stride: Int,
  _ scratch: AttentionScratch
) {
  let length = sequence.length
  let keys = rows(of: input, input.keys, sequence, input.group(ofHead: head), scratch)
  let first = input.queries.start(row: Int(sequence.rows[queries.lowerBound]), head: head)
  let isWhole = rule.keyBias != nil || rule.scoreCap != nil
  ck_attention_scores(
    input.tensor.pointer + first, input.queries.rowStride, keys.base, keys.stride, queries.count, length,
    input.queries.width, rule.scale, isWhole ? nil : ends, scratch.panel, scores, stride)
  if let bias = rule.keyBias {
    var addends = bias.addends(head: head, length: length)
    if !sequence.branches.isEmpty {
      addends = (0..<length).map { addends[sequence.position(ofRow: $0)] }
    }
    for query in 0..<queries.count { ck_add(scores + query * stride, addends, length) }
  }
  if let cap = rule.scoreCap {
    for query in 0..<queries.count { ck_soft_cap(scores + query * stride, cap, length) }
  }
}

private func softmax(
  _ row: UnsafeMutablePointer<Float>, _ seen: (rows: Range<Int>, hidden: Range<Int>), length: Int,
  sink: Float?
) {
  let visible = seen.rows
  row.update(repeating: 0, count: visible.lowerBound)
  // Scores of −∞ get no share.
  (row + seen.hidden.lowerBound).update(repeating: -.infinity, count: seen.hidden.count)
  if let sink {
    ck_softmax_with_sink(row + visible.lowerBound, sink, visible.count)
  } else {
    ck_softmax(row + visible.lowerBound, visible.count)
  }
  (row + visible.upperBound).update(repeating: 0, count: length - visible.upperBound)
}
