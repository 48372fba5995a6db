// Stages of a model, one after the other, give the bits of the whole model, and read no parameter of one another.

import Checkpoints
import Files
import Foundation
import Tensors
import TestSupport
import Testing

@testable import Transformers

/// What a run of the whole model, or of its stages in turn, gives.
struct RecordedHeads: Equatable {
  var outputs: [UInt32]
  var codes: [Float]?

  init(_ outputs: Tensor, _ codes: Tensor?) {
    self.outputs = outputs.values.map(\.bitPattern)
    self.codes = codes?.values
  }

  /// All layers at once.
  init(_ model: Transformer, _ item: HeadOutputBatch) throws {
    var outputs = Tensor(zeros: [0])
    let codes = try model.headOutputs(of: item.batch, pooling: item.pooling, into: &outputs)
    self.init(outputs, codes)
  }

  /// Stage after stage, each given what the one before handed on.
  init(_ stages: [TransformerStage], _ item: HeadOutputBatch) throws {
    var stream: Tensor?
    var (parts, codes) = ([Tensor](), [Tensor]())
    for stage in stages {
      var outputs = Tensor(zeros: [0])
      let handed = try stage.headOutputs(of: item.batch, pooling: item.pooling, from: stream, into: &outputs)
      #expect((handed.stream == nil) == stage.isLast)
      stream = handed.stream
      parts.append(outputs)
      if let own = handed.codes { codes.append(own) }
    }
    self.init(Self.joined(parts), codes.isEmpty ? nil : Self.joined(codes))
  }

  /// Layers side by side, value by value.
  private static func joined(_ parts: [Tensor]) -> Tensor {
    let places = parts[0].shape.dropLast(3).reduce(1, *)
    let rows = parts.map { $0.reshaped([places, $0.count / places]) }
    return Tensor((0..<places).flatMap { place in rows.flatMap { $0.row(place).values } })
  }
}

@Suite struct StageTests {
  /// Every way in which a recording reads positions, on prompts of several lengths of which some begin alike.
  static func batches(_ vocabulary: Int, context: Int) -> [HeadOutputBatch] {
    let lengths = [5, 3, 7, 7, 1].map { min($0, context) }
    var prompts = randomPrompts(lengths: lengths, vocabulary: vocabulary, seed: 31)
    prompts[3].replaceSubrange(0..<min(4, context), with: prompts[2].prefix(min(4, context)))
    let poolings: [HeadPooling] = [
      .last, .each, .mean(excludingFirst: false), .mean(excludingFirst: true), .at(lengths.map { $0 / 2 }),
    ]
    return poolings.map { HeadOutputBatch(batch: TokenBatch(prompts), pooling: $0) }
  }

  /// All ways of cutting so many layers into two, and one stage a layer.
  private func cuts(_ layers: Int) -> [[Range<Int>]] {
    (1..<layers).map { [0..<$0, $0..<layers] } + [(0..<layers).map { $0..<$0 + 1 }]
  }

