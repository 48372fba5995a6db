// Fewer columns without any loss: rows in coordinates of the space that they span.

import Tensors

/// The space that some rows span, where that is smaller than all.
///
/// The weights of a penalised fit are sums of the rows it was fitted to, so that nothing outside of their space matters,
/// and the penalty is the same in any orthonormal coordinates: the fit is that of the rows as they stand.
struct RowSpace {
  /// Orthonormal directions `[coordinate, width]`; nil where the rows are as many as columns or more.
  private let basis: DoubleMatrix?

  init(spannedBy rows: DoubleMatrix) {
    guard rows.rows < rows.columns else {
      basis = nil
      return
    }
    // XXᵀ = U λ Uᵀ, and the directions are Uᵀ X / √λ.
    let found = SymmetricEigenvectors(of: doubleProduct(rows, rows, transposingB: true))
    let least = 1e-12 * max(found.values.last ?? 0, .leastNormalMagnitude)
    let kept = found.values.indices.filter { found.values[$0] > least }
    var directions = doubleProduct(found.vectors.selected(kept), rows)
    for (place, index) in kept.enumerated() {
      let factor = 1 / found.values[index].squareRoot()
      for column in 0..<directions.columns {
        directions.values[place * directions.columns + column] *= factor
      }
    }
    basis = directions
  }

  /// Rows in these coordinates.
  func coordinates(of rows: DoubleMatrix) -> DoubleMatrix {
    basis.map { doubleProduct(rows, $0, transposingB: true) } ?? rows
  }

  /// A fit in these coordinates as one of rows as they stand.
  func widened(_ fit: LogisticRegression) -> LogisticRegression {
    guard let basis else { return fit }
    return LogisticRegression(
      classCount: fit.classCount, weights: doubleProduct(fit.weights, basis), intercepts: fit.intercepts)
  }
}
