// The commands around models, as a user meets them: what is compared, described and refused.

import Foundation
import TestSupport
import Testing

@Suite struct ModelCommandTests {
  private static let golden = packageFolder + "/Tests/TransformersTests/Golden/"
  private static let llama = golden + "variants/llama-biased-linear"

  @Test func aModelIsComparedWithWhatAnotherProgramMadeOfIt() throws {
    let good = try headlamp(["verify", Self.llama, "--against", Self.llama + "/expected.safetensors"])
    #expect(good.exitCode == 0)
    for word in ["blocks.2.resid_pre", "logits", "all within 0.0001: 4 activations of 3 prompts, 21 tokens"] {
      #expect(good.output.contains(word))
    }
    let other = try headlamp([
      "verify", Self.llama, "--against", Self.golden + "variants/mistral-window/expected.safetensors",
    ])
    #expect(other.exitCode == 1)
    #expect(other.output.contains("beyond"))
    #expect(other.errors.hasPrefix("headlamp: \(Self.llama) differs from the reference by up to "))
  }

  @Test func groupedHeadsAreExplained() throws {
    let result = try headlamp(["inspect", Self.llama])
    #expect(result.output.contains("4 query heads a layer, 12 in all"))
    #expect(result.output.contains("hook_k and hook_v name 2 groups: query head h reads group h / 2"))
  }

  /// Runs `record` on a copy of a small model after a change to it, on prompts given as token ids.
  private func record(
    prompts: String = #"{"tokens": [1, 2, 3], "label": 1}"#, _ change: (String) throws -> Void
  ) throws -> CommandResult {
    try withTemporaryFolder { folder in
      let model = folder + "/model"
      try FileManager.default.createDirectory(atPath: model, withIntermediateDirectories: true)
      for file in ["config.json", "model.safetensors"] {
        try FileManager.default.copyItem(atPath: Self.llama + "/" + file, toPath: model + "/" + file)
      }
      try change(model)
      try (prompts + "\n").write(toFile: folder + "/prompts.jsonl", atomically: true, encoding: .utf8)
      let output = folder + "/recording.h5"
      let result = try headlamp([
        "record", folder + "/prompts.jsonl", "--model", model, "--position", "last", "--output", output,
      ])
      #expect(FileManager.default.fileExists(atPath: output) == (result.exitCode == 0))
      #expect(result.errors.split(separator: "\n").count == 1)
      return result
    }
  }

  private func edit(_ path: String, _ change: (inout Data) throws -> Void) throws {
    var data = try Data(contentsOf: URL(fileURLWithPath: path))
    try change(&data)
    try data.write(to: URL(fileURLWithPath: path))
  }

  private func replace(_ path: String, _ text: String, with replacement: String) throws {
    try edit(path) { data in
      let range = try #require(data.range(of: Data(text.utf8)))
      data.replaceSubrange(range, with: Data(replacement.utf8))
    }
  }

  @Test func aSoundModelIsRecorded() throws {
    #expect(try record { _ in }.exitCode == 0)
  }

