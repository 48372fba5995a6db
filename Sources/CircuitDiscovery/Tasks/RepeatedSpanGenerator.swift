// Random sequences in which a span begins a second time; in the negative nothing comes twice.

import Tensors

/// Draws sequences with a repeated span, of words or of bare tokens.
struct RepeatedSpanGenerator {
  /// What the sequences are made of.
  enum Alphabet {
    case words([String])
    /// Token ids below a bound, for a model without a tokenizer.
    case tokens(below: Int)

    var count: Int {
      switch self {
      case .words(let words): words.count
      case .tokens(let bound): bound
      }
    }
  }

  let task: String
  let source: RepeatedSpanSource
  let alphabet: Alphabet
  let dropped: [String]

  init(
    task: String, _ source: RepeatedSpanSource, tokenizer: (any PromptTokenizer)?, vocabularySize: Int?
  ) throws(TaskError) {
    self.task = task
    self.source = source
    if let tokenizer {
      let kept = source.words.filter { tokenizer.isOneToken(" " + $0) && tokenizer.isOneToken($0) }
      dropped = source.words.filter { !kept.contains($0) }
      alphabet = .words(kept)
    } else {
      guard let vocabularySize else { throw .needsVocabulary(task: task) }
      dropped = []
      alphabet = .tokens(below: vocabularySize)
    }
    let needed = source.before.lowerBound + source.between.lowerBound + source.length.lowerBound + 1
    guard alphabet.count >= needed else {
      throw .tooFewWords(
        task: task, list: "repeated_span", kept: alphabet.count, needed: needed, dropped: dropped,
        tokenizer: tokenizer?.label ?? "a vocabulary of \(alphabet.count) tokens")
    }
  }

  /// A positive and its negative.
  func pair(number: Int, using generator: inout SeededGenerator) -> TemplateGenerator.Pair {
    while true {
      let before = draw(source.before, &generator)
      let length = draw(source.length, &generator)
      let between = draw(source.between, &generator)
      let shown = 1 + generator.index(below: length - 1)
      let distinct = before + length + between
      guard distinct + shown <= alphabet.count else { continue }
      let symbols = sample(distinct + shown, &generator)
      let start = Array(symbols[..<distinct])
      let span = Array(symbols[before..<before + length])
      let answer = span[shown]
      let positions = [
        "span_start": before, "span_before_answer": before + shown - 1, "span_answer": before + shown,
        "repeat_start": distinct, "repeat_end": distinct + shown - 1,
      ]
      return TemplateGenerator.Pair(
        positive: Prompt(
          content(start + span[..<shown]), isPositive: true, answers: [continuation(answer)],
          wrong: start.filter { $0 != answer }.map(continuation), pair: number, positions: positions),
        negative: Prompt(content(symbols), isPositive: false, pair: number, positions: positions))
    }
  }

  private func draw(_ range: ClosedRange<Int>, _ generator: inout SeededGenerator) -> Int {
    range.lowerBound + generator.index(below: range.count)
  }

  /// Different symbols, by their index in the alphabet.
  private func sample(_ count: Int, _ generator: inout SeededGenerator) -> [Int] {
    var drawn: [Int] = []
    var seen: Set<Int> = []
    while drawn.count < count {
      let symbol = generator.index(below: alphabet.count)
      if seen.insert(symbol).inserted { drawn.append(symbol) }
    }
    return drawn
  }

  private func content(_ symbols: [Int]) -> Prompt.Content {
    switch alphabet {
    case .words(let words): .text(symbols.map { words[$0] }.joined(separator: " "))
    case .tokens: .tokens(symbols)
    }
  }

  private func continuation(_ symbol: Int) -> Prompt.Continuation {
    switch alphabet {
    case .words(let words): .text(" " + words[symbol])
    case .tokens: .token(symbol)
    }
  }
}
