// headlamp models: which models can be read, and which cannot.

import Checkpoints
import Files
import Transformers

/// Lists families of models, kinds of files, and what is refused.
enum ModelsCommand: Subcommand {
  static let name = "models"
  static let summary = "list the families of models that are read, and what is refused"
  static let discussion = """
    Families are known by 'model_type' in config.json. Options of a config.json are all read or refused by name: none is
    passed over that would change the numbers.
    """
  static let positionals: [Positional] = []
  static let options: [any OptionDeclaration] = []
  static let examples = [Example("headlamp models", "families, files, and what is refused and why")]

  static func run(_ arguments: ParsedArguments, console: Console) throws {
    console.result(
      .object([
        JSONMember(
          "families",
          .array(
            FamilyDescription.all.map {
              .object([
                JSONMember("model_type", .string($0.modelType)), JSONMember("title", .string($0.title)),
                JSONMember("refused_options", .string($0.refusals)),
              ])
            })),
        JSONMember("gguf_architectures", .array(GGUFModel.architectures.map { .string($0) })),
        JSONMember(
          "refused",
          .array(
            FamilyDescription.refused.map {
              .object([JSONMember("model_type", .string($0.0)), JSONMember("reason", .string($0.1))])
            })),
      ]))
    console.print("families read")
    for family in FamilyDescription.all {
      let refusals = family.refusals.isEmpty ? "" : "; refused: \(family.refusals)"
      console.print("  " + family.modelType.padded(to: 14) + family.title + refusals)
    }
    console.print("rotary positions")
    console.print(
      "  default, linear, dynamic (within the declared context), llama3, yarn, longrope, proportional")
    console.print("weights")
    console.print(
      "  safetensors and PyTorch files: float32, float16, bfloat16, float8 with factors or without; GPT-OSS's MXFP4"
    )
    console.print(
      "  GGUF: F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K to Q6_K; architectures "
        + GGUFModel.architectures.joined(separator: ", "))
    console.print("  a folder, a file of weights in it, or a model of Hugging Face's cache by its top folder")
    console.print("  refused: GPTQ, AWQ, bitsandbytes and other quantised forms")
    console.print("models of several parts")
    console.print("  the text part, where its family is read")
    console.print("refused")
    for (modelType, reason) in FamilyDescription.refused {
      console.print("  " + modelType.padded(to: 20) + reason)
    }
  }
}
