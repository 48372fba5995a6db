// Fields of prompts: where they come from, which of them are classes, and what is wrong with a file of them.

import Files
@testable import Probes
import Recordings
import Tensors
import TestSupport
import Testing

/// A recording of two layers of two heads, width 4, made of known numbers.
func smallRecording(
  _ folder: String, _ examples: [RecordedExample], position: RecordedPosition = .last,
  value: (_ example: Int, _ position: Int, _ layer: Int, _ head: Int, _ column: Int) -> Float
) throws -> Recording {
  let description = RecordingDescription(
    task: "planted", model: "none", modelSHA256: String(repeating: "0", count: 64), layers: 2, heads: 2,
    dModel: 4,
    position: position, bos: false, seed: 0)
  let writer = try RecordingWriter(path: folder + "/r.h5", description: description, examples: examples)
  let width = position == .each ? (examples.map(\.tokens.count).max() ?? 0) : 1
  var values: [Float] = []
  for (index, example) in examples.enumerated() {
    for place in 0..<width {
      for layer in 0..<2 {
        for head in 0..<2 {
          for column in 0..<4 {
            let isThere = position != .each || place < example.tokens.count
            values.append(isThere ? value(index, place, layer, head, column) : 0)
          }
        }
      }
    }
  }
  try writer.write(
    headOutputs: Tensor(values, shape: [examples.count] + (position == .each ? [width] : []) + [2, 2, 4]),
    examples: Array(examples.indices))
  return try writer.finish()
}

@Suite struct FieldTests {
  private func examples(_ count: Int) -> [RecordedExample] {
    (0..<count).map { index in
      RecordedExample(
        prompt: "p\(index)", tokens: index % 2 == 0 ? [1, index, 7] : [index, 8], isPositive: index % 2 == 0,
        pair: index % 2 == 0 ? index + 1 : index - 1)
    }
  }

