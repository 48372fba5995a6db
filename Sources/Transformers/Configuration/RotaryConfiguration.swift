// The angles of rotary positions.

import Synchronization
import Tensors

/// The angles by which a layer turns queries and keys.
public struct RotaryConfiguration: Sendable, Hashable {
  /// How the angles are stretched for longer contexts.
  public enum Scaling: Sendable, Hashable {
    case none
    /// All angles divided by a factor (Chen et al. 2023).
    case linear(factor: Double)
    /// Slow angles divided by a factor, fast ones kept, those between blended (Llama 3.1).
    case llama3(factor: Double, lowFrequency: Double, highFrequency: Double, originalContext: Double)
    /// As llama3, with the blend running over coordinates rather than frequencies; queries and keys grow by `amplitude`
    /// (Peng et al. 2023, "YaRN").
    case yarn(
      factor: Double, fastTurns: Double, slowTurns: Double, originalContext: Double, isTruncated: Bool,
      amplitude: Double)
    /// Each angle divided by a factor of its own: one list for prompts up to `originalContext`, one for longer ones
    /// (Ding et al. 2024, "LongRoPE").
    case longrope(short: [Double], long: [Double], originalContext: Int, amplitude: Double)
    /// The first `turned` pairs of the whole head's, divided by a factor; the others stay.
    case proportional(turned: Int, factor: Double)
  }

  /// How many of a head's coordinates are turned; one more where this is odd, as coordinates go in pairs.
  public var dimension: Int
  /// The base of the geometric series of frequencies.
  public var base: Double
  /// How the angles are stretched.
  public var scaling: Scaling
  /// Which coordinates are turned together.
  public var pairing: RotaryPairing

  /// Frequencies base^(−2i / dimension), scaled.
  public init(
    dimension: Int, base: Double, scaling: Scaling = .none, pairing: RotaryPairing = .halves
  ) {
    self.dimension = dimension
    self.base = base
    self.scaling = scaling
    self.pairing = pairing
  }

  /// The angle per position of each pair of coordinates, in radians, in prompts of at most `length` tokens.
  public func frequencies(length: Int = 1) -> [Double] {
    let plain = (0..<(dimension + 1) / 2).map { 1 / power(base, Double(2 * $0) / Double(dimension)) }
    switch scaling {
    case .none: return plain
    case .linear(let factor): return plain.map { $0 / factor }
    case .llama3(let factor, let low, let high, let context):
      return plain.map { frequency in
        let turns = context * frequency / (2 * .pi)
        if turns < low { return frequency / factor }
        if turns > high { return frequency }
        let blend = (turns - low) / (high - low)
        return (1 - blend) * frequency / factor + blend * frequency
      }
    case .yarn(let factor, let fast, let slow, let context, let isTruncated, _):
      let (low, high) = blendedPairs(fast, slow, context, isTruncated)
      return plain.enumerated().map { pair, frequency in
        let blend = min(max((Double(pair) - low) / (high - low), 0), 1)
        return blend * frequency / factor + (1 - blend) * frequency
      }
    case .longrope(let short, let long, let context, _):
      return zip(plain, length > context ? long : short).map { $0 / $1 }
    case .proportional(let turned, let factor):
      return plain.enumerated().map { $0 < turned ? $1 / factor : 0 }
    }
  }

  /// A factor on the cosines and sines of all angles.
  public var amplitude: Double {
    switch scaling {
    case .yarn(_, _, _, _, _, let amplitude), .longrope(_, _, _, let amplitude): amplitude
    default: 1
    }
  }

  /// The length up to which prompts have the same angles whatever their length; nil where all have.
  var lengthOfSameAngles: Int? {
    if case .longrope(_, _, let context, _) = scaling { context } else { nil }
  }

  /// The pairs between which YaRN's blend runs (section 3.2 and the public code).
  private func blendedPairs(
    _ fast: Double, _ slow: Double, _ context: Double, _ isTruncated: Bool
  ) -> (low: Double, high: Double) {
    func pair(turns: Double) -> Double {
      Double(dimension) * logarithm(context / (turns * 2 * .pi)) / (2 * logarithm(base))
    }
    var (low, high) = (pair(turns: fast), pair(turns: slow))
    if isTruncated { (low, high) = (low.rounded(.down), high.rounded(.up)) }
    (low, high) = (max(low, 0), min(high, Double(dimension - 1)))
    return (low, low == high ? high + 0.001 : high)
  }
}

/// The tables of cosines and sines of a model, each as long as its runs have needed so far.
final class RotaryTables: Sendable {
  private struct Key: Hashable {
    var rotary: RotaryConfiguration
    var isForLong: Bool
  }
  private let tables = Mutex<[Key: RotaryTable]>([:])

  /// The turns of a layer's rows.
  ///
  /// Where angles depend on a prompt's length, the table has those of short prompts first and those of long ones behind
  /// them, and the rows of long prompts have places there.
  func turns(_ rotary: RotaryConfiguration, _ layout: SequenceLayout) -> (table: RotaryTable, places: [Int32])
  {
    guard let limit = rotary.lengthOfSameAngles, layout.longestText > limit else {
      return (table(rotary, isForLong: false, length: layout.longestText), layout.positions)
    }
    let short = table(rotary, isForLong: false, length: limit)
    var places = layout.positions
    for sequence in layout.sequences where sequence.textLength > limit {
      for row in sequence.rows { places[Int(row)] += Int32(short.length) }
    }
    return (short.followed(by: table(rotary, isForLong: true, length: layout.longestText)), places)
  }

  private func table(_ rotary: RotaryConfiguration, isForLong: Bool, length: Int) -> RotaryTable {
    tables.withLock { tables in
      let key = Key(rotary: rotary, isForLong: isForLong)
      if let table = tables[key], table.length >= length { return table }
      // Twice as long as asked for, so that slowly growing prompts do not compute it anew each time.
      let table = RotaryTable(
        frequencies: rotary.frequencies(length: isForLong ? .max : 1), length: max(64, 2 * length),
        scale: rotary.amplitude, pairing: rotary.pairing)
      tables[key] = table
      return table
    }
  }
}
