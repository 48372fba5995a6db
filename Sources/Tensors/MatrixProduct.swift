// The seam to BLAS in single precision; `LibraryProduct` makes the call.
//
// OpenBLAS runs single-threaded inside; large products are split here, over the same threads that the project's own
// loops use, so that a product inside a parallel loop never fights for cores.

import COpenBLAS

/// Where a matrix lies inside a tensor's elements: a row-major window, possibly read as its transpose.
public struct MatrixWindow: Sendable, Equatable {
  /// Index of the window's first element.
  public var offset: Int
  /// Stored rows (before transposition).
  public var rows: Int
  /// Stored columns (before transposition).
  public var columns: Int
  /// Distance from one stored row to the next, in elements.
  public var rowStride: Int
  /// Whether the product reads the window transposed.
  public var transposed: Bool

  /// A window of `rows` × `columns` elements at `offset`.
  public init(offset: Int = 0, rows: Int, columns: Int, rowStride: Int? = nil, transposed: Bool = false) {
    self.offset = offset
    self.rows = rows
    self.columns = columns
    self.rowStride = rowStride ?? columns
    self.transposed = transposed
  }

  /// The same window read the other way round.
  public var transpose: MatrixWindow {
    var window = self
    window.transposed.toggle()
    return window
  }

  var height: Int { transposed ? columns : rows }
  var width: Int { transposed ? rows : columns }
  var lastIndex: Int { rows == 0 || columns == 0 ? offset : offset + (rows - 1) * rowStride + columns - 1 }
}

extension Tensor {
  /// All elements as one matrix: the last axis is the columns, the others are folded into rows.
  public var matrix: MatrixWindow {
    MatrixWindow(rows: shape.dropLast().reduce(1, *), columns: shape.last ?? 1)
  }
}

/// `c = scale · a·b` (plus what was in `c` where `accumulating`), on windows of the three tensors.
///
/// Heights, widths and inner lengths must agree; `c` may not be transposed. Float32 throughout.
public func matrixProduct(
  _ a: Tensor, _ aWindow: MatrixWindow, _ b: Tensor, _ bWindow: MatrixWindow,
  into c: inout Tensor, _ cWindow: MatrixWindow, scale: Float = 1, accumulating: Bool = false
) {
  precondition(
    aWindow.width == bWindow.height && aWindow.height == cWindow.rows && bWindow.width == cWindow.columns
      && !cWindow.transposed,
    "product of \(aWindow.height)×\(aWindow.width) and \(bWindow.height)×\(bWindow.width) "
      + "into \(cWindow.rows)×\(cWindow.columns)")
  precondition(
    aWindow.lastIndex < max(a.count, 1) && bWindow.lastIndex < max(b.count, 1)
      && cWindow.lastIndex < max(c.count, 1), "a matrix window reaches past its tensor")
  guard cWindow.rows > 0, cWindow.columns > 0 else { return }
  let target = c.mutablePointer()
  withExtendedLifetime((a.storage, b.storage)) {
    gemm(
      GemmOperand(pointer: a.pointer, window: aWindow), GemmOperand(pointer: b.pointer, window: bWindow),
      GemmTarget(pointer: target, window: cWindow), scale: scale, accumulating: accumulating,
      threads: Threads.count)
  }
}

/// Many products of one shape: `c = scale · a·b (+ c)` with windows that move on by a step each, in parallel.
///
/// - Parameters:
///   - count: how many products.
///   - steps: how far the windows of `a`, `b` and `c` move from one product to the next; targets must not overlap.
public func matrixProducts(
  _ count: Int, steps: (a: Int, b: Int, c: Int), _ a: Tensor, _ aWindow: MatrixWindow, _ b: Tensor,
  _ bWindow: MatrixWindow, into c: inout Tensor, _ cWindow: MatrixWindow, scale: Float = 1,
  accumulating: Bool = false
) {
  guard count > 0, cWindow.rows > 0, cWindow.columns > 0 else { return }
  precondition(
    aWindow.width == bWindow.height && aWindow.height == cWindow.rows && bWindow.width == cWindow.columns
      && !cWindow.transposed,
    "products of \(aWindow.height)×\(aWindow.width) and \(bWindow.height)×\(bWindow.width) "
      + "into \(cWindow.rows)×\(cWindow.columns)")
  precondition(
    aWindow.lastIndex + (count - 1) * steps.a < max(a.count, 1)
      && bWindow.lastIndex + (count - 1) * steps.b < max(b.count, 1)
      && cWindow.lastIndex + (count - 1) * steps.c < max(c.count, 1),
    "a matrix window reaches past its tensor")
  let target = FloatAddress(c.mutablePointer())
  let (left, right) = (ConstFloatAddress(a.pointer), ConstFloatAddress(b.pointer))
  withExtendedLifetime((a.storage, b.storage)) {
    parallelFor(count) { index in
      gemm(
        GemmOperand(pointer: left.address + index * steps.a, window: aWindow),
        GemmOperand(pointer: right.address + index * steps.b, window: bWindow),
        GemmTarget(pointer: target.address + index * steps.c, window: cWindow), scale: scale,
        accumulating: accumulating, threads: 1)
    }
  }
}

