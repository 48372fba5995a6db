// Reading the template fields of task.json.

import Files

extension TemplateSource {
  static let fields = [
    "lists", "slots", "templates", "one_token", "longer_words", "distinct", "equal_length", "answer", "wrong",
    "positions", "negative",
  ]

  init(_ root: FieldReader) throws(TaskError) {
    let slotFields = try root.required("slots")
    var lookedUp: Set<String> = []
    for (_, slot) in try slotFields.members() where slot.member("look_up") != nil {
      lookedUp.insert(try slot.required("from").text())
    }
    lists = try WordList.all(root.member("lists"), mayRepeat: lookedUp)
    slots = try Self.slots(slotFields, lists: lists)
    let names = slots.map(\.name)
    templates = []
    for element in try root.required("templates").elements() {
      templates.append(try Wording(element, slots: names))
    }
    guard !templates.isEmpty else { throw try root.required("templates").error("there are no templates") }
    oneToken = Set(
      try root.member("one_token").map { field throws(TaskError) in try field.slots(names) } ?? [])
    refusesLongerWords = false
    if let field = root.member("longer_words") {
      let choice = try field.text()
      guard ["drop", "refuse"].contains(choice) else { throw field.error("drop or refuse is needed") }
      refusesLongerWords = choice == "refuse"
    }
    distinct = try root.member("distinct").map { field throws(TaskError) in try field.groups(names) } ?? []
    equalLength =
      try root.member("equal_length").map { field throws(TaskError) in try field.groups(names) } ?? []
    answers = try Self.continuations(root.member("answer"), slots: slots)
    wrong = try Self.continuations(root.member("wrong"), slots: slots)
    positions = []
    for (name, place) in try root.member("positions")?.members() ?? [] {
      positions.append(try NamedPosition(name, place, source: templates, slots: names))
    }
    negative = []
    for (slot, value) in try root.member("negative")?.members() ?? [] {
      guard names.contains(slot) else { throw value.unknownSlot(slot, names) }
      negative.append(Replacement(slot: slot, value: try value.template(slots: names, mayHaveRange: false)))
    }
  }

  private static func slots(_ field: FieldReader, lists: [WordList]) throws(TaskError) -> [Slot] {
    var slots: [Slot] = []
    for (name, slot) in try field.members() {
      slots.append(Slot(name: name, kind: try kind(slot, lists: lists, before: slots)))
    }
    guard !slots.isEmpty else { throw field.error("there are no slots") }
    return slots
  }

  private static func kind(
    _ slot: FieldReader, lists: [WordList], before: [Slot]
  ) throws(TaskError) -> Slot.Kind {
    if slot.member("look_up") != nil { return try lookUp(slot, lists: lists, before: before) }
    let kinds = ["from", "numbers", "copy", "spellings"]
    let given = kinds.filter { slot.member($0) != nil }
    guard given.count == 1, let kind = given.first else {
      throw slot.error("exactly one of \(kinds.joined(separator: ", ")) is needed")
    }
    let field = try slot.required(kind)
    let known = before.map(\.name)
    if kind != "numbers" { try slot.allowOnly([kind]) }
    switch kind {
    case "from": return .word(list: try Self.list(field, lists).name)
    case "copy":
      let original = try field.text()
      guard known.contains(original) else {
        throw field.error("there is no slot \"\(original)\" before this one")
      }
      return .copy(of: original)
    case "spellings":
      let texts = try field.texts()
      guard !texts.isEmpty else { throw field.error("there are no spellings") }
      return .spelling(texts)
    default: return .number(try NumberSlot(slot, before: known))
    }
  }

  private static func list(_ field: FieldReader, _ lists: [WordList]) throws(TaskError) -> WordList {
    let name = try field.text()
    guard let list = lists.first(where: { $0.name == name }) else {
      throw field.error(
        "there is no list \"\(name)\"; there are \(lists.map(\.name).joined(separator: ", "))")
    }
    return list
  }

  private static func lookUp(
    _ slot: FieldReader, lists: [WordList], before: [Slot]
  ) throws(TaskError) -> Slot.Kind {
    try slot.allowOnly(["look_up", "from"])
    let field = try slot.required("look_up")
    let (name, found) = (try field.text(), try list(slot.required("from"), lists))
    guard case .word(let own)? = before.first(where: { $0.name == name })?.kind,
      let words = lists.first(where: { $0.name == own })?.words
    else { throw field.error("there is no slot \"\(name)\" before this one that draws a word from a list") }
    guard words.count == found.words.count else {
      throw try slot.required("from").error(
        "list \"\(found.name)\" has \(found.words.count) words and \"\(own)\", which it goes with, \(words.count)"
      )
    }
    guard Set(words).count == words.count else {
      throw field.error("list \"\(own)\" has a word twice, so nothing can be looked up by it")
    }
    return .lookUp(of: name, list: found.name)
  }