  @Test func damagedWeightsAreNamed() throws {
    let missing = try record { try FileManager.default.removeItem(atPath: $0 + "/model.safetensors") }
    #expect(missing.exitCode == 1)
    #expect(missing.errors.contains("model.safetensors: No such file or directory"))
    let truncated = try record { try edit($0 + "/model.safetensors") { $0.removeLast(100) } }
    #expect(truncated.errors.contains("is not a sound file of tensors"))
    let header = try record { try edit($0 + "/model.safetensors") { $0[6] = 1 } }
    #expect(header.errors.contains("its header claims"))
    let infinite = try record { model in
      try edit(model + "/model.safetensors") {
        $0.replaceSubrange($0.count - 4..<$0.count, with: [0, 0, 0xc0, 0x7f])
      }
    }
    #expect(infinite.errors.contains("holds a value that is not finite"))
    let type = try record {
      try replace($0 + "/model.safetensors", #""dtype":"F32""#, with: #""dtype":"Q32""#)
    }
    #expect(type.exitCode == 1)
    #expect(type.errors.contains("Q32"))
  }

  @Test func configurationsThatWouldChangeTheNumbersAreRefused() throws {
    let family = try record {
      try replace($0 + "/config.json", #""model_type": "llama""#, with: #""model_type": "lama""#)
    }
    #expect(family.exitCode == 1)
    #expect(family.errors.contains("a model of type 'lama', which is not known; did you mean 'llama'?"))
    let rotary = try record {
      try replace($0 + "/config.json", #""rope_type": "linear""#, with: #""rope_type": "spiral""#)
    }
    #expect(rotary.errors.contains("sets 'rope_type' to spiral, which would change the numbers"))
    let option = try record {
      try replace($0 + "/config.json", "{\n", with: "{\n\"residual_multiplier\": 0.22,\n")
    }
    #expect(option.errors.contains("sets 'residual_multiplier' to 0.22"))
    let shape = try record {
      try replace($0 + "/config.json", #""intermediate_size": 20"#, with: #""intermediate_size": 21"#)
    }
    #expect(shape.errors.contains("has shape [20, 16] where [21, 16] is needed"))
  }

  @Test func promptsThatDoNotFitAreRefused() throws {
    let long = try record(
      prompts: #"{"tokens": ["# + (0..<33).map { String($0 % 32) }.joined(separator: ",") + #"], "label": 1}"#
    ) { _ in }
    #expect(long.exitCode == 1)
    #expect(long.errors.contains("33 tokens"))
    let unknown = try record(prompts: #"{"tokens": [1, 32], "label": 1}"#) { _ in }
    #expect(unknown.exitCode == 1)
    #expect(unknown.errors.contains("32"))
    let vocabulary = try record(prompts: #"{"prompt": "a b", "label": 1}"#) { model in
      let words = (0..<40).map { "\"w\($0)\": \($0)" }.joined(separator: ", ")
      try """
      {"version": "1.0", "model": {"type": "WordLevel", "unk_token": "w0", "vocab": {\(words)}}}
      """.write(toFile: model + "/tokenizer.json", atomically: true, encoding: .utf8)
    }
    #expect(vocabulary.exitCode == 1)
    #expect(
      vocabulary.errors.contains("the tokenizer has 40 tokens, but the model's embedding has rows for 32"))
  }

  /// A pickle that would call a function is refused by name, and nothing is called.
  @Test func pickledWeightsAreReadAsDataOnly() throws {
    for name in ["os-system.pth", "eval.pth"] {
      let result = try record { model in
        try FileManager.default.removeItem(atPath: model + "/model.safetensors")
        try FileManager.default.copyItem(
          atPath: packageFolder + "/Tests/CheckpointsTests/Golden/" + name,
          toPath: model + "/pytorch_model.bin")
      }
      #expect(result.exitCode == 1)
      #expect(result.errors.contains("pytorch_model.bin"))
    }
  }

  @Test func tokensAreShownWithIdsPiecesAndPlaces() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/tokenizer.json"
      try """
      {"version": "1.0", "added_tokens": [{"id": 2, "content": "<s>", "special": true, "single_word": false,
       "lstrip": false, "rstrip": false, "normalized": false}], "pre_tokenizer": {"type": "Whitespace"},
       "model": {"type": "WordLevel", "unk_token": "[UNK]", "vocab": {"[UNK]": 0, "light": 1, "<s>": 2}}}
      """.write(toFile: path, atomically: true, encoding: .utf8)
      let table = try headlamp(["tokenize", "light dark", "--model", folder, "--bos", "off"])
      #expect(
        table.output == """
          id  from  to  piece
           1     0   5  light
           0     6  10  [UNK]

          """)
      let json = try headlamp(
        ["tokenize", "-", "--model", path, "--json", "--bos", "off"], input: "light\n\n")
      #expect(
        json.output == """
          {"ids": [1], "pieces": ["light"], "offsets": [[0, 5]]}
          {"ids": [], "pieces": [], "offsets": []}

          """)
      let bos = try headlamp(["tokenize", "light", "--model", folder, "--json", "--bos", "on"])
      #expect(bos.output.contains("\"ids\": [2, 1]"))
    }
  }
}
