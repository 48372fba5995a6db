// GGUF files: numbers in blocks equal what the `gguf` package makes of them (Golden/make_gguf.py), and damaged files are
// refused.

import Files
import Foundation
import Tensors
import TestSupport
import Testing

@testable import Checkpoints

@Suite struct GGUFTests {
  private static let folder = packageFolder + "/Tests/CheckpointsTests/Golden/"

  @Test(arguments: ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"])
  func blocksEqualThePackages(format: String) throws {
    let tensors = try GGUFFile(path: Self.folder + "blocks.gguf").tensors
    let expected = try SafetensorsFile(path: Self.folder + "blocks.safetensors").tensor(format)
    #expect(try tensors.entry(format).type == format)
    let found = try tensors.tensor(format, shape: [3, 256])
    let size = expected.values.map(\.magnitude).max() ?? 1
    #expect(zip(found.values, expected.values).allSatisfy { abs($0 - $1) <= 1e-6 * size })
    // A part by itself, as large matrices are read.
    var part = Tensor(zeros: [2 * 256])
    try tensors.widen(rows: 1..<3, columns: 0..<256, of: format, into: &part)
    #expect(part.values == Array(found.values[256...]))
  }

  @Test func damagedFilesAreRefused() throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: Self.folder + "blocks.gguf"))
    try withTemporaryFolder { folder in
      let path = folder + "/m.gguf"
      for length in [0, 3, 7, 20, 60, 200, 400, whole.count - 300] {
        try whole.prefix(length).write(to: URL(fileURLWithPath: path))
        #expect(throws: (any Error).self, "\(length) bytes") { try GGUFFile(path: path) }
      }
      var other = whole
      other[4] = 9
      try other.write(to: URL(fileURLWithPath: path))
      #expect(throws: CheckpointError.self) { try GGUFFile(path: path) }
    }
  }

  /// Every 8-bit float of both kinds, against the formats' own definitions.
  @Test func float8() throws {
    let bytes = (0...255).map { UInt8($0) }
    func e4m3(_ b: UInt8) -> Float {
      let (e, m) = (Int(b >> 3 & 15), Float(b & 7))
      if e == 15, b & 7 == 7 { return .nan }
      let value = e == 0 ? m / 512 : Float(sign: .plus, exponent: e - 7, significand: 1 + m / 8)
      return b & 128 != 0 ? -value : value
    }
    func e5m2(_ b: UInt8) -> Float { Float(Float16(bitPattern: UInt16(b) << 8)) }
    for (type, expected) in [("F8_E4M3", bytes.map(e4m3)), ("F8_E5M2", bytes.map(e5m2))] {
      let finite = bytes.filter { expected[Int($0)].isFinite }
      let header =
        "{\"w\":{\"dtype\":\"\(type)\",\"shape\":[\(finite.count)],\"data_offsets\":[0,\(finite.count)]}}"
      var data = Data()
      withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { data.append(contentsOf: $0) }
      data.append(contentsOf: header.utf8)
      data.append(contentsOf: finite)
      try withTemporaryFolder { folder in
        try data.write(to: URL(fileURLWithPath: folder + "/w.safetensors"))
        let tensor = try SafetensorsFile(path: folder + "/w.safetensors").tensor("w")
        #expect(tensor.values == finite.map { expected[Int($0)] })
      }
    }
  }
}