/// `a·b`, both read as matrices over their last axis.
///
/// - Returns: shape `[rows of a, columns of b]`, or of `b` read as `[n, k]` where `transposingB`.
public func matrixProduct(_ a: Tensor, _ b: Tensor, transposingB: Bool = false) -> Tensor {
  let bWindow = transposingB ? b.matrix.transpose : b.matrix
  var c = Tensor(uninitialized: [a.matrix.rows, bWindow.width])
  matrixProduct(a, a.matrix, b, bWindow, into: &c, c.matrix)
  return c
}

/// A window on raw memory, read by a product.
struct GemmOperand: @unchecked Sendable {
  var pointer: UnsafePointer<Float>
  var window: MatrixWindow
}

/// A window on raw memory, written by a product.
struct GemmTarget: @unchecked Sendable {
  var pointer: UnsafeMutablePointer<Float>
  var window: MatrixWindow
}

/// OpenBLAS's own threads are ended once, before the first product.
private let singleThreadedBLAS: Void = openblas_end_workers()

extension Threads {
  /// Ends the threads that OpenBLAS started for itself.
  ///
  /// The first product does so anyway; at the start of a process it also keeps them from spinning beside work that
  /// needs no product.
  public static func endLibraryWorkers() { singleThreadedBLAS }
}

/// `c = scale·a·b (+ c)` on `threads` threads, split along the longer side of `c`.
///
/// The bits do not depend on the number of threads (see `LibraryProduct`).
func gemm(
  _ a: GemmOperand, _ b: GemmOperand, _ c: GemmTarget, scale: Float, accumulating: Bool, threads: Int
) {
  _ = singleThreadedBLAS
  let (m, n, k) = (c.window.rows, c.window.columns, a.window.width)
  // Below about two million multiply-adds a thread's wake-up costs more than it saves.
  let pieces = max(1, min(threads, m * n * k / 2_000_000))
  let (rows, columns) = pieces == 1 ? ([0..<m], [0..<n]) : LibraryProduct.parts(m, n, pieces: pieces)
  @Sendable func run(_ part: Int) {
    let (rows, columns) = (rows[part % rows.count], columns[part / rows.count])
    LibraryProduct(
      a: a.from(row: rows.lowerBound), b: b.from(column: columns.lowerBound),
      c: c.from(row: rows.lowerBound).from(column: columns.lowerBound), rows: rows.count,
      columns: columns.count
    ).run(scale: scale, accumulating: accumulating)
  }
  if pieces == 1 { run(0) } else { parallelFor(rows.count * columns.count) { run($0) } }
}

extension GemmOperand {
  /// The operand without the rows before one.
  func from(row: Int) -> GemmOperand {
    GemmOperand(pointer: pointer + (window.transposed ? row : row * window.rowStride), window: window)
  }

  /// The operand without the columns before one.
  func from(column: Int) -> GemmOperand {
    GemmOperand(pointer: pointer + (window.transposed ? column * window.rowStride : column), window: window)
  }
}

extension GemmTarget {
  /// The target without the rows before one.
  func from(row: Int) -> GemmTarget {
    GemmTarget(pointer: pointer + row * window.rowStride, window: window)
  }

  /// The target without the columns before one.
  func from(column: Int) -> GemmTarget {
    GemmTarget(pointer: pointer + column, window: window)
  }
}
