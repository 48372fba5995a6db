// Model folders: element types, shards, and what is refused with its name.

import Checkpoints
import Files
import Foundation
import TestSupport
import Testing

@testable import Tensors
@testable import Transformers

@Suite struct LoadingTests {
  private static let batch = TokenBatch([[1, 2, 3, 4], [5, 6]])

  /// Writes a model with all tensors in a 16-bit type, and a second one with the same values in float32.
  private func writeNarrow(_ type: String, to folder: String, wide: String) throws {
    let model = TestModel()
    try model.write(to: folder)
    try model.write(to: wide)
    var header: [JSONMember] = []
    var data: [UInt8] = []
    var widened: [String: SafetensorsValue] = [:]
    for (name, tensor) in model.tensors.sorted(by: { $0.key < $1.key }) {
      let halves = tensor.values.map { value in
        type == "F16" ? Float16(value).bitPattern : UInt16(value.bitPattern >> 16)
      }
      widened[name] = .float(
        Tensor(
          halves.map { type == "F16" ? Float(Float16(bitPattern: $0)) : Float(bitPattern: UInt32($0) << 16) },
          shape: tensor.shape))
      let start = data.count
      data += halves.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
      header.append(
        JSONMember(
          name,
          .object([
            JSONMember("dtype", .string(type)),
            JSONMember("shape", .array(tensor.shape.map { .integer($0) })),
            JSONMember("data_offsets", .array([.integer(start), .integer(data.count)])),
          ])))
    }
    // An odd header length, so that the elements lie at odd addresses.
    var text = Array(JSONValue.object(header).line.utf8)
    if text.count % 2 == 0 { text.append(0x20) }
    let bytes = Data(withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) } + text + data)
    try writeFile(bytes, to: folder + "/model.safetensors")
    try writeSafetensors(widened, to: wide + "/model.safetensors")
  }

  @Test(arguments: ["F16", "BF16"])
  func narrowFilesEqualTheirWidenedFloats(type: String) throws {
    try withTemporaryFolder { narrow in
      try withTemporaryFolder { wide in
        try writeNarrow(type, to: narrow, wide: wide)
        let (a, b) = (try Transformer(folder: narrow), try Transformer(folder: wide))
        let logits = (
          try a.run(Self.batch, reading: [.logits])[.logits],
          try b.run(Self.batch, reading: [.logits])[.logits]
        )
        #expect(logits.0 == logits.1)
        #expect(
          try a.headOutputs(of: Self.batch, pooling: .last) == b.headOutputs(of: Self.batch, pooling: .last))
      }
    }
  }

  @Test func shardsEqualOneFile() throws {
    try withTemporaryFolder { folder in
      let model = TestModel()
      try model.write(to: folder)
      let whole = try Transformer(folder: folder).run(Self.batch, reading: [.logits])[.logits]
      let names = model.tensors.keys.sorted()
      var index: [JSONMember] = []
      for shard in 0..<3 {
        let part = names.enumerated().filter { $0.offset % 3 == shard }.map(\.element)
        let file = "model-0000\(shard + 1)-of-00003.safetensors"
        try writeSafetensors(
          Dictionary(
            uniqueKeysWithValues: part.compactMap { name in model.tensors[name].map { (name, .float($0)) } }),
          to: folder + "/" + file)
        index += part.map { JSONMember($0, .string(file)) }
      }
      try FileManager.default.removeItem(atPath: folder + "/model.safetensors")
      try writeFile(
        JSONValue.object([JSONMember("weight_map", .object(index))]).line,
        to: folder + "/model.safetensors.index.json")
      #expect(try Transformer(folder: folder).run(Self.batch, reading: [.logits])[.logits] == whole)

      try FileManager.default.removeItem(atPath: folder + "/model-00002-of-00003.safetensors")
      #expect(throws: FileError.self) { try Transformer(folder: folder) }
    }
  }

  private func error(
    _ change: (inout TestModel) -> Void, replacing tensors: [String: Tensor] = [:],
    removing removed: String = ""
  ) throws -> any Error {
    try withTemporaryFolder { folder in
      var model = TestModel()
      change(&model)
      try model.write(to: folder)
      var stored = model.tensors
      for (name, tensor) in tensors { stored[name] = tensor }
      stored[removed] = nil
      try writeSafetensors(stored.mapValues { .float($0) }, to: folder + "/model.safetensors")
      do {
        _ = try Transformer(folder: folder)
        throw Unexpected()
      } catch {
        return error
      }
    }
  }

  private struct Unexpected: Error {}

  @Test func unknownFamiliesAndOptionsAreRefusedByName() throws {
    let family = try error { $0.options["model_type"] = .string("gpt9") } as? TransformerError
    guard case .unknownFamily(_, "gpt9", let known) = family else {
      Issue.record("\(String(describing: family))")
      return
    }
    #expect(known.contains("gpt2"))
    let option = try error { $0.options["attention_sinks"] = .integer(4) } as? TransformerError
    guard case .unsupportedOption(_, "attention_sinks", "4") = option else {
      Issue.record("\(String(describing: option))")
      return
    }
    let activation = try error { $0.options["act_fn"] = .string("solu_ln") } as? TransformerError
    guard case .unsupportedOption(_, "act_fn", "solu_ln") = activation else {
      Issue.record("\(String(describing: activation))")
      return
    }
  }

  @Test(arguments: [
    ("n_layers", JSONValue.integer(0)), ("n_heads", .string("four")), ("d_model", .null),
    ("eps", .integer(0)), ("attn_only", .integer(1)),
  ])
  func badOptionsAreNamed(option: String, value: JSONValue) throws {
    let found = try withTemporaryFolder { folder in
      var model = TestModel()
      try model.write(to: folder)
      model.options[option] = value
      let members = model.options.map { JSONMember($0.key, $0.value) }
      try writeFile(JSONValue.object(members).line, to: folder + "/config.json")
      return #expect(throws: TransformerError.self) { try Transformer(folder: folder) }
    }
    guard case .badOption(_, option, _) = found else {
      Issue.record("\(String(describing: found))")
      return
    }
  }

  @Test func tensorsThatAreMissingMisshapenOrNotFinite() throws {
    let name = "blocks.1.attn.W_K"
    var weights = try #require(TestModel().tensors[name])
    #expect(try error({ _ in }, removing: name) is CheckpointError)
    let shape = try error({ _ in }, replacing: [name: weights.reshaped([5, 24, 4])]) as? CheckpointError
    guard case .wrongShape(_, name, [5, 24, 4], [4, 24, 5]) = shape else {
      Issue.record("\(String(describing: shape))")
      return
    }
    weights[1, 2, 3] = .nan
    let notFinite = try error({ _ in }, replacing: [name: weights]) as? CheckpointError
    guard case .notFinite(_, name, 133) = notFinite else {
      Issue.record("\(String(describing: notFinite))")
      return
    }
  }

  @Test func aConfigurationThatIsNotJSON() throws {
    try withTemporaryFolder { folder in
      try TestModel().write(to: folder)
      try writeFile("{\"model_type\": \"gpt2\",}", to: folder + "/config.json")
      let error = #expect(throws: TransformerError.self) { try Transformer(folder: folder) }
      guard case .malformedConfiguration = error else {
        Issue.record("\(String(describing: error))")
        return
      }
    }
  }
}
