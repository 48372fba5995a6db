// How well a codebook's codes tell short inputs apart (Tamkin, Taufeeque & Goodman 2023, section 4.2; "code purity" in
// the tutorial of the paper's public code).

import Transformers

/// What a codebook says of all inputs of one length that a state machine knows.
public struct CodePurity: Sendable, Equatable {
  /// The codebook.
  public var book: CodebookAddress
  /// Digits of each input: as many as a state's name has, or the first of the next state's besides.
  public var digits: Int
  /// Inputs, each read behind the token that begins a text.
  public var inputs: Int
  /// Codes that are active at the last digit of any input.
  public var used: Int
  /// Codes that are active at the last digit of one input only.
  public var pure: Int
}

extension TokenizedStateMachine {
  /// The purity of every codebook on the states' names, and on the names with every digit that may come next.
  /// - Throws: `TransformerError` where the model cannot run them.
  /// - Precondition: the model has codebooks.
  public func purity(_ model: Transformer) throws -> [CodePurity] {
    let names = (0..<machine.source.states).map { tokens(of: [$0]) }
    let longer = names.indices.flatMap { state in
      Set(machine.successors[state].compactMap { stateTokens($0).first }).sorted().map { names[state] + [$0] }
    }
    return try purity(names, digits: machine.source.digits, model)
      + purity(longer, digits: machine.source.digits + 1, model)
  }

  private func purity(_ inputs: [[Int]], digits: Int, _ model: Transformer) throws -> [CodePurity] {
    let trace = try CodeTrace(model, inputs)
    var ends = [Bool](repeating: false, count: trace.positions)
    var end = -1
    for input in inputs {
      end += input.count
      ends[end] = true
    }
    return trace.books.indices.map { book in
      let uses = trace.uses(book: book, where: ends)
      return CodePurity(
        book: trace.books[book], digits: digits, inputs: inputs.count, used: uses.count { $0 > 0 },
        pure: uses.count { $0 == 1 })
    }
  }
}
