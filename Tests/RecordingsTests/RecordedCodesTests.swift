// Codes of heads' codebooks beside their outputs.

import Files
import Foundation
import TestSupport
import Tensors
import Testing

@testable import Recordings

@Suite struct RecordedCodesTests {
  private func description(
    _ position: RecordedPosition, _ codes: RecordedCodes = RecordedCodes(codes: 9, active: 2)
  ) -> RecordingDescription {
    var description = SmallRecording.description(position: position)
    description.codes = codes
    return description
  }

  /// Other numbers for every place.
  private func codes(_ examples: [Int], width: Int? = nil) -> Tensor {
    let shape = [examples.count] + (width.map { [$0] } ?? []) + [2, 3, 2]
    let count = shape.dropFirst().reduce(1, *)
    return Tensor(
      examples.flatMap { example in (0..<count).map { Float((example + $0) % 9) } }, shape: shape)
  }

  @Test func codesComeBack() throws {
    try withTemporaryFolder { folder in
      let writer = try RecordingWriter(
        path: folder + "/r.h5", description: description(.last), examples: SmallRecording.examples)
      try writer.write(headOutputs: SmallRecording.outputs([4, 0]), codes: codes([4, 0]), examples: [4, 0])
      try writer.write(
        headOutputs: SmallRecording.outputs([1, 2, 3]), codes: codes([1, 2, 3]), examples: [1, 2, 3])
      let recording = try writer.finish()
      #expect(recording.description.codes == RecordedCodes(codes: 9, active: 2))
      #expect(try recording.headCodes(examples: 0..<5) == codes([0, 1, 2, 3, 4]))
      #expect(try recording.headCodes(examples: 3..<4) == codes([3]))
      let plain = try RecordingWriter(
        path: folder + "/plain.h5", description: SmallRecording.description(),
        examples: SmallRecording.examples)
      try plain.write(headOutputs: SmallRecording.outputs([0, 1, 2, 3, 4]), examples: [0, 1, 2, 3, 4])
      #expect(try plain.finish().headCodes(examples: 0..<5) == nil)
    }
  }

  @Test func nothingIsActivePastThePromptsEnd() throws {
    try withTemporaryFolder { folder in
      let writer = try RecordingWriter(
        path: folder + "/r.h5", description: description(.each), examples: SmallRecording.examples)
      for (index, example) in SmallRecording.examples.enumerated() {
        let width = example.tokens.count
        try writer.write(
          headOutputs: SmallRecording.outputs([index], perPosition: width),
          codes: codes([index], width: width), examples: [index])
      }
      let read = try #require(try writer.finish().headCodes(examples: 0..<5))
      #expect(read.shape == [5, 3, 2, 3, 2])
      for (index, example) in SmallRecording.examples.enumerated() {
        let given = example.tokens.count * 12
        #expect(
          Array(read.row(index).values.prefix(given)) == codes([index], width: example.tokens.count).values)
        #expect(read.row(index).values.dropFirst(given).allSatisfy { $0 == -1 })
      }
    }
  }

  @Test func meansHaveNoCodesAndOtherCodebooksAreAnotherRecording() throws {
    let mean = RecordingDescription(
      task: "t", model: "m", modelSHA256: String(repeating: "0", count: 64), layers: 1, heads: 1, dModel: 1,
      position: .mean, bos: false, seed: 0, codes: RecordedCodes(codes: 9, active: 2))
    #expect(mean.codes == nil)
    try withTemporaryFolder { folder in
      let path = folder + "/r.h5"
      _ = try RecordingWriter(
        path: path, description: description(.last), examples: SmallRecording.examples)
      #expect(
        throws: RecordingError.differentPartial(
          path: path + ".partial", difference: "its codebooks is '2 of 9 codes', not '1 of 9 codes'")
      ) {
        try RecordingWriter(
          path: path, description: description(.last, RecordedCodes(codes: 9, active: 1)),
          examples: SmallRecording.examples)
      }
    }
  }

  @Test func mergedPartsKeepTheirCodes() throws {
    try withTemporaryFolder { folder in
      let paths = try (1...3).map { index in
        let manifest = try PartedRecording.manifest(index, of: 3)
        let (part, examples) = RecordedPart.cut(PartedRecording.examples, manifest)
        let path = folder + "/\(index).h5"
        let writer = try RecordingWriter(
          path: path, description: description(.last), examples: examples, part: part)
        let own = Array(manifest.range)
        try writer.write(
          headOutputs: SmallRecording.outputs(own), codes: codes(own), examples: Array(own.indices))
        try writer.finish()
        return path
      }
      let merge = try RecordingMerge(paths)
      let all = codes(Array(0..<14))
      #expect(try merge.link(to: folder + "/linked.h5").headCodes(examples: 0..<14) == all)
      #expect(try merge.copy(to: folder + "/copied.h5").headCodes(examples: 0..<14) == all)
    }
  }
}
