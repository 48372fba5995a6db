// One centre and one scale for rows, so that a place that writes little is told as well as one that writes much.

import Tensors

/// What rows are centred at and multiplied by: the mean of some of them, and one over the root of their mean square.
public struct RowScaling: Sendable, Equatable {
  /// The mean row.
  public let centre: [Double]
  /// One factor for all columns.
  public let factor: Double

  /// The scaling of rows.
  public init(of rows: DoubleMatrix) {
    centre = rows.meanRow
    var squares = 0.0
    for index in 0..<rows.rows {
      let start = index * rows.columns
      for column in 0..<rows.columns {
        let distance = rows.values[start + column] - centre[column]
        squares += distance * distance
      }
    }
    let root = (squares / Double(max(1, rows.rows * rows.columns))).squareRoot()
    factor = root > 0 && (1 / root).isFinite ? 1 / root : 1
  }

  /// Rows, centred and scaled.
  public func applied(to rows: DoubleMatrix) -> DoubleMatrix { rows.shifted(by: centre, times: factor) }
}
