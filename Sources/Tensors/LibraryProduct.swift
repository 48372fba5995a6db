// One call of the library's product, and where products may be cut.
//
// Kernels for Haswell and Zen add up what stands at the ends of a block of columns in another order than what stands in its
// middle: a cut elsewhere changes the last bits. Columns are therefore cut at the library's own blocks alone, however many
// threads there are.

import COpenBLAS

/// `c = scale·a·b (+ c)` for the first rows and columns of three windows, on one thread.
struct LibraryProduct {
  let a: GemmOperand
  let b: GemmOperand
  let c: GemmTarget
  let rows: Int
  let columns: Int

  /// As the library does it.
  private func call(scale: Float, accumulating: Bool) {
    cblas_sgemm(
      CblasRowMajor, a.window.transposed ? CblasTrans : CblasNoTrans,
      b.window.transposed ? CblasTrans : CblasNoTrans, blasint(rows), blasint(columns),
      blasint(a.window.width), scale, a.pointer + a.window.offset, blasint(max(1, a.window.rowStride)),
      b.pointer + b.window.offset, blasint(max(1, b.window.rowStride)), accumulating ? 1 : 0,
      c.pointer + c.window.offset, blasint(max(1, c.window.rowStride)))
  }

  /// The product; cut at the places of `parts(_:_:pieces:)`, or not at all, it has the same bits.
  func run(scale: Float, accumulating: Bool) {
    func call(_ rows: Range<Int>, _ columns: Range<Int>) {
      guard !rows.isEmpty, !columns.isEmpty else { return }
      LibraryProduct(
        a: a.from(row: rows.lowerBound), b: b.from(column: columns.lowerBound),
        c: c.from(row: rows.lowerBound).from(column: columns.lowerBound), rows: rows.count,
        columns: columns.count
      ).call(scale: scale, accumulating: accumulating)
    }
    guard !Self.columnsMayBeCut else {
      call(0..<rows, 0..<columns)
      return
    }
    // The library would halve what is between one block and two.
    let evenColumns = columns / Self.block * Self.block
    let evenRows = rows / Self.tile * Self.tile
    call(0..<evenRows, 0..<evenColumns)
    call(0..<evenRows, evenColumns..<columns)
    // Rows that fill no tile are taken in other steps in a product's first block than in later ones.
    for start in stride(from: 0, to: columns, by: Self.block) {
      call(evenRows..<rows, start..<min(columns, start + Self.block))
    }
  }

  /// Rows and columns of the parts that about so many threads compute.
  static func parts(_ rows: Int, _ columns: Int, pieces: Int) -> (rows: [Range<Int>], columns: [Range<Int>]) {
    // Multiples of 48 keep the tiles of all kernels whole.
    func cut(_ length: Int, into pieces: Int) -> [Range<Int>] {
      let step = ((length + pieces - 1) / pieces + 47) / 48 * 48
      return stride(from: 0, to: length, by: step).map { $0..<min(length, $0 + step) }
    }
    if rows >= columns { return (cut(rows, into: pieces), [0..<columns]) }
    if columnsMayBeCut { return ([0..<rows], cut(columns, into: pieces)) }
    let blocks = stride(from: 0, to: columns, by: block).map { $0..<min(columns, $0 + block) }
    return (cut(rows, into: (pieces + blocks.count - 1) / blocks.count), blocks)
  }

  /// The columns that the kernels take at once whose ends differ, and their rows.
  private static let (block, tile) = (320, 12)

  /// Whether columns give the same bits wherever they are cut; found by trying.
  private static let columnsMayBeCut: Bool = {
    let (height, width, depth) = (48, 96, 37)
    var generator = SeededGenerator(seed: 1)
    let a = Tensor(
      (0..<height * depth).map { _ in Float(generator.uniform()) - 0.5 }, shape: [height, depth])
    let b = Tensor((0..<depth * width).map { _ in Float(generator.uniform()) - 0.5 }, shape: [depth, width])
    func product(cutAt step: Int) -> [Float] {
      var c = Tensor(uninitialized: [height, width])
      let target = GemmTarget(pointer: c.mutablePointer(), window: c.matrix)
      let (left, right) = (
        GemmOperand(pointer: a.pointer, window: a.matrix), GemmOperand(pointer: b.pointer, window: b.matrix)
      )
      for start in stride(from: 0, to: width, by: step) {
        LibraryProduct(
          a: left, b: right.from(column: start), c: target.from(column: start), rows: height, columns: step
        ).call(scale: 1, accumulating: false)
      }
      return c.values
    }
    return product(cutAt: width) == product(cutAt: width / 2)
  }()
}
