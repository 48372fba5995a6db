// Safetensors files: what is written is read, and what is unsound is refused with its reason.

@testable import Checkpoints
import Files
import Foundation
import TestSupport
import Testing

import Tensors

@Suite struct SafetensorsTests {
  /// A byte that changed since the file was written is told; the digest is no part of what the writer said.
  @Test func aChangedByteIsTold() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/t.safetensors"
      try writeSafetensors(["x": .float(Tensor([1, 2, 3]))], metadata: ["seed": "4"], to: path)
      #expect(try SafetensorsFile(path: path).metadata == ["seed": "4"])
      let whole = try Data(contentsOf: URL(fileURLWithPath: path))
      // Under another name a digest is some text of the writer's.
      let name = try #require(whole.range(of: Data("headlamp_sha256".utf8)))
      for place in 8..<whole.count where !name.contains(place) {
        var bytes = whole
        bytes[place] ^= 1
        try bytes.write(to: URL(fileURLWithPath: path))
        #expect(throws: CheckpointError.self) { _ = try SafetensorsFile(path: path) }
      }
    }
  }

  /// A file of the given header text and data bytes.
  private func withFile(
    header: String, data: [UInt8] = [], claimedLength: UInt64? = nil, _ body: (String) throws -> Void
  ) throws {
    try withTemporaryFolder { folder in
      let path = folder + "/model.safetensors"
      let length = claimedLength ?? UInt64(header.utf8.count)
      var bytes = withUnsafeBytes(of: length.littleEndian) { Data($0) }
      bytes.append(contentsOf: header.utf8)
      bytes.append(contentsOf: data)
      try writeFile(bytes, to: path)
      try body(path)
    }
  }

  private func problem(of path: String) -> String? {
    do {
      _ = try SafetensorsFile(path: path)
      return nil
    } catch CheckpointError.malformed(_, let problem) {
      return problem
    } catch {
      return "\(error)"
    }
  }

  @Test func whatIsWrittenIsReadInPlace() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a.safetensors"
      let weights = Tensor([1, -2, 3.5, 0, 5, 6] as [Float], shape: [2, 3])
      try writeSafetensors(
        [
          "w": .float(weights), "ids": .int64([3, -1], shape: [2]),
          "small": .int32([7, -8, 9], shape: [3, 1]),
        ], metadata: ["format": "pt", "note": "a \"quoted\" text"], to: path)
      let file = try SafetensorsFile(path: path)
      #expect(file.names == ["ids", "small", "w"])
      #expect(file.metadata["note"] == "a \"quoted\" text")
      #expect(try file.tensor("w", shape: [2, 3]) == weights)
      #expect(try file.rows(1..<2, of: "w").values == [0, 5, 6])
      #expect(try file.integers("ids") == [3, -1])
      #expect(try file.integers("small") == [7, -8, 9])
      #expect(file.isReadInPlace("w"))

      let again = folder + "/b.safetensors"
      try writeSafetensors(
        [
          "small": .int32([7, -8, 9], shape: [3, 1]), "w": .float(weights),
          "ids": .int64([3, -1], shape: [2]),
        ], metadata: ["note": "a \"quoted\" text", "format": "pt"], to: again)
      #expect(
        try Data(contentsOf: URL(fileURLWithPath: path)) == Data(contentsOf: URL(fileURLWithPath: again)))
    }
  }

  @Test func aMappedTensorIsAValue() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a.safetensors"
      try writeSafetensors(["w": .float(Tensor([1, 2] as [Float]))], to: path)
      var changed = try SafetensorsFile(path: path).tensor("w")
      changed[0] = 9
      #expect(changed.values == [9, 2])
      #expect(try SafetensorsFile(path: path).tensor("w").values == [1, 2])
    }
  }

  @Test func everyFiniteHalfIsWidenedExactly() throws {
    for type in ["F16", "BF16"] {
      let patterns = (0...UInt16.max).filter { pattern in
        type == "F16" ? pattern & 0x7c00 != 0x7c00 : pattern & 0x7f80 != 0x7f80
      }
      let data = patterns.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
      let header =
        #"{"w":{"dtype":"\#(type)","shape":[\#(patterns.count)],"data_offsets":[0,\#(2 * patterns.count)]}}"#
      try withFile(header: header, data: data) { path in
        let values = try SafetensorsFile(path: path).tensor("w").values
        for (pattern, value) in zip(patterns, values) {
          let expected =
            type == "F16" ? Float(Float16(bitPattern: pattern)) : Float(bitPattern: UInt32(pattern) << 16)
          #expect(value.bitPattern == expected.bitPattern)
        }
      }
    }
  }

  @Test func aMissingFileIsNamed() {
    #expect(throws: FileError.unreadable(path: "/nowhere.safetensors", reason: "No such file or directory")) {
      try SafetensorsFile(path: "/nowhere.safetensors")
    }
  }

  @Test func aTruncatedFileIsRefusedAtEveryLength() throws {
    try withTemporaryFolder { folder in
      let whole = folder + "/whole"
      try writeSafetensors(["w": .float(Tensor(repeating: 1, shape: [4, 4]))], to: whole)
      let bytes = try Data(contentsOf: URL(fileURLWithPath: whole))
      for length in 0..<bytes.count {
        try writeFile(bytes.prefix(length), to: folder + "/part")
        #expect(problem(of: folder + "/part") != nil, "cut to \(length) bytes")
      }
    }
  }

  @Test(arguments: [
    ("{", "its header is not a JSON object"),
    ("[]", "its header is not a JSON object"),
    (#"{"w":{"shape":[1],"data_offsets":[0,4]}}"#, "tensor 'w' has no element type"),
    (
      #"{"w":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#,
      "tensor 'w' has no shape of whole numbers"
    ),
    (#"{"w":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, "tensor 'w' has no pair of data offsets"),
    (
      #"{"w":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}"#,
      "tensor 'w' ends at byte 12 of the data, but the file holds 8; it may be truncated"
    ),
    (
      #"{"w":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#,
      "tensor 'w' of shape [3] and type F32 needs 12 bytes, but its offsets hold 8"
    ),
    (
      #"{"w":{"dtype":"F32","shape":[4611686018427387904,8],"data_offsets":[0,8]}}"#,
      "tensor 'w' has an impossible shape [4611686018427387904, 8]"
    ),
    (
      #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
      "tensors 'a' and 'b' overlap"
    ),
  ])
  func unsoundHeaders(header: String, expected: String) throws {
    try withFile(header: header, data: [UInt8](repeating: 0, count: 8)) { path in
      #expect(problem(of: path) == expected)
    }
  }

  @Test(arguments: [9, 1 << 20, UInt64.max])
  func aHeaderLongerThanTheFileIsRefused(length: UInt64) throws {
    try withFile(header: "{}", claimedLength: length) { path in
      #expect(problem(of: path) == "its header claims \(length) bytes, but only 2 follow")
    }
  }

  @Test func unknownTypesWrongShapesAndAbsentTensors() throws {
    let header = #"{"w":{"dtype":"F4","shape":[2],"data_offsets":[0,1]}}"#
    try withFile(header: header, data: [0]) { path in
      let file = try SafetensorsFile(path: path)
      #expect(throws: CheckpointError.unsupportedType(path: path, tensor: "w", type: "F4")) {
        try file.tensor("w")
      }
      #expect(throws: CheckpointError.wrongShape(path: path, tensor: "w", found: [2], expected: [3])) {
        try file.tensor("w", shape: [3])
      }
      #expect(throws: CheckpointError.missing(path: path, tensor: "v")) { try file.tensor("v") }
    }
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity])
  func aWeightThatIsNotFiniteIsFound(value: Float) throws {
    try withTemporaryFolder { folder in
      let path = folder + "/nan.safetensors"
      for index in [0, 4095, 4096, 299_999] {
        var weights = Tensor(zeros: [300_000])
        weights[index] = value
        try writeSafetensors(["w": .float(weights)], to: path)
        let file = try SafetensorsFile(path: path)
        #expect(throws: CheckpointError.notFinite(path: path, tensor: "w", index: index)) {
          try file.tensor("w")
        }
      }
    }
  }

  @Test func productsInsideParallelLoopsStayOnTheirThread() {
    let counts = parallelMap(8) { _ in Threads.count }
    #expect(Threads.count == 1 || counts.allSatisfy { $0 == 1 })
  }
}
