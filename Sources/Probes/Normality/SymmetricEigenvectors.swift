// Eigenvectors of symmetric matrices, by LAPACK.

import COpenBLAS

/// Eigenvalues in rising order, and an orthonormal eigenvector for each, one a row.
func symmetricEigenvectors(_ matrix: [Double], width: Int) -> (values: [Double], vectors: [Double]) {
  precondition(matrix.count == width * width)
  guard width > 0 else { return ([], []) }
  var vectors = matrix
  var values = [Double](repeating: 0, count: width)
  var (order, lead, info) = (Int32(width), Int32(width), Int32(0))
  var (job, half) = (Int8(UInt8(ascii: "V")), Int8(UInt8(ascii: "U")))
  var (workSize, wholeSize) = (Int32(1 + 6 * width + 2 * width * width), Int32(3 + 5 * width))
  var work = [Double](repeating: 0, count: Int(workSize))
  var whole = [Int32](repeating: 0, count: Int(wholeSize))
  // Columns of the answer in LAPACK's order are rows in ours.
  unsafe dsyevd_(
    &job, &half, &order, &vectors, &lead, &values, &work, &workSize, &whole, &wholeSize, &info, 1, 1)
  precondition(info == 0, "dsyevd: \(info)")
  return (values, vectors)
}
