// Tokens as people read them.

import CircuitDiscovery
import FoundationEssentials
import Tokenizers

/// The texts of a model's tokens; their numbers where the model has no tokenizer.
struct TokenWords {
  private let tokenizer: Tokenizer?

  /// The words of the model in a folder.
  init(modelFolder folder: String) {
    tokenizer = try? Tokenizer(contentsOf: folder)
  }

  /// A token's text without the blanks around it.
  subscript(token: Int) -> String {
    guard let text = tokenizer?.decode([token], skippingSpecialTokens: false) else { return "\(token)" }
    let trimmed = text.drop { $0.isWhitespace }
    return trimmed.isEmpty ? tokenizer?.token(of: token) ?? "\(token)" : String(trimmed)
  }

  /// Several tokens, with blanks between.
  func list(_ tokens: [Int]) -> String { tokens.map { self[$0] }.joined(separator: " ") }
}
