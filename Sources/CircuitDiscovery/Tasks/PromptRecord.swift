// From one record of a file (a JSON object, or a row of a table) to a prompt, or to a prompt and its corrupted twin.

import Files

/// A record with its fields found.
struct PromptRecord {
  private let record: FieldReader
  private var fields: [PromptField: FieldReader] = [:]
  /// Names of fields that mean nothing here.
  private(set) var ignored: [String] = []

  /// Finds the fields of an object.
  /// - Throws: for a name that is nearly that of a field which is absent: a mistyping more often than not; and for two
  ///   names of one field.
  init(_ record: FieldReader) throws(TaskError) {
    self.record = record
    let members = try record.members()
    var names: [PromptField: String] = [:]
    for (name, value) in members {
      guard let field = PromptField(named: name) else { continue }
      if let other = names[field] {
        throw record.error("\"\(other)\" and \"\(name)\" say the same; keep one")
      }
      names[field] = name
      if value.value != .null { fields[field] = value }
    }
    for (name, value) in members where PromptField(named: name) == nil {
      if value.value.members != nil, name.hasSuffix("_counterfactual") { continue }
      let own = PromptField.ownNames.filter { PromptField(named: $0).flatMap { names[$0] } == nil }
      guard !own.contains(where: { editDistance(name.lowercased(), $0) <= 2 }) || name.count < 4 else {
        throw record.error(
          "there is no field \"\(name)\" here; known are \(PromptField.ownNames.joined(separator: ", "))")
      }
      ignored.append(name)
    }
  }

  /// The prompt, followed by its corrupted twin where the record has one.
  ///
  /// - Parameter pair: the number that a prompt and its twin share where the record gives none.
  func prompts(pair number: Int) throws(TaskError) -> [Prompt] {
    let content = try content(.prompt, .tokens)
    let (answers, wrong) = try self.answers()
    let pair = try fields[.pair].map { reader throws(TaskError) in
      try reader.integer(in: 0...Int(Int32.max))
    }
    var positions: [String: Int] = [:]
    for (name, index) in try fields[.positions]?.members() ?? [] { positions[name] = try index.integer() }
    guard let content else { throw record.error("either \"prompt\" or \"tokens\" is needed") }
    guard let twin = try corrupted() else {
      guard let label = fields[.label] else { throw record.error("the field \"label\" is missing") }
      return [
        Prompt(
          content, isPositive: try label.label(), answers: answers, wrong: wrong, pair: pair,
          positions: positions)
      ]
    }
    if let label = fields[.label], try !label.label() {
      throw record.error("it has a corrupted prompt beside it, and label 0 says that it is one itself")
    }
    // The twin is asked the same question.
    return [(content, true), (twin, false)].map { content, isPositive in
      Prompt(
        content, isPositive: isPositive, answers: answers, wrong: wrong, pair: pair ?? number,
        positions: positions)
    }
  }

  private func content(_ text: PromptField, _ tokens: PromptField) throws(TaskError) -> Prompt.Content? {
    switch (fields[text], fields[tokens]) {
    case (let text?, nil): return .text(try text.text())
    case (nil, let tokens?):
      var ids: [Int] = []
      for token in try tokens.elements() { ids.append(try token.integer(in: 0...Int(Int32.max))) }
      return .tokens(ids)
    case (nil, nil): return nil
    case (.some, .some): throw record.error("\"prompt\" and \"tokens\" exclude each other")
    }
  }

  /// The corrupted twin: a field of its own, or the prompt of the first object whose name ends in `_counterfactual`.
  private func corrupted() throws(TaskError) -> Prompt.Content? {
    if let given = try content(.corrupted, .corruptedTokens) { return given }
    let objects = try record.members().filter {
      $0.key.hasSuffix("_counterfactual") && $0.value.value.members != nil
    }
    guard let first = objects.first?.value else { return nil }
    return .text(try first.required("prompt").text())
  }

  /// Right and wrong answers; as texts where there are both texts and token ids, as ids belong to one tokenizer.
  private func answers() throws(TaskError) -> (right: [Prompt.Continuation], wrong: [Prompt.Continuation]) {
    if let choices = fields[.choices], let key = fields[.answerKey] {
      let all = try choices.texts().map { Prompt.Continuation.text($0) }
      let index = try key.integer()
      guard all.indices.contains(index) else {
        throw key.error("\(index) is none of \(all.count) choices, counted from 0")
      }
      return ([all[index]], all.indices.filter { $0 != index }.map { all[$0] })
    }
    return (
      try (fields[.answer] ?? fields[.answerTokens])?.continuations() ?? [],
      try (fields[.wrong] ?? fields[.wrongTokens])?.continuations() ?? []
    )
  }
}

extension FieldReader {
  /// Whether a label marks a positive: 1 or 0, true or false, "positive" or "negative".
  fileprivate func label() throws(TaskError) -> Bool {
    switch value {
    case .boolean(let truth): return truth
    case .string(let word):
      switch word.lowercased() {
      case "1", "1.0", "true", "positive", "yes": return true
      case "0", "0.0", "false", "negative", "no": return false
      default: throw error("'\(word)' is none of 1, 0, true, false, positive and negative")
      }
    default:
      if let number = value.wholeNumber, case .number = value, (0...1).contains(number) { return number == 1 }
      return try integer(in: 0...1) == 1
    }
  }

  fileprivate func continuations() throws(TaskError) -> [Prompt.Continuation] {
    if case .array = value {
      var list: [Prompt.Continuation] = []
      for element in try elements() { list.append(try element.continuation()) }
      return list
    }
    return [try continuation()]
  }

  private func continuation() throws(TaskError) -> Prompt.Continuation {
    if case .integer = value { return .token(try integer(in: 0...Int(Int32.max))) }
    if case .array = value {
      var ids: [Int] = []
      for token in try elements() { ids.append(try token.integer(in: 0...Int(Int32.max))) }
      guard !ids.isEmpty else { throw error("an answer needs a token") }
      return .tokens(ids)
    }
    return .text(try text())
  }
}
