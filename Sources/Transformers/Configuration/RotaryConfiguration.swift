// The angles of rotary positions.

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
  }

  /// How many of a head's coordinates are turned; one more where this is odd, as coordinates go in pairs.
  public var dimension: Int
  /// The base of the geometric series of frequencies.
  public var base: Double
  /// How the angles are stretched.
  public var scaling: Scaling

  /// Frequencies base^(−2i / dimension), scaled.
  public init(dimension: Int, base: Double, scaling: Scaling = .none) {
    self.dimension = dimension
    self.base = base
    self.scaling = scaling
  }

  /// The angle per position of each pair of coordinates, in radians.
  public var frequencies: [Double] {
    (0..<(dimension + 1) / 2).map { pair in
      let frequency = 1 / power(base, Double(2 * pair) / Double(dimension))
      switch scaling {
      case .none: return frequency
      case .linear(let factor): return frequency / factor
      case .llama3(let factor, let low, let high, let context):
        let turns = context * frequency / (2 * .pi)
        if turns < low { return frequency / factor }
        if turns > high { return frequency }
        let blend = (turns - low) / (high - low)
        return (1 - blend) * frequency / factor + blend * frequency
      }
    }
  }

  /// Cosines and sines for positions below `length`.
  func table(length: Int) -> RotaryTable { RotaryTable(frequencies: frequencies, length: length) }
}
