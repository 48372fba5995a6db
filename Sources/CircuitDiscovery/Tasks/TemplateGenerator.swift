// Prompts from templates: values are drawn, constraints are checked on the finished text, and every positive gets
// a negative of its own.

import Tensors

/// Draws positives and their negatives from templates.
struct TemplateGenerator {
  let task: TaskSpec
  let source: TemplateSource
  let tokenizer: any PromptTokenizer
  private(set) var choice: WordChoice
  private(set) var rejected = 0
  private var spellings: [String: String] = [:]
  private var turns: [String: Int] = [:]
  /// Templates that gave nothing new for many draws: their prompts repeat from there on.
  private var exhausted: Set<String> = []
  private var joinedNumbers: [String: [Int]] = [:]
  static let attempts = 2000

  init(_ task: TaskSpec, _ source: TemplateSource, tokenizer: any PromptTokenizer) throws(TaskError) {
    self.task = task
    self.source = source
    self.tokenizer = tokenizer
    choice = try WordChoice(source, task: task.name, tokenizer: tokenizer)
    try resolveSpellings()
  }

  /// A positive and its negative from one template.
  struct Pair {
    var positive: Prompt
    var negative: Prompt
  }

  /// Draws until every constraint holds.
  /// - Throws: `TaskError.unsatisfiable` when nothing fits after many attempts.
  mutating func pair(
    _ wording: Wording, number: Int, isNew: (String) -> Bool, using generator: inout SeededGenerator
  ) throws(TaskError) -> (pair: Pair, isNew: Bool) {
    var repeated: Pair?
    var repeats = 0
    var reason = "the lists are too short for slots that must differ"
    for _ in 0..<Self.attempts {
      guard let values = draw(using: &generator) else { continue }
      guard let pair = pair(wording, values: values, number: number) else {
        rejected += 1
        reason = "a slot of \"one_token\" was never one token under \(tokenizer.label)"
        continue
      }
      guard case .text(let text) = pair.positive.content, !isNew(text) else { return (pair, true) }
      repeated = pair
      repeats += 1
      if repeats == 200 || exhausted.contains(wording.template.source) { break }
    }
    if let repeated {
      exhausted.insert(wording.template.source)
      return (repeated, false)
    }
    throw .unsatisfiable(
      task: task.name, template: wording.template.source, attempts: Self.attempts, reason: reason)
  }

  /// The prompts these values give, or nil where a slot is not one token that must be.
  private func pair(_ wording: Wording, values: [String: String], number: Int) -> Pair? {
    var changed = values
    for replacement in source.negative {
      changed[replacement.slot] = RenderedPrompt(replacement.value, values: values).text
    }
    guard let positive = rendering(wording, values), let negative = rendering(wording, changed) else {
      return nil
    }
    return Pair(
      positive: Prompt(
        .text(positive.prompt.text), isPositive: true, answers: continuations(source.answers, values),
        wrong: continuations(source.wrong, values), pair: number, positions: positions(positive)),
      negative: Prompt(
        .text(negative.prompt.text), isPositive: false, pair: number, positions: positions(negative)))
  }

  private func rendering(_ wording: Wording, _ values: [String: String]) -> TokenizedRendering? {
    let rendering = TokenizedRendering(
      RenderedPrompt(wording.template, values: values), tokenizer: tokenizer)
    let checked = rendering.prompt.occurrences.filter { source.oneToken.contains($0.slot) }
    return checked.allSatisfy(rendering.isOneToken) ? rendering : nil
  }

  private func positions(_ rendering: TokenizedRendering) -> [String: Int] {
    var positions: [String: Int] = [:]
    for place in source.positions {
      var index = rendering.tokens.count - 1
      if let slot = place.slot {
        let occurrences = rendering.prompt.occurrences.filter { $0.slot == slot }
        guard occurrences.count >= place.occurrence else { continue }
        index = rendering.lastToken(of: occurrences[place.occurrence - 1])
      }
      index += place.offset
      if rendering.tokens.indices.contains(index) { positions[place.name] = index }
    }
    return positions
  }

  private func continuations(_ templates: [PromptTemplate], _ values: [String: String]) -> [Prompt
    .Continuation]
  {
    var texts: [String] = []
    for template in templates {
      for text in expanded(template.pieces[...], values) where !texts.contains(text) { texts.append(text) }
    }
    return texts.map { .text($0) }
  }

  /// Every text a template with ranges stands for.
  private func expanded(_ pieces: ArraySlice<PromptTemplate.Piece>, _ values: [String: String]) -> [String] {
    guard let piece = pieces.first else { return [""] }
    let rests = expanded(pieces.dropFirst(), values)
    let starts: [String]
    switch piece {
    case .text(let text): starts = [text]
    case .slot(let name): starts = [values[name] ?? ""]
    case .range(let low, let high):
      let format = [low.slot, high.slot].compactMap { $0 }.first.flatMap(numberSlot)
      let (first, last) = (number(low, values), number(high, values))
      starts = first <= last ? (first...last).map { format?.text($0) ?? String($0) } : []
    }
    return starts.flatMap { start in rests.map { start + $0 } }
  }

