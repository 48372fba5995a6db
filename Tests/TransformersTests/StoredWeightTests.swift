// Matrices that stay in their file: widened part by part, they must be what they are when widened whole.

import Checkpoints
import Files
import Foundation
import Tensors
import TestSupport
import Testing

@testable import Transformers

@Suite struct StoredWeightTests {
  /// A file with one matrix of bfloat16 numbers, and the same numbers as float32.
  private func withStored(
    rows: Int, columns: Int, _ body: (SafetensorsFile, Tensor) throws -> Void
  ) throws {
    var generator = SeededGenerator(seed: 12)
    let halves = (0..<rows * columns).map { _ in
      UInt16(truncatingIfNeeded: Float(generator.normal()).bitPattern >> 16)
    }
    let header =
      #"{"w":{"dtype":"BF16","shape":[\#(rows),\#(columns)],"data_offsets":[0,\#(2 * halves.count)]}}"#
    var data = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) }
    data += Data(header.utf8)
    for half in halves { data += [UInt8(half & 0xff), UInt8(half >> 8)] }
    try withTemporaryFolder { folder in
      try writeFile(data, to: folder + "/w.safetensors")
      try body(
        SafetensorsFile(path: folder + "/w.safetensors"),
        Tensor(halves.map { Float(bitPattern: UInt32($0) << 16) }, shape: [rows, columns]))
    }
  }

  @Test func partsAreWindowsOfTheWhole() throws {
    try withStored(rows: 70, columns: 45) { file, whole in
      for (rows, columns) in [(0..<70, 0..<45), (3..<70, 0..<45), (0..<70, 44..<45), (69..<70, 7..<19)] {
        var part = Tensor(zeros: [rows.count * columns.count])
        try file.widen(rows: rows, columns: columns, of: "w", into: &part)
        let expected = rows.flatMap { row in columns.map { whole[row, $0] } }
        #expect(part.values == expected, "rows \(rows), columns \(columns)")
      }
    }
  }

  @Test(arguments: [Linear.Orientation.inputOutput, .outputInput])
  func productsByPartsEqualTheWholeProduct(orientation: Linear.Orientation) throws {
    try withStored(rows: 300, columns: 200) { file, whole in
      let weight = try Weight(file, "w", shape: [300, 200])
      #expect(!weight.isResident)
      var parts: [Range<Int>] = []
      try weight.forEachPart(splittingRows: orientation == .outputInput, elements: 64 * 300) { _, range in
        parts.append(range)
      }
      #expect(parts.count > 1)
      #expect(parts.flatMap { $0 } == Array(0..<(orientation == .outputInput ? 300 : 200)))

      let stored = Linear(weight, orientation)
      let resident = Linear(Weight(whole), orientation)
      var generator = SeededGenerator(seed: 13)
      let x = Tensor(
        (0..<5 * stored.inputs).map { _ in Float(generator.normal()) }, shape: [5, stored.inputs])
      #expect(largestDifference(try stored(x), try resident(x)) < 1e-4)
    }
  }

  @Test func aValueThatIsNotFiniteIsFoundWhereItIs() throws {
    try withStored(rows: 8, columns: 6) { file, _ in
      let bytes = try Data(contentsOf: URL(fileURLWithPath: file.path))
      var damaged = bytes
      // Row 5, column 2: element 32; 0x7f80 is infinity.
      damaged.replaceSubrange(bytes.count - 2 * (48 - 32)..<bytes.count - 2 * (48 - 33), with: [0x80, 0x7f])
      let path = file.path + ".damaged"
      try writeFile(damaged, to: path)
      var part = Tensor(zeros: [8])
      #expect(throws: CheckpointError.notFinite(path: path, tensor: "w", index: 32)) {
        try SafetensorsFile(path: path).widen(rows: 4..<8, columns: 1..<3, of: "w", into: &part)
      }
    }
  }
}
