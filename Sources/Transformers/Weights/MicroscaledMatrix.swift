// Matrices in microscaled 4-bit floats (MXFP4), as GPT-OSS's experts are published.
//
// Source: OCP Microscaling Formats 1.0: 32 neighbours share a power of two, and each is one of sixteen numbers.

import Checkpoints
import Tensors

/// A matrix `[rows, columns]` within a tensor of packed blocks `[…, columns / 32, 16]` and one of exponents
/// `[…, columns / 32]`.
struct MicroscaledMatrix: Sendable {
  private let blocks: SafetensorsFile
  private let scales: SafetensorsFile
  private let names: (blocks: String, scales: String)
  private let firstRow: Int
  let shape: [Int]

  private static let values: [Float] = [0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6]

  /// One of several matrices of a pair of tensors.
  ///
  /// - Parameters:
  ///   - name: of both tensors, without `_blocks` and `_scales`.
  ///   - index: which of `count` matrices.
  /// - Throws: `CheckpointError` where a tensor is missing, misshapen, or not of bytes.
  init(
    _ checkpoint: SafetensorsCheckpoint, _ name: String, index: Int, of count: Int, shape: [Int]
  ) throws(CheckpointError) {
    names = (name + "_blocks", name + "_scales")
    blocks = try checkpoint.file(holding: names.blocks)
    scales = try checkpoint.file(holding: names.scales)
    guard shape[1] % 32 == 0 else {
      throw .wrongShape(
        path: blocks.path, tensor: names.blocks, found: try blocks.entry(names.blocks).shape, expected: shape)
    }
    try blocks.requireShape([count, shape[0], shape[1] / 32, 16], of: names.blocks)
    try scales.requireShape([count, shape[0], shape[1] / 32], of: names.scales)
    for (file, name) in [(blocks, names.blocks), (scales, names.scales)] {
      let type = try file.entry(name).type
      guard type == "U8" else { throw .unsupportedType(path: file.path, tensor: name, type: type) }
    }
    firstRow = index * shape[0]
    self.shape = shape
  }

  /// Part of the matrix as float32: `target` becomes `[rows, columns]` of the window.
  /// - Precondition: columns are whole blocks of 32.
  func widen(rows: Range<Int>, columns: Range<Int>, into target: inout Tensor) {
    precondition(columns.lowerBound % 32 == 0 && columns.count % 32 == 0, "columns \(columns)")
    let width = shape[1] / 32
    let (first, count) = (columns.lowerBound / 32, columns.count / 32)
    target.withMutableValues { target in
      var place = 0
      for row in rows {
        let start = (firstRow + row) * width + first
        let bytes = blocks.bytes(of: names.blocks, start * 16..<(start + count) * 16)
        let exponents = scales.bytes(of: names.scales, start..<start + count)
        for block in 0..<count {
          let scale = Float(sign: .plus, exponent: Int(exponents[block]) - 127, significand: 1)
          for byte in bytes[16 * block..<16 * (block + 1)] {
            target[place] = Self.values[Int(byte & 15)] * scale
            target[place + 1] = Self.values[Int(byte >> 4)] * scale
            place += 2
          }
        }
      }
    }
  }
}
