// What a model's folder says about the prompts it can read.

import Files
import FoundationEssentials
import Tokenizers
import Transformers

/// A tokenizer with the name of where it comes from, for messages.
public struct ModelTokenizer: PromptTokenizer {
  /// The tokenizer itself.
  public let tokenizer: Tokenizer
  /// A few words that tell a user which tokenizer this is.
  public let label: String

  /// A tokenizer and a few words that tell a user which it is.
  public init(_ tokenizer: Tokenizer, label: String) {
    self.tokenizer = tokenizer
    self.label = label
  }

  /// The token that stands for what the vocabulary lacks.
  public var unknownToken: Int? { tokenizer.unknownToken }

  /// The tokens of a text, without special tokens at its ends.
  public func tokens(of text: String) -> [Int] {
    tokenizer.encode(text, addingSpecialTokens: false).ids
  }
}

extension PromptLimits {
  /// The limits of the model in a folder: its `tokenizer.json`, if there is one, and what its `config.json` says.
  ///
  /// A folder with a tokenizer alone gives no limits but the tokenizer's; that is enough for making prompts.
  /// - Throws: `FileError`, `TokenizerError`, `TransformerError`; `vocabularyTooLarge` where the tokenizer has more
  ///   tokens than the model embeds.
  public init(modelFolder path: String) throws {
    self.init()
    let folder = try modelPath(path)
    if Tokenizer.isPresent(inFolder: folder) {
      let tokenizer = try Tokenizer(contentsOf: folder)
      self.tokenizer = ModelTokenizer(tokenizer, label: "the tokenizer of \(folder)")
      beginningToken = tokenizer.beginningOfText
      vocabularySize = tokenizer.vocabularySize
      if !FileManager.default.fileExists(atPath: folder + "/config.json") { return }
    }
    let configuration = try Transformer.configuration(ofFolder: folder)
    if let tokens = vocabularySize, tokens > configuration.vocabulary {
      throw TransformerError.vocabularyTooLarge(tokens: tokens, embeddingRows: configuration.vocabulary)
    }
    vocabularySize = configuration.vocabulary
    if configuration.prediction == .masked, let tokenizer = tokenizer as? ModelTokenizer {
      endingTokens = tokenizer.tokenizer.endOfText
      maskToken = tokenizer.tokenizer.maskToken
    }
    contextLength = configuration.context
  }
}
