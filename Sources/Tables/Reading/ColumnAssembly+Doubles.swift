// Columns whose doubles float32 does not tell apart.

import Tensors

extension ColumnAssembly {
  /// Gives columns whose doubles float32 does not tell apart cells that do.
  mutating func keepDoubles(_ target: SendablePointer<Float>, _ coarse: Set<Int>) {
    guard options.precision != .float32 else { return }
    var asked = coarse.filter { plan.slots[$0] >= 0 && categories[$0] == nil }.sorted()
    if options.precision == .whereValuesMerge {
      // Different doubles can only be one float where that float is there twice, and is no double of the file's.
      let slots = asked.map { plan.slots[$0] }
      let rowCount = rowCount
      let merges = parallelMap(asked.count) { place in
        let column = UnsafeBufferPointer(start: target.base + slots[place] * rowCount, count: rowCount)
        return Self.hasRepeats(column)
      }
      asked = zip(asked, merges).filter(\.1).map(\.0)
    }
    // Some columns at a time, so that doubles never weigh much beside the cells.
    let most = max(1, (1 << 23) / max(1, rowCount))
    for start in stride(from: 0, to: asked.count, by: most) {
      let columns = Array(asked[start..<min(start + most, asked.count)])
      let parser = BlockParser(
        text: text, plan: plan, actions: plan.actions, rowCount: rowCount, codeLimit: 0)
      let rowCount = rowCount
      let runs = max(1, min(Threads.count * 4, rowCount / 64))
      let doubles = [Double](unsafeUninitializedCapacity: columns.count * rowCount) { buffer, initialized in
        buffer.initialize(repeating: .nan)
        initialized = buffer.count
        guard let base = buffer.baseAddress else { return }
        let shared = SendablePointer(base)
        parallelFor(runs) { run in
          parser.doubles(rowCount * run / runs..<rowCount * (run + 1) / runs, columns: columns, into: shared)
        }
      }
      for (place, column) in columns.enumerated() {
        let own = Array(doubles[place * rowCount..<(place + 1) * rowCount])
        let scale = ExactScale(own)
        let merges = Set(scale.values.map { Float($0) }).count < scale.values.count
        // Large whole numbers are kept whether they merge or not: a second more or less is another day.
        let isLarge = scale.values.contains { abs($0) >= 0x1p24 }
        guard merges || isLarge || options.precision == .exact else { continue }
        if merges { remarks[column, default: []].append(.fine) }
        scales[column] = scale
        let base = target.base + plan.slots[column] * rowCount
        for row in 0..<rowCount { base[row] = own[row].isNaN ? .nan : scale.standIn(for: own[row]) }
      }
    }
  }

  /// Whether different doubles of a column may be the same float: floats that are there twice and are no double of the
  /// file's, or whole numbers too large for float32.
  ///
  /// Measurements of sixteen digits meet by chance in long columns, one in a hundred cells at most; that is left to
  /// float32.
  private static func hasRepeats(_ column: UnsafeBufferPointer<Float>) -> Bool {
    if column.contains(where: { abs($0) >= 0x1p24 }) { return true }
    let sorted = column.filter { !$0.isNaN }.sorted()
    let mostByChance = sorted.count > 10_000 ? sorted.count / 100 : 0
    var repeats = 0
    for place in sorted.indices.dropFirst() where sorted[place] == sorted[place - 1] {
      let value = sorted[place]
      // Few digits are told again from the float: equal cells are equal numbers.
      guard value != value.rounded(), "\(value)".utf8.count > 7 else { continue }
      repeats += 1
      if repeats > mostByChance { return true }
    }
    return false
  }
}
