// Columns that give a number away together, such as the parts of a total.

import Tensors

extension Table {
  /// Two or three numeric features of which the target is a sum of multiples, largest part first; nil where there are none.
  ///
  /// Found by orthogonal matching pursuit (Pati, Rezaiifar & Krishnaprasad 1993), which stops where less than a millionth
  /// of the target's variance is left. Single features that determine the target are said by `leaks()`.
  public func jointLeak() -> [String]? {
    guard case .values(let values) = target, rowCount >= 40 else { return nil }
    let candidates = features.names.indices.filter { features.kinds[$0] == .numeric }
    var residual = Self.centred(values)
    let whole = Self.product(residual, residual)
    guard whole > 0, !residual.contains(where: \.isNaN) else { return nil }
    var chosen: [(feature: Int, direction: [Double])] = []
    while chosen.count < 3 {
      let (taken, left) = (chosen.map(\.feature), residual)
      let scores = parallelMap(candidates.count) { place -> Double in
        let feature = candidates[place]
        guard !taken.contains(feature) else { return 0 }
        let direction = Self.centred(features.column(feature))
        let size = Self.product(direction, direction)
        guard size > 0 else { return 0 }
        let product = Self.product(direction, left)
        return product * product / size
      }
      guard let best = scores.indices.max(by: { scores[$0] < scores[$1] }), scores[best] > 0 else {
        return nil
      }
      var direction = Self.centred(features.column(candidates[best]))
      for (_, other) in chosen { Self.remove(other, from: &direction) }
      guard Self.product(direction, direction) > 0 else { return nil }
      Self.remove(direction, from: &residual)
      chosen.append((candidates[best], direction))
      if Self.product(residual, residual) <= 1e-6 * whole {
        return chosen.count > 1 ? chosen.map { features.names[$0.feature] } : nil
      }
    }
    return nil
  }

  /// A column less its mean; a missing cell makes all sums NaN, which no comparison takes.
  private static func centred(_ column: [Float]) -> [Double] {
    let mean = column.reduce(0) { $0 + Double($1) } / Double(max(1, column.count))
    return column.map { Double($0) - mean }
  }

  private static func product(_ a: [Double], _ b: [Double]) -> Double {
    var sum = 0.0
    for index in a.indices { sum += a[index] * b[index] }
    return sum
  }

  /// Takes away the part of a vector that goes along a direction.
  private static func remove(_ direction: [Double], from vector: inout [Double]) {
    let size = product(direction, direction)
    guard size > 0 else { return }
    let share = product(vector, direction) / size
    for index in vector.indices { vector[index] -= share * direction[index] }
  }
}