  @Test func everyRecordingHasItsOwnFields() throws {
    try withTemporaryFolder { folder in
      let recording = try smallRecording(folder, examples(6)) { _, _, _, _, _ in 1 }
      let fields = try PromptFields(recording)
      #expect(try fields.values(of: "label") == ["1", "0", "1", "0", "1", "0"])
      #expect(try fields.values(of: "length") == ["3", "2", "3", "2", "3", "2"])
      #expect(try fields.values(of: "token:-1") == ["7", "8", "7", "8", "7", "8"])
      #expect(try fields.values(of: "token:1") == ["0", "8", "2", "8", "4", "8"])
      #expect(throws: ProbeError.noToken(prompt: 1, position: 2, length: 2)) {
        try fields.values(of: "token:2")
      }
      #expect(throws: ProbeError.noToken(prompt: 1, position: -3, length: 2)) {
        try fields.values(of: "token:-3")
      }
      #expect(throws: ProbeError.noField(name: "labl", nearest: "label", known: PromptFields.ownNames)) {
        try fields.values(of: "labl")
      }
      #expect(fields.groups[0] == fields.groups[1] && fields.groups[0] != fields.groups[2])
    }
  }

  @Test func promptsOfEqualTokensStayTogether() throws {
    try withTemporaryFolder { folder in
      let list = [[1, 2], [3, 4], [1, 2], [5, 6]].enumerated().map { index, tokens in
        RecordedExample(
          prompt: "p\(index)", tokens: tokens, isPositive: index % 2 == 0,
          pair: index % 2 == 0 ? index + 1 : index - 1)
      }
      let recording = try smallRecording(folder, list) { _, _, _, _, _ in 1 }
      // The pairs 0–1 and 2–3 are one group, as 0 and 2 are the same prompt.
      #expect(Set(try PromptFields(recording).groups).count == 1)
    }
  }

  @Test func filesOfFieldsAreTablesOrJSONLines() throws {
    let table = try FieldFile(text: "prompt,kind\n\"a, b\",x\nc,\n", path: "f.csv")
    #expect(table.names == ["prompt", "kind"] && table.lines == [2, 3])
    #expect(table.records == [["prompt": "a, b", "kind": "x"], ["prompt": "c"]])
    let lines = try FieldFile(
      text: "{\"n\": 3, \"t\": \" Mary\", \"l\": [1, 2]}\n\n{\"n\": null}\r\n", path: "f.jsonl")
    #expect(lines.records == [["n": "3", "t": " Mary", "l": "[1, 2]"], [:]] && lines.lines == [1, 3])
    let wrong: [(String, Int, String)] = [
      ("a,b\n1\n", 2, "it has 1 cells, and the header names 2 columns"),
      ("a,a\n1,2\n", 1, "two columns have one name"), ("", 1, "the file is empty"),
      ("{\"a\": 1}\n[2]\n", 2, "an object is needed, not a list"),
    ]
    for (text, line, problem) in wrong {
      #expect(throws: ProbeError.badLine(path: "f", line: line, problem: problem)) {
        try FieldFile(text: text, path: "f")
      }
    }
  }

  @Test func aFileOfOtherPromptsIsRefused() throws {
    try withTemporaryFolder { folder in
      let recording = try smallRecording(folder, examples(4)) { _, _, _, _, _ in 1 }
      func fields(_ text: String) throws -> PromptFields {
        try PromptFields(recording, beside: FieldFile(text: text, path: "f.csv"))
      }
      #expect(throws: ProbeError.otherCount(path: "f.csv", records: 1, prompts: 4)) { try fields("k\nx\n") }
      #expect(throws: ProbeError.otherPrompt(path: "f.csv", line: 4, prompt: 2)) {
        try fields("prompt,k\np0,x\np1,y\np3,x\np2,y\n")
      }
      let sound = try fields("prompt,k\np0,x\np1,y\np2,\np3,x\n")
      #expect(try sound.values(of: "k") == ["x", "y", nil, "x"])
    }
  }

  @Test func classesAreValuesThatEnoughPromptsHave() throws {
    let values: [String?] =
      [String](repeating: "10", count: 12) + [String](repeating: "9", count: 10) + ["8", "8", nil]
    let target = try ProbeTarget(field: "f", values: values)
    #expect(target.classes == ["9", "10"] && target.rare == (1, 2) && target.withoutValue == 1)
    #expect(target.labels.prefix(2) == [1, 1] && target.prompts == Array(0..<22))
    #expect(throws: ProbeError.tooFewClasses(field: "f", classes: 1, least: 10, examples: 15)) {
      try ProbeTarget(field: "f", values: Array(values[10...]))
    }
    #expect(throws: ProbeError.tooManyClasses(field: "f", classes: 101, most: 100)) {
      try ProbeTarget(field: "f", values: (0..<1010).map { "\($0 % 101)" })
    }
  }

  @Test func rowsOfPlacesAreThoseOfTheRecording() throws {
    try withTemporaryFolder { folder in
      let recording = try smallRecording(folder, examples(6), position: .each) {
        Float(10_000 * $0 + 1000 * $1 + 100 * $2 + 10 * $3 + $4)
      }
      #expect(RecordedRows.positions(of: recording) == [-1, -2, -3])
      #expect(RecordedRows.prompts(of: recording, at: -3) == [0, 2, 4])
      // Memory for one layer, and for both.
      for memory in [1, 1 << 30] {
        var rows = RecordedRows(recording, memory: memory)
        let head = try rows.rows(Place(.head, layer: 1, head: 1, position: -1), prompts: [0, 3])
        #expect(head.values == [2110, 2111, 2112, 2113, 31110, 31111, 31112, 31113])
        let layer = try rows.rows(Place(.layer, layer: 0, position: -2), prompts: [3])
        #expect(layer.values == [60010, 60012, 60014, 60016])
        let stream = try rows.rows(Place(.stream, layer: 1, position: -2), prompts: [3])
        #expect(stream.values == [120220, 120224, 120228, 120232])
      }
    }
  }

  /// Prompts that are all the same are one group, which trains or is held out.
  @Test func promptsThatHangTogetherAreRefused() throws {
    try withTemporaryFolder { folder in
      let list = (0..<40).map { index in
        RecordedExample(prompt: "p", tokens: [index % 2], isPositive: index % 2 == 0)
      }
      let recording = try smallRecording(folder, list) { _, _, _, _, _ in 1 }
      let fields = try PromptFields(recording)
      let target = try ProbeTarget(field: "label", values: fields.values(of: "label"))
      let probes = try PlaceProbes(recording, target, groups: fields.groups, kinds: nil)
      #expect(throws: ProbeError.cannotSplit(field: "label", name: "0", isTraining: true)) {
        try probes.requireSplits(ProbeOptions())
      }
    }
  }
}
