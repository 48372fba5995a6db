// What a training starts from: nothing but its tasks, or a model that exists.

import Files
import FoundationEssentials
import Tensors
import Tokenizers
import Transformers

/// Where parameters and tokens of a training come from.
public enum TrainingStart: Sendable {
  /// Fresh parameters, and the tasks' own words as tokens.
  case fresh
  /// The parameters and the tokenizer of a model's folder.
  case folder(String)
}

/// The tokens of a model in training.
enum TrainingTokens: Sendable {
  /// The tasks' own words.
  case words(WordLevelDescription)
  /// Those of a folder's tokenizer.
  case folder(path: String, limits: PromptLimits)

  init(_ start: TrainingStart, _ tasks: [TaskSpec]) throws {
    switch start {
    case .fresh: self = .words(try WordLevelDescription.covering(tasks))
    case .folder(let path): self = .folder(path: path, limits: try PromptLimits(modelFolder: path))
    }
  }

  /// What prompts must keep to.
  func limits() throws -> PromptLimits {
    switch self {
    case .words(let words):
      let tokenizer = try Tokenizer(words)
      return PromptLimits(
        tokenizer: ModelTokenizer(tokenizer, label: "the tasks' own vocabulary"),
        vocabularySize: words.words.count, beginningToken: tokenizer.beginningOfText)
    case .folder(_, let limits): return limits
    }
  }

  /// The id of the word that begins every text.
  var beginningToken: Int? {
    switch self {
    case .words(let words): words.beginningOfText.flatMap { words.words.firstIndex(of: $0) }
    case .folder(_, let limits): limits.beginningToken
    }
  }

  /// A digest of what the tokens are.
  func digest() throws -> String {
    switch self {
    case .words(let words): sha256(of: words.words.joined(separator: "\n"))
    case .folder(let path, _): try ModelIdentity(folder: path).weightsSHA256
    }
  }

  /// Writes the tokenizer to another folder.
  func write(toFolder folder: String) throws {
    switch self {
    case .words(let words): try words.write(toFolder: folder)
    case .folder(let path, _):
      let source = try modelPath(path)
      for name in ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"] {
        guard fileExists(at: source + "/" + name) else { continue }
        try writeFile(try readText(at: source + "/" + name), to: folder + "/" + name)
      }
    }
  }
}

extension ModelTrainingPlan {
  /// A layout of parameters and their first values.
  func parameters(
    _ start: TrainingStart, vocabulary: Int, longest: Int
  ) throws -> (layout: ParameterLayout, values: Tensor) {
    switch start {
    case .fresh:
      return try blueprint(vocabulary: vocabulary, longest: longest).initialParameters(seed: seed)
    case .folder(let path):
      let model = try Transformer(folder: path).addingCodebooks(codebooks)
      try model.checkStorable()
      let layout = ParameterLayout(model)
      return (layout, try layout.parameters())
    }
  }

  /// The plan with the sizes of a model that exists.
  public func sized(as configuration: TransformerConfiguration) -> ModelTrainingPlan {
    var plan = self
    plan.layers = configuration.layers
    plan.heads = configuration.heads
    plan.modelWidth = configuration.dModel
    plan.headWidth = configuration.dHead
    plan.mlpWidth = configuration.dMLP
    plan.style = ModelStyle()
    plan.style.keyValueHeads =
      configuration.keyValueHeads == configuration.heads ? nil : configuration.keyValueHeads
    return plan
  }
}