  private func expectSameBits(_ folder: String) throws {
    let model = try Transformer(folder: folder)
    let configuration = model.configuration
    let batches = Self.batches(configuration.vocabulary, context: configuration.context)
    for cuts in cuts(configuration.layers) {
      let stages = try cuts.map { try TransformerStage(folder: folder, layers: $0) }
      for item in batches {
        #expect(
          try RecordedHeads(stages, item) == RecordedHeads(model, item), "\(folder) \(cuts) \(item.pooling)")
      }
    }
  }

  @Test(.enabled(if: SharedReference.isPresent), arguments: FamilyTests.families)
  func everyFamily(name: String) throws {
    try expectSameBits(SharedReference.path("families/" + name))
  }

  @Test(arguments: ["gpt2", "llama", "gpt_neox"])
  func copiedFamilies(name: String) throws {
    try expectSameBits(Self.golden + name)
  }

  private static let golden = packageFolder + "/Tests/TransformersTests/Golden/"

  @Test(arguments: MoreFamilyTests.names)
  func moreFamilies(name: String) throws { try expectSameBits(Self.golden + "more/" + name) }

  /// Weights that are widened each time a batch passes.
  @Test(arguments: ["float8", "mxfp4", "gguf/llama.gguf", "gguf/qwen3.gguf", "gguf/gemma2.gguf"])
  func storedWeights(name: String) throws { try expectSameBits(Self.golden + name) }

  @Test(arguments: ["default-model", "tokfsm/small-codebook"])
  func bundledModels(name: String) throws {
    try expectSameBits(packageFolder + "/Circuits/" + name)
  }

  @Test(arguments: ["heads", "mlp", "both"])
  func modelsWithCodebooks(places: String) throws {
    var small = TestModel()
    small.options["codebook_at"] = .string(places)
    small.options["codebook_codes"] = .integer(7)
    small.options["codebook_active"] = .integer(2)
    try withTemporaryFolder { folder in
      try small.write(to: folder)
      try expectSameBits(folder)
    }
  }

  /// Large enough for products to be split over threads, and for the MLP to be done in parts.
  @Test func wideModels() throws {
    var wide = TestModel()
    for (name, size) in [("d_model", 128), ("d_head", 32), ("d_mlp", 512)] {
      wide.options[name] = .integer(size)
    }
    try withTemporaryFolder { folder in
      try wide.write(to: folder)
      let model = try Transformer(folder: folder)
      let stages = try [0..<1, 1..<3].map { try TransformerStage(folder: folder, layers: $0) }
      let prompts = randomPrompts(lengths: (0..<120).map { 9 + $0 % 8 }, vocabulary: 30, seed: 32)
      let item = HeadOutputBatch(batch: TokenBatch(prompts), pooling: .last)
      #expect(try RecordedHeads(stages, item) == RecordedHeads(model, item))
    }
  }

  /// Writes a copy of a model's folder that has a range of layers alone, and what stands in front of the first of all.
  private func write(_ layers: Range<Int>, of folder: String, to copy: String) throws {
    try FileManager.default.copyItem(atPath: folder + "/config.json", toPath: copy + "/config.json")
    let file = try SafetensorsFile(path: folder + "/model.safetensors")
    let kept = file.names.filter { name in
      let number = name.split(separator: ".").compactMap { Int($0) }.first
      return number.map(layers.contains) ?? (layers.lowerBound == 0 && !isBehindLayers(name))
    }
    #expect(kept.count < file.names.count)
    try writeSafetensors(
      Dictionary(uniqueKeysWithValues: kept.map { ($0, .float(try file.tensor($0))) }),
      to: copy + "/model.safetensors")
  }

  private func isBehindLayers(_ name: String) -> Bool {
    [
      "lm_head", "embed_out", "unembed", "ln_f", "model.norm", "final_layer", "project_out", "cls.",
    ].contains { name.contains($0) }
  }

  private func expectOwnTensorsSuffice(_ folder: String) throws {
    let model = try Transformer(folder: folder)
    let configuration = model.configuration
    let item = Self.batches(configuration.vocabulary, context: configuration.context)[0]
    let cuts = (0..<configuration.layers).map { $0..<$0 + 1 }
    let stages = try cuts.map { layers in
      try withTemporaryFolder { copy in
        try write(layers, of: folder, to: copy)
        return try TransformerStage(folder: copy, layers: layers)
      }
    }
    #expect(try RecordedHeads(stages, item) == RecordedHeads(model, item), "\(folder)")
  }

  @Test(.enabled(if: SharedReference.isPresent), arguments: FamilyTests.families)
  func stagesOpenTheirOwnTensorsAlone(name: String) throws {
    try expectOwnTensorsSuffice(SharedReference.path("families/" + name))
  }

  @Test(arguments: ["gpt2", "llama", "gpt_neox"])
  func stagesOfCopiedFamiliesOpenTheirOwnTensorsAlone(name: String) throws {
    try expectOwnTensorsSuffice(Self.golden + name)
  }

  @Test(arguments: MoreFamilyTests.names)
  func stagesOfMoreFamiliesOpenTheirOwnTensorsAlone(name: String) throws {
    try expectOwnTensorsSuffice(Self.golden + "more/" + name)
  }

  @Test func stagesOfBundledModelsOpenTheirOwnTensorsAlone() throws {
    for name in ["default-model", "tokfsm/small-codebook"] {
      try expectOwnTensorsSuffice(packageFolder + "/Circuits/" + name)
    }
  }

  @Test func aMissingTensorIsNamedAsItIsInTheFile() throws {
    try withTemporaryFolder { folder in
      let model = TestModel()
      try model.write(to: folder)
      var tensors = model.tensors
      tensors["blocks.2.attn.W_K"] = nil
      try writeSafetensors(tensors.mapValues { .float($0) }, to: folder + "/model.safetensors")
      _ = try TransformerStage(folder: folder, layers: 0..<2)
      let error = #expect(throws: CheckpointError.self) {
        try TransformerStage(folder: folder, layers: 2..<3)
      }
      #expect(error == .missing(path: folder + "/model.safetensors", tensor: "blocks.2.attn.W_K"))
    }
  }
}
