// Rotary positions: pairs of a head's coordinates are turned by angles that grow with the position.
//
// Source: Su et al. 2021, "RoFormer".

import CKernels

/// Which coordinates of a head are turned together.
public enum RotaryPairing: Sendable, Hashable {
  /// (i, i + d/2), as in most models' published weights.
  case halves
  /// (2i, 2i + 1), as in the paper (GPT-J, Cohere, GLM).
  case neighbours
}

/// Cosines and sines of every position's angles.
public struct RotaryTable: Sendable, Equatable {
  /// Which coordinates are turned together.
  public let pairing: RotaryPairing
  /// How many of a head's coordinates are turned; the first ones.
  public let dimension: Int
  /// `[position, dimension / 2]`
  let cosines: Tensor
  let sines: Tensor

  /// A table for positions below `length`.
  ///
  /// - Parameters:
  ///   - frequencies: angle per position of each pair, in radians.
  ///   - scale: a factor on both cosines and sines.
  public init(
    frequencies: [Double], length: Int, scale: Double = 1, pairing: RotaryPairing = .halves
  ) {
    self.pairing = pairing
    dimension = 2 * frequencies.count
    // Angles as the published implementations compute them: float32 frequency times float32 position.
    let angles = (0..<length).flatMap { position in
      frequencies.map { Float($0) * Float(position) }
    }
    let shape = [length, frequencies.count]
    cosines = Tensor(angles.map { Float(cosine(Double($0)) * scale) }, shape: shape)
    sines = Tensor(angles.map { Float(sine(Double($0)) * scale) }, shape: shape)
  }

  /// Number of positions that the table has angles for.
  public var length: Int { cosines.shape[0] }

  private init(dimension: Int, cosines: Tensor, sines: Tensor, pairing: RotaryPairing) {
    (self.dimension, self.cosines, self.sines, self.pairing) = (dimension, cosines, sines, pairing)
  }

  /// This table's rows followed by another's.
  public func followed(by other: RotaryTable) -> RotaryTable {
    precondition(dimension == other.dimension && pairing == other.pairing, "tables of different turns")
    let shape = [length + other.length, dimension / 2]
    return RotaryTable(
      dimension: dimension, cosines: Tensor(cosines.values + other.cosines.values, shape: shape),
      sines: Tensor(sines.values + other.sines.values, shape: shape), pairing: pairing)
  }
}

/// Turns each head's vector by its row's position, in place.
///
/// - Parameter positions: the position of every row.
public func rotateHeads(_ x: inout Tensor, _ heads: HeadColumns, positions: [Int32], _ table: RotaryTable) {
  turnHeads(
    &x, heads, positions: positions, table,
    by: table.pairing == .halves ? ck_rotate_halves : ck_rotate_neighbours)
}

/// Turns each head's vector back by its row's position, in place: the adjoint of `rotateHeads`.
public func rotateHeadsBack(
  _ x: inout Tensor, _ heads: HeadColumns, positions: [Int32], _ table: RotaryTable
) {
  turnHeads(
    &x, heads, positions: positions, table,
    by: table.pairing == .halves ? ck_rotate_halves_back : ck_rotate_neighbours_back)
}

private func turnHeads(
  _ x: inout Tensor, _ heads: HeadColumns, positions: [Int32], _ table: RotaryTable,
  by turn:
    @Sendable (UnsafeMutablePointer<Float>?, UnsafePointer<Float>?, UnsafePointer<Float>?, Int) -> Void
) {
  heads.check(x)
  precondition(
    positions.count == x.count / heads.rowStride && table.dimension <= heads.width,
    "\(positions.count) positions and \(table.dimension) turned coordinates for \(x.shape)")
  let half = table.dimension / 2
  let last = table.cosines.shape[0]
  precondition(positions.allSatisfy { $0 >= 0 && $0 < last }, "a position beyond the table's \(last)")
  let base = FloatAddress(x.mutablePointer())
  withExtendedLifetime((table.cosines.storage, table.sines.storage)) {
    let cosines = ConstFloatAddress(table.cosines.pointer)
    let sines = ConstFloatAddress(table.sines.pointer)
    parallelRanges(positions.count, minimum: max(1, (1 << 13) / heads.rowStride)) { rows in
      for row in rows {
        let angle = Int(positions[row]) * half
        for head in 0..<heads.count {
          turn(
            base.address + heads.start(row: row, head: head), cosines.address + angle, sines.address + angle,
            half)
        }
      }
    }
  }
}