  private static func continuations(
    _ field: FieldReader?, slots: [Slot]
  ) throws(TaskError) -> [PromptTemplate] {
    guard let field else { return [] }
    var templates: [PromptTemplate] = []
    let elements: [FieldReader]
    if case .string = field.value { elements = [field] } else { elements = try field.elements() }
    for element in elements {
      let template = try element.template(slots: slots.map(\.name), mayHaveRange: true)
      for case .range(let low, let high) in template.pieces {
        for name in [low.slot, high.slot].compactMap({ $0 }) where !slots.isNumber(name) {
          throw element.error("the slot \"\(name)\" holds no number")
        }
      }
      templates.append(template)
    }
    return templates
  }
}

extension [Slot] {
  fileprivate func isNumber(_ name: String) -> Bool {
    contains { slot in
      if slot.name == name, case .number = slot.kind { true } else { false }
    }
  }
}

extension NumberSlot {
  init(_ slot: FieldReader, before: [String]) throws(TaskError) {
    try slot.allowOnly(["numbers", "digits", "in_turn", "joined_to", "drop_ends"])
    range = try slot.required("numbers").range()
    guard range.lowerBound >= 0, range.count <= 1_000_000 else {
      throw try slot.required("numbers").error("numbers from 0 are needed, a million at most")
    }
    digits = try slot.member("digits").map { field throws(TaskError) in try field.integer(in: 1...18) } ?? 1
    inTurn = try slot.member("in_turn").map { field throws(TaskError) in try field.boolean() } ?? false
    droppedEnds =
      try slot.member("drop_ends").map { field throws(TaskError) in try field.integer(in: 0...1000) } ?? 0
    joinedTo = nil
    if let field = slot.member("joined_to") {
      let name = try field.text()
      guard before.contains(name) else { throw field.error("there is no slot \"\(name)\" before this one") }
      joinedTo = name
    }
  }
}

extension Wording {
  init(_ element: FieldReader, slots: [String]) throws(TaskError) {
    if case .string = element.value {
      self.init(template: try element.template(slots: slots, mayHaveRange: false), form: nil)
      return
    }
    try element.allowOnly(["text", "form"])
    let template = try element.required("text").template(slots: slots, mayHaveRange: false)
    self.init(
      template: template, form: try element.member("form").map { field throws(TaskError) in try field.text() }
    )
  }
}

extension NamedPosition {
  /// Reads `slot`, `slot#2`, `slot+1`, `slot#2-1`, `last` or `last-1`.
  init(_ name: String, _ place: FieldReader, source: [Wording], slots: [String]) throws(TaskError) {
    let text = try place.text()
    let offsetStart = text.lastIndex { $0 == "+" || $0 == "-" }
    let target = offsetStart.map { text[..<$0] } ?? text[...]
    let parts = target.split(separator: "#", omittingEmptySubsequences: false)
    let occurrence = parts.count == 1 ? 1 : Int(parts[1])
    guard let offset = offsetStart.map({ Int(text[$0...]) }) ?? 0, let occurrence, occurrence > 0,
      (1...2).contains(parts.count)
    else { throw place.error("a slot is needed, like \"S\", \"S#2\" or \"S+1\"") }
    self.name = name
    self.occurrence = occurrence
    self.offset = offset
    slot = nil
    if target == "last" { return }
    let slotName = String(parts[0])
    guard slots.contains(slotName) else { throw place.unknownSlot(slotName, slots) }
    for (index, wording) in source.enumerated() {
      let found = wording.template.pieces.count { $0 == .slot(slotName) }
      guard found >= occurrence else {
        throw place.error(
          "templates[\(index)] has \(found) of {\(slotName)}, and number \(occurrence) is named")
      }
    }
    slot = slotName
  }
}

extension FieldReader {
  /// A template whose slots all exist.
  fileprivate func template(slots: [String], mayHaveRange: Bool) throws(TaskError) -> PromptTemplate {
    let text = try text()
    let template: PromptTemplate
    do {
      template = try PromptTemplate(text)
    } catch {
      throw self.error(error.text)
    }
    for name in template.slots where !slots.contains(name) { throw unknownSlot(name, slots) }
    guard mayHaveRange || !template.hasRange else {
      throw error("a range of numbers makes sense in answers only")
    }
    return template
  }

  fileprivate func unknownSlot(_ name: String, _ slots: [String]) -> TaskError {
    error("there is no slot \"\(name)\"; there are \(slots.joined(separator: ", "))")
  }

  /// A list of slot names.
  fileprivate func slots(_ known: [String]) throws(TaskError) -> [String] {
    let names = try texts()
    for name in names where !known.contains(name) { throw unknownSlot(name, known) }
    return names
  }

  /// A list of lists of slot names.
  fileprivate func groups(_ known: [String]) throws(TaskError) -> [[String]] {
    var groups: [[String]] = []
    for element in try elements() { groups.append(try element.slots(known)) }
    return groups
  }
}