  private func number(_ bound: PromptTemplate.Bound, _ values: [String: String]) -> Int {
    (bound.slot.flatMap { values[$0] }.flatMap { Int($0) } ?? 0) + bound.offset
  }

  private func numberSlot(_ name: String) -> NumberSlot? {
    guard case .number(let number)? = source.slot(named: name)?.kind else { return nil }
    return number
  }
}

extension TemplateGenerator {
  /// A value for every slot; nil where the words ran out.
  private mutating func draw(using generator: inout SeededGenerator) -> [String: String]? {
    var values: [String: String] = [:]
    for slot in source.slots {
      switch slot.kind {
      case .spelling(let texts): values[slot.name] = spellings[slot.name] ?? texts[0]
      case .copy(let original): values[slot.name] = values[original]
      case .lookUp(let original, let list):
        guard let word = source.word(beside: values[original] ?? "", of: original, in: list) else {
          return nil
        }
        if partners(of: slot.name, in: source.distinct).contains(where: { values[$0] == word }) { return nil }
        values[slot.name] = word
      case .word(let list):
        let others = partners(of: slot.name, in: source.distinct).compactMap { values[$0] }
        let alike = partners(of: slot.name, in: source.equalLength).compactMap { values[$0] }.first
        var candidates = (choice.words[list] ?? []).filter { !others.contains($0) }
        if let alike {
          let length = choice.length(of: alike)
          candidates = candidates.filter { choice.length(of: $0) == length }
        }
        guard !candidates.isEmpty else { return nil }
        values[slot.name] = candidates[generator.index(below: candidates.count)]
      case .number(let number):
        guard let drawn = drawNumber(slot.name, number, values, using: &generator) else { return nil }
        let text = number.text(drawn)
        let others = partners(of: slot.name, in: source.distinct).compactMap { values[$0] }
        if others.contains(text) { return nil }
        values[slot.name] = text
      }
    }
    return values
  }

  private func partners(of slot: String, in groups: [[String]]) -> [String] {
    groups.filter { $0.contains(slot) }.flatMap { $0 }.filter { $0 != slot }
  }

  private mutating func drawNumber(
    _ name: String, _ slot: NumberSlot, _ values: [String: String], using generator: inout SeededGenerator
  ) -> Int? {
    var allowed = Array(slot.range)
    if let before = slot.joinedTo.flatMap({ values[$0] }) {
      allowed = numbers(of: slot, behind: before, name: name)
    }
    guard slot.inTurn else {
      return allowed.isEmpty ? nil : allowed[generator.index(below: allowed.count)]
    }
    let turn = turns[name] ?? 0
    turns[name] = turn + 1
    let number = slot.range.lowerBound + turn % slot.range.count
    return allowed.contains(number) ? number : nil
  }

  /// The numbers that are a token of their own right behind a text, without the dropped ends.
  private mutating func numbers(of slot: NumberSlot, behind before: String, name: String) -> [Int] {
    let joint = textBetween(slot.joinedTo ?? "", and: name)
    let key = "\(name)|\(before)|\(joint)"
    if let known = joinedNumbers[key] { return known }
    let head = tokenizer.tokens(of: " " + before)
    let fitting = slot.range.filter { number in
      let tokens = tokenizer.tokens(of: " " + before + joint + slot.text(number))
      return tokens.count == head.count + 1 && tokens.starts(with: head)
        && tokens.last != tokenizer.unknownToken
    }
    let kept = Array(fitting.dropFirst(slot.droppedEnds).dropLast(slot.droppedEnds))
    joinedNumbers[key] = kept
    return kept
  }

  /// What stands between two slots in the first template that has one right before the other.
  private func textBetween(_ first: String, and second: String) -> String {
    for pieces in source.templates.map(\.template.pieces) {
      guard let start = pieces.firstIndex(of: .slot(first)), let end = pieces.firstIndex(of: .slot(second)),
        start < end
      else { continue }
      return pieces[(start + 1)..<end].map { piece in
        switch piece {
        case .text(let text): text
        case .slot(let name): spellings[name] ?? ""
        case .range: ""
        }
      }.joined()
    }
    return ""
  }

  /// Settles each slot that has several spellings on the first that lets some prompt of every template pass.
  private mutating func resolveSpellings() throws(TaskError) {
    for slot in source.slots {
      guard case .spelling(let texts) = slot.kind else { continue }
      var fits = false
      for text in texts where !fits {
        spellings[slot.name] = text
        fits = allTemplatesPass()
      }
      guard fits else {
        throw .unsatisfiable(
          task: task.name, template: source.templates[0].template.source, attempts: texts.count * 200,
          reason:
            "no spelling of {\(slot.name)} made every slot of \"one_token\" one token under \(tokenizer.label)"
        )
      }
    }
    turns = [:]
    rejected = 0
  }

  private mutating func allTemplatesPass() -> Bool {
    for wording in source.templates {
      var generator = SeededGenerator(seed: 0, stream: "spellings")
      var passes = false
      for _ in 0..<200 where !passes {
        guard let values = draw(using: &generator) else { continue }
        passes = pair(wording, values: values, number: 0) != nil
      }
      guard passes else { return false }
    }
    return true
  }
}
