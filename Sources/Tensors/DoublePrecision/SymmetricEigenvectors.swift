// Eigenvectors of symmetric matrices, by LAPACK.

import COpenBLAS

/// Eigenvalues and eigenvectors of a symmetric matrix.
public struct SymmetricEigenvectors: Sendable {
  /// The eigenvalues, in rising order.
  public let values: [Double]
  /// An orthonormal eigenvector for each, one a row.
  public let vectors: DoubleMatrix

  /// Finds them all.
  /// - Precondition: the matrix is square and its elements are finite.
  public init(of matrix: DoubleMatrix) {
    precondition(matrix.rows == matrix.columns, "eigenvectors of \(matrix.rows)×\(matrix.columns)")
    precondition(matrix.values.allSatisfy(\.isFinite), "eigenvectors of a matrix that is not finite")
    Threads.endLibraryWorkers()
    let width = matrix.rows
    guard width > 0 else {
      values = []
      vectors = matrix
      return
    }
    var columns = matrix.values
    var found = [Double](repeating: 0, count: width)
    var (order, info) = (Int32(width), Int32(0))
    var (workSize, wholeSize) = (Int32(1 + 6 * width + 2 * width * width), Int32(3 + 5 * width))
    var work = [Double](repeating: 0, count: Int(workSize))
    var whole = [Int32](repeating: 0, count: Int(wholeSize))
    var (job, half) = (CChar(UInt8(ascii: "V")), CChar(UInt8(ascii: "U")))
    var lead = order
    dsyevd_(
      &job, &half, &order, &columns, &lead, &found, &work, &workSize, &whole, &wholeSize, &info, 1, 1)
    precondition(info == 0, "dsyevd did not converge: \(info)")
    values = found
    // Columns in LAPACK's order are rows in ours.
    vectors = DoubleMatrix(columns, rows: width, columns: width)
  }
}
