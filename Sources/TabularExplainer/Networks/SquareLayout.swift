// Which feature stands where in the square image that a convolution sees.

import Tensors

/// A square image of design columns.
///
/// A convolution finds patterns among neighbours, and columns of a table have none. They are therefore put in the
/// order of their loadings on the first principal component, row by row there and back (a serpentine), so that
/// neighbours vary together. The order is part of the model and is saved with it.
struct SquareLayout: Sendable, Equatable, Codable {
  /// The image's height and width, a multiple of 8.
  let side: Int
  /// The design column at every pixel, row by row; −1 where the image is larger than the table.
  let columnAtPixel: [Int]
  /// The pixel of every design column.
  let pixelOfColumn: [Int]

  /// The layout of a training design matrix.
  init(of design: Tensor, seed: UInt64) {
    self.init(order: Self.serialOrder(design, seed: seed))
  }

  /// A layout from columns in the order they are to be laid out.
  init(order: [Int]) {
    var side = 8
    while side * side < order.count { side += 8 }
    self.side = side
    var columns = [Int](repeating: -1, count: side * side)
    var pixels = [Int](repeating: 0, count: order.count)
    for (place, column) in order.enumerated() {
      let (y, x) = (place / side, place % side)
      let pixel = y * side + (y % 2 == 0 ? x : side - 1 - x)
      columns[pixel] = column
      pixels[column] = pixel
    }
    columnAtPixel = columns
    pixelOfColumn = pixels
  }

  /// Columns by rising loading on the first principal component, found by power iteration.
  private static func serialOrder(_ design: Tensor, seed: UInt64) -> [Int] {
    let width = design.shape[1]
    var generator = SeededGenerator(seed: seed, stream: "layout")
    var loading = Tensor((0..<width).map { _ in Float(generator.normal()) }, shape: [width, 1])
    for _ in 0..<20 {
      let scores = matrixProduct(design, loading)
      var next = Tensor(zeros: [width, 1])
      matrixProduct(
        design, design.matrix.transpose, scores, scores.matrix, into: &next, next.matrix)
      let length = next.values.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
      guard length > 0, length.isFinite else { return Array(0..<width) }
      loading = next.scaled(by: Float(1 / length))
    }
    let values = loading.values
    return (0..<width).sorted { (values[$0], $0) < (values[$1], $1) }
  }

  /// `[rows, columns]` → `[rows, 1, side, side]`.
  func image(_ design: Tensor, filler: Float) -> Tensor {
    design.gatheringColumns(columnAtPixel, filler: filler).reshaped([design.shape[0], 1, side, side])
  }

  /// `[rows, 1, side, side]` → `[rows, columns]`.
  func columns(_ image: Tensor) -> Tensor {
    image.reshaped([image.shape[0], side * side]).gatheringColumns(pixelOfColumn)
  }
}
