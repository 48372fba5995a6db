// The texts whose codes are read, and the labels of their positions.

import CircuitDiscovery
import Files
import FoundationEssentials
import Tokenizers
import Transformers

/// Texts as tokens, with the labels of their positions.
struct CodebookTexts {
  var prompts: [[Int]] = []
  var labels = PositionLabels()
  /// The machine that made them; nil for texts from a file.
  var machine: TokenizedStateMachine?

  /// Walks on the state machine of a task, every position where a state's name ends labelled with the state.
  init(task name: String, modelFolder folder: String, walks: Int, length: Int, seed: UInt64) throws {
    let machine = try Self.machine(task: name, modelFolder: folder)
    let drawn = machine.walks(walks, length: length, seed: seed)
    prompts = drawn.map(machine.tokens)
    labels = machine.labels(of: drawn)
    self.machine = machine
  }

  /// The lines of a file, cut to what the model can read at once; the token in which a match of `pattern` ends has the
  /// pattern as its label.
  init(file path: String, pattern text: String?, modelFolder folder: String, context: Int) throws {
    let tokenizer = try Tokenizer(contentsOf: folder)
    var pattern: TextPattern?
    if let text {
      do {
        pattern = try TextPattern(text)
      } catch {
        guard case .pattern(_, _, let offset, let problem) = error else { throw error }
        throw UsageError.invalid("the pattern '\(text)' cannot be read: at character \(offset), \(problem)")
      }
    }
    var marked: [Int] = []
    var start = 0
    for line in try readText(at: path).split(whereSeparator: \.isNewline).map(String.init) {
      let encoding = tokenizer.encodeWithBeginning(line)
      let count = min(encoding.count, context)
      guard count > 1 else { continue }
      prompts.append(Array(encoding.ids.prefix(count)))
      for match in pattern?.matches(in: line) ?? [] {
        let last = match.upperBound - 1
        if let place = encoding.offsets.prefix(count).lastIndex(where: { $0.contains(last) }) {
          marked.append(start + place)
        }
      }
      start += count
    }
    guard !prompts.isEmpty else { throw UsageError.invalid("\(path) has no line of two tokens or more") }
    if let text {
      guard !marked.isEmpty else { throw UsageError.invalid("nothing in \(path) matches '\(text)'") }
      labels.add(text, at: Array(Set(marked)).sorted())
    }
  }

  /// The state machine of a task, in a model's tokens.
  static func machine(task name: String, modelFolder folder: String) throws -> TokenizedStateMachine {
    let task = try TaskLibrary.bundled().task(name)
    guard case .stateMachine(let source) = task.source else {
      throw UsageError.invalid(
        "--task \(name) is not a state machine, so its positions have no labels; tokfsm is one, and --text FILE reads "
          + "any text")
    }
    let limits = try PromptLimits(modelFolder: folder)
    guard let tokenizer = limits.tokenizer else { throw TaskError.needsTokenizer(task: name) }
    let digits = try (0..<10).map { try tokenizer.token(of: " \($0)", place: "the digits of \(name)") }
    return TokenizedStateMachine(source.machine, tokens: digits, beginning: limits.beginningToken)
  }
}

/// A model whose codes are asked for.
enum CodebookModel {
  /// Opens a model with codebooks.
  static func load(_ folder: String) throws -> Transformer {
    let model = try Transformer(folder: folder)
    guard model.configuration.codebooks != nil else {
      throw UsageError.invalid(
        "\(folder) has no codebooks; headlamp train-model TASK --codebook both --output DIR makes a model with them"
      )
    }
    return model
  }

  /// Reads a code's name, and refuses one that the model does not have.
  static func code(_ text: String, of model: Transformer) throws -> CodeAddress {
    guard let code = CodeAddress(text) else {
      throw UsageError.invalid(
        "a code is LAYER.HEAD:NUMBER or LAYER.mlp:NUMBER, such as 2.3:41 or 2.mlp:41, not '\(text)'")
    }
    let books = CodebookAddress.all(of: model.configuration)
    guard books.contains(code.book) else {
      let known = books.count > 1 ? "\(books[0]) to \(books[books.count - 1])" : "\(books[0])"
      throw UsageError.invalid("there is no codebook \(code.book); there are \(known)")
    }
    let count = model.configuration.codebooks?.codes ?? 0
    guard code.number < count else {
      throw UsageError.invalid(
        "codebook \(code.book) has \(count) codes, 0 to \(count - 1), not \(code.number)")
    }
    return code
  }
}
