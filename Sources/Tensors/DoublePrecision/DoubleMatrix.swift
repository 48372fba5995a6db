// Matrices of doubles, for estimators that float32 is too coarse for.

import COpenBLAS

/// A matrix of doubles in row-major order.
public struct DoubleMatrix: Sendable, Equatable {
  /// The number of rows.
  public let rows: Int
  /// The number of columns.
  public let columns: Int
  /// The elements, row by row.
  public var values: [Double]

  /// A matrix of known elements.
  /// - Precondition: there are `rows · columns` of them.
  public init(_ values: [Double], rows: Int, columns: Int) {
    precondition(values.count == rows * columns, "\(values.count) values do not fill \(rows)×\(columns)")
    self.rows = rows
    self.columns = columns
    self.values = values
  }

  /// A matrix of zeros.
  public init(rows: Int, columns: Int) {
    self.init([Double](repeating: 0, count: rows * columns), rows: rows, columns: columns)
  }

  /// A tensor of two axes, widened.
  public init(_ tensor: Tensor) {
    precondition(tensor.rank == 2, "a matrix of shape \(tensor.shape)")
    rows = tensor.shape[0]
    columns = tensor.shape[1]
    values = tensor.withValues { values in
      [Double](unsafeUninitializedCapacity: values.count) { buffer, initialized in
        for place in values.indices { buffer[place] = Double(values[place]) }
        initialized = values.count
      }
    }
  }

  /// The matrix in float32.
  public var tensor: Tensor { Tensor(values.map { Float($0) }, shape: [rows, columns]) }

  /// One row.
  public func row(_ index: Int) -> ArraySlice<Double> { values[index * columns..<(index + 1) * columns] }

  /// Some rows, in the order given.
  public func selected(_ chosen: [Int]) -> DoubleMatrix {
    var picked: [Double] = []
    picked.reserveCapacity(chosen.count * columns)
    for index in chosen { picked += row(index) }
    return DoubleMatrix(picked, rows: chosen.count, columns: columns)
  }

  /// The mean row.
  public var meanRow: [Double] {
    var mean = [Double](repeating: 0, count: columns)
    for index in 0..<rows {
      let start = index * columns
      for column in 0..<columns { mean[column] += values[start + column] }
    }
    return mean.map { $0 / Double(max(1, rows)) }
  }

  /// `factor · (row − centre)` for every row.
  public func shifted(by centre: [Double], times factor: Double = 1) -> DoubleMatrix {
    precondition(centre.count == columns)
    var result = self
    for index in 0..<rows {
      let start = index * columns
      for column in 0..<columns {
        result.values[start + column] = (values[start + column] - centre[column]) * factor
      }
    }
    return result
  }
}

/// `a·b`, either of them read as its transpose.
public func doubleProduct(
  _ a: DoubleMatrix, transposingA: Bool = false, _ b: DoubleMatrix, transposingB: Bool = false
) -> DoubleMatrix {
  Threads.endLibraryWorkers()
  let (height, inner) = transposingA ? (a.columns, a.rows) : (a.rows, a.columns)
  let (otherInner, width) = transposingB ? (b.columns, b.rows) : (b.rows, b.columns)
  precondition(inner == otherInner, "product of \(height)×\(inner) and \(otherInner)×\(width)")
  var result = DoubleMatrix(rows: height, columns: width)
  guard height > 0, width > 0, inner > 0 else { return result }
  let (leadA, leadB) = (blasint(a.columns), blasint(b.columns))
  if width == 1 {
    cblas_dgemv(
      CblasRowMajor, transposingA ? CblasTrans : CblasNoTrans, blasint(a.rows), leadA, 1, a.values, leadA,
      b.values, 1, 0, &result.values, 1)
  } else if height == 1 {
    cblas_dgemv(
      CblasRowMajor, transposingB ? CblasNoTrans : CblasTrans, blasint(b.rows), leadB, 1, b.values, leadB,
      a.values, 1, 0, &result.values, 1)
  } else {
    cblas_dgemm(
      CblasRowMajor, transposingA ? CblasTrans : CblasNoTrans, transposingB ? CblasTrans : CblasNoTrans,
      blasint(height), blasint(width), blasint(inner), 1, a.values, leadA, b.values, leadB, 0, &result.values,
      blasint(width))
  }
  return result
}
