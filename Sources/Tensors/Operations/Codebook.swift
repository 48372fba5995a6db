// Codebooks on rows: which codes are nearest to a row's vectors, the sum of these codes, and the way back
// (Tamkin, Taufeeque & Goodman 2023, section 3).

import CKernels

/// How near a code is to a vector.
public enum CodeSimilarity: String, Sendable, CaseIterable {
  /// x·c.
  case innerProduct = "inner-product"
  /// x·c / (|x| |c|).
  case cosine
  /// −|x − c|.
  case euclidean
}

/// Several codebooks side by side: book b reads and writes columns `b · width..<(b + 1) · width` of a row.
public struct CodebookShape: Sendable, Equatable {
  /// Number of books.
  public var books: Int
  /// Codes of a book.
  public var codes: Int
  /// Codes that are summed, the nearest ones.
  public var active: Int
  /// Length of a code.
  public var width: Int

  /// A shape.
  public init(books: Int, codes: Int, active: Int, width: Int) {
    self.books = books
    self.codes = codes
    self.active = active
    self.width = width
  }

  /// Columns of a row.
  public var columns: Int { books * width }
}

/// The numbers of the nearest codes of every row, nearest first; of equally near ones the first.
///
/// - Parameters:
///   - x: `[rows, books · width]`.
///   - codes: `[books · codes, width]`.
///   - handicaps: what each code's similarity is lowered by, `[books · codes]`, in units of x·c (cosine: of |x| times the
///     cosine; Euclidean: of half the squared distance); nil for none.
///   - chosen: gets `[rows, books, active]`, numbers from 0 in each book.
public func nearestCodes(
  _ x: Tensor, _ codes: Tensor, _ shape: CodebookShape, _ similarity: CodeSimilarity,
  handicaps: Tensor? = nil, into chosen: inout Tensor
) {
  precondition(codes.count == shape.books * shape.codes * shape.width, "codes of shape \(codes.shape)")
  precondition(
    handicaps.map { $0.count == shape.books * shape.codes } ?? true, "handicaps of \(handicaps?.shape ?? [])")
  let rows = x.count / max(1, shape.columns)
  chosen.become(uninitialized: [rows, shape.books, shape.active])
  var (keys, offsets) = searchKeys(codes, similarity)
  if let handicaps { offsets.add(handicaps, times: -1) }
  // As many rows at once as keep their scores in cache.
  let chunk = max(16, min(rows, (1 << 18) / max(1, shape.codes)))
  var scores = Tensor(zeros: [0])
  for first in stride(from: 0, to: rows, by: chunk) {
    let count = min(chunk, rows - first)
    scores.become(uninitialized: [count, shape.codes])
    for book in 0..<shape.books {
      matrixProduct(
        x,
        MatrixWindow(
          offset: first * shape.columns + book * shape.width, rows: count, columns: shape.width,
          rowStride: shape.columns),
        keys,
        MatrixWindow(
          offset: book * shape.codes * shape.width, rows: shape.codes, columns: shape.width
        ).transpose, into: &scores, scores.matrix)
      let target = chosen.mutablePointer() + (first * shape.books + book) * shape.active
      withExtendedLifetime(offsets.storage) {
        ck_largest_columns(
          scores.mutablePointer(), offsets.pointer + book * shape.codes, count, shape.codes, shape.active,
          target, shape.books * shape.active)
      }
    }
  }
}

/// What rows are multiplied by and what is added, so that the largest score is the nearest code.
private func searchKeys(_ codes: Tensor, _ similarity: CodeSimilarity) -> (keys: Tensor, offsets: Tensor) {
  let width = codes.shape.last ?? 1
  let count = codes.count / max(1, width)
  guard similarity != .innerProduct else { return (codes, Tensor(zeros: [count])) }
  var squares = [Float](repeating: 0, count: count)
  codes.withValues { values in
    for code in 0..<count {
      var sum: Float = 0
      for column in 0..<width { sum += values[code * width + column] * values[code * width + column] }
      squares[code] = sum
    }
  }
  if similarity == .euclidean { return (codes, Tensor(squares.map { -0.5 * $0 })) }
  var keys = codes
  keys.withMutableValues { values in
    for code in 0..<count where squares[code] > 0 {
      let scale = 1 / squares[code].squareRoot()
      for column in 0..<width { values[code * width + column] *= scale }
    }
  }
  return (keys, Tensor(zeros: [count]))
}

/// The sum of the chosen codes of every row, `[rows, books · width]`; numbers that are not those of a code add nothing.
public func sumCodes(_ chosen: Tensor, _ codes: Tensor, _ shape: CodebookShape, into target: inout Tensor) {
  let rows = chosen.count / max(1, shape.books * shape.active)
  target.become(uninitialized: [rows, shape.columns])
  let out = target.mutablePointer()
  withExtendedLifetime((chosen.storage, codes.storage)) {
    for book in 0..<shape.books {
      ck_sum_codes(
        codes.pointer + book * shape.codes * shape.width, shape.codes, shape.width,
        chosen.pointer + book * shape.active, shape.books * shape.active, shape.active, rows,
        out + book * shape.width, shape.columns)
    }
  }
}

/// Adds the gradient of the codes: that of their sum, `dy`, plus `pull` times the sum's error, y − x.
///
/// With pull = 2 / rows the second part is the gradient of the mean squared distance of row and sum.
///
/// - Parameters:
///   - dy: the gradient of the sum `[rows, books · width]`.
///   - x: what the codes stand for.
///   - y: the sum of codes.
///   - gradient: holds the gradient of the codes at `place`.
public func addCodeGradient(
  _ dy: Tensor, x: Tensor, y: Tensor, _ chosen: Tensor, _ shape: CodebookShape, pull: Float,
  to gradient: inout Tensor, _ place: VectorWindow
) {
  place.check(in: gradient)
  precondition(place.count == shape.books * shape.codes * shape.width, "a gradient of \(place.count) numbers")
  let rows = chosen.count / max(1, shape.books * shape.active)
  let out = gradient.mutablePointer() + place.offset
  withExtendedLifetime((dy.storage, x.storage, y.storage, chosen.storage)) {
    for book in 0..<shape.books {
      let column = book * shape.width
      ck_add_code_gradient(
        dy.pointer + column, x.pointer + column, y.pointer + column, shape.columns, shape.width,
        chosen.pointer + book * shape.active, shape.books * shape.active, shape.active, rows, shape.codes,
        pull, out + book * shape.codes * shape.width)
    }
  }
}
