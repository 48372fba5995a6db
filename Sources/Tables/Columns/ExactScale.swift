// The doubles behind a column whose values float32 cannot tell apart: seconds since 1970, account numbers, cents.

/// Doubles and the floats that stand for them.
///
/// Cells are float32 everywhere: half the memory, and enough for most columns. Where different doubles would become
/// one float, or a model compares in double precision, each different double gets a float of its own, in the same
/// order. Comparisons of stand-ins then say what comparisons of the doubles say. Stand-ins are distances from `offset`,
/// so that differences of values far from zero keep their size.
public struct ExactScale: Sendable, Equatable {
  /// The different values, rising.
  public let values: [Double]
  /// The float that stands for each value, rising.
  public let standIns: [Float]
  /// What stand-ins are counted from: 0 where values lie on both sides of it.
  public let offset: Double

  /// A scale for the given values, in any order and repeated or not; NaN is left out.
  public init(_ cells: [Double]) {
    var distinct = cells.filter { !$0.isNaN }.sorted()
    var count = 0
    for value in distinct where count == 0 || distinct[count - 1] != value {
      distinct[count] = value
      count += 1
    }
    distinct.removeSubrange(count...)
    let low = distinct.first ?? 0
    let high = distinct.last ?? 0
    let offset = low > 0 || high < 0 ? distinct[count / 2] : 0
    var standIns: [Float] = []
    standIns.reserveCapacity(count)
    for value in distinct {
      let nearest = Float(value - offset)
      standIns.append(standIns.last.map { max(nearest, $0.nextUp) } ?? nearest)
    }
    values = distinct
    self.standIns = standIns
    self.offset = offset
  }

  /// A scale of which stand-ins are known; nil where they or the values do not rise.
  public init?(standIns: [Float], values: [Double]) {
    guard standIns.count == values.count, zip(standIns, standIns.dropFirst()).allSatisfy({ $0 < $1 }),
      zip(values, values.dropFirst()).allSatisfy({ $0 <= $1 }), values.allSatisfy(\.isFinite)
    else { return nil }
    self.values = values
    self.standIns = standIns
    offset = 0
  }

  /// How many of the values are below `value`, or not above it.
  private func count(where isLow: (Double) -> Bool) -> Int {
    var (first, last) = (0, values.count)
    while first < last {
      let middle = (first + last) / 2
      if isLow(values[middle]) { first = middle + 1 } else { last = middle }
    }
    return first
  }

  /// The float that stands for a value; between two values where the value is not one of the scale's.
  public func standIn(for value: Double) -> Float {
    guard !value.isNaN, !values.isEmpty else { return .nan }
    let place = count { $0 < value }
    if place < values.count, values[place] == value { return standIns[place] }
    guard place > 0 else { return min(Float(value - offset), standIns[0].nextDown) }
    guard place < values.count else { return max(Float(value - offset), standIns[place - 1].nextUp) }
    let (low, high) = (values[place - 1], values[place])
    let (from, to) = (Double(standIns[place - 1]), Double(standIns[place]))
    return Float(from + (to - from) * (value - low) / (high - low))
  }

  /// The value that a float stands for; in proportion between two of them.
  public func value(of standIn: Float) -> Double {
    guard !standIn.isNaN, !values.isEmpty else { return .nan }
    let place = index(of: standIn)
    guard place >= 0 else { return values[0] + (Double(standIn) - Double(standIns[0])) }
    if standIns[place] == standIn { return values[place] }
    guard place + 1 < values.count else { return values[place] + (Double(standIn) - Double(standIns[place])) }
    let share =
      (Double(standIn) - Double(standIns[place]))
      / (Double(standIns[place + 1]) - Double(standIns[place]))
    return values[place] + share * (values[place + 1] - values[place])
  }

  /// The place of the last stand-in not above `standIn`; −1 where all are.
  public func index(of standIn: Float) -> Int {
    var (first, last) = (0, standIns.count)
    while first < last {
      let middle = (first + last) / 2
      if standIns[middle] <= standIn { first = middle + 1 } else { last = middle }
    }
    return first - 1
  }

  /// The threshold `t` for which `stand-in ≤ t` says of every value of the scale what `isLow` says.
  ///
  /// `isLow` holds up to some value and for none after it.
  public func threshold(where isLow: (Double) -> Bool) -> Float {
    let low = count(where: isLow)
    return low == 0 ? -.infinity : low == values.count ? .infinity : standIns[low - 1]
  }
}
