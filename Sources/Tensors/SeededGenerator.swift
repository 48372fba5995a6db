// The one source of randomness: the same seed gives the same numbers on every machine.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// xoshiro256++ (Blackman & Vigna 2019), seeded through SplitMix64.
public struct SeededGenerator: RandomNumberGenerator, Sendable, Equatable, Codable {
  private var state: [UInt64]

  /// A generator whose numbers depend on `seed` alone.
  public init(seed: UInt64) {
    var mixer = seed
    state = (0..<4).map { _ in splitMix64(&mixer) }
  }

  /// An independent stream for one purpose, so that adding a draw in one place does not shift another's numbers.
  public init(seed: UInt64, stream: String) {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in stream.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    self.init(seed: seed ^ hash)
  }

  /// The next 64 random bits.
  public mutating func next() -> UInt64 {
    let result = rotate(state[0] &+ state[3], 23) &+ state[0]
    let shifted = state[1] << 17
    state[2] ^= state[0]
    state[3] ^= state[1]
    state[1] ^= state[2]
    state[0] ^= state[3]
    state[2] ^= shifted
    state[3] = rotate(state[3], 45)
    return result
  }

  /// A number in [0, 1), in steps of 2⁻⁵³.
  public mutating func uniform() -> Double {
    Double(next() >> 11) * 0x1p-53
  }

  /// A whole number in `0..<bound` without bias.
  public mutating func index(below bound: Int) -> Int {
    precondition(bound > 0, "no index below \(bound)")
    return Int(next(upperBound: UInt64(bound)))
  }

  /// A standard normal number (Box–Muller; one draw of two uniforms each).
  public mutating func normal() -> Double {
    let radius = (-2 * log(1 - uniform())).squareRoot()
    return radius * cos(2 * .pi * uniform())
  }

  /// A permutation of `0..<count` (Fisher–Yates).
  public mutating func permutation(of count: Int) -> [Int] {
    var order = Array(0..<count)
    for last in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(last, index(below: last + 1))
    }
    return order
  }
}

private func rotate(_ value: UInt64, _ by: UInt64) -> UInt64 {
  (value << by) | (value >> (64 - by))
}

private func splitMix64(_ state: inout UInt64) -> UInt64 {
  state &+= 0x9e37_79b9_7f4a_7c15
  var mixed = state
  mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
  mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
  return mixed ^ (mixed >> 31)
}
