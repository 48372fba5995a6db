// Reading task.json. Whatever is wrong is said with the path of its field.

import Files
import FoundationEssentials

extension TaskSpec {
  private static let common = ["name", "summary", "notes", "metric", "sparsity", "ground_truths"]
  private static let sources = ["templates", "repeated_span", "state_machine", "prompts", "prompts_file"]

  /// Reads a spec from a file.
  /// - Throws: `FileError`, or `TaskError` that names the file and the field.
  public init(path: String) throws {
    try self.init(parsing: readText(at: path), path: path)
  }

  /// Reads a spec from text; `path` is for messages and for finding a prompts file beside it.
  public init(parsing text: String, path: String) throws(TaskError) {
    let value: JSONValue
    do {
      value = try JSONValue(parsing: text)
    } catch {
      throw .notJSON(path: path, line: error.line, column: error.column, problem: error.problem)
    }
    let root = FieldReader(value) { field, problem in
      .badField(path: path, field: field, problem: problem)
    }
    self.path = path
    name = try root.required("name").text()
    guard !name.isEmpty, name.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" }) else {
      throw try root.required("name").error("a name is made of letters, digits, '-' and '_'")
    }
    summary = try root.required("summary").text()
    metric = .logitDifference
    if let field = root.member("metric") {
      guard let metric = AnswerMetric(rawValue: try field.text()) else {
        let known = AnswerMetric.allCases.map(\.rawValue).joined(separator: " or ")
        throw field.error("\(known) is needed")
      }
      self.metric = metric
    }
    sparsity = try root.member("sparsity").map { field throws(TaskError) in try field.number() }
    truths = try GroundTruth.all(root.member("ground_truths"))
    source = try Self.source(root, path: path)
  }

  private static func source(_ root: FieldReader, path: String) throws(TaskError) -> PromptSource {
    let given = sources.filter { root.member($0) != nil }
    guard given.count == 1, let kind = given.first else {
      let list = sources.joined(separator: ", ")
      throw root.error("exactly one of \(list) is needed, and there are \(given.count)")
    }
    let field = try root.required(kind)
    switch kind {
    case "templates":
      try root.allowOnly(common + TemplateSource.fields)
      return .templates(try TemplateSource(root))
    case "repeated_span":
      try root.allowOnly(common + ["lists", kind])
      return .repeatedSpan(try RepeatedSpanSource(field, lists: WordList.all(root.member("lists"))))
    case "state_machine":
      try root.allowOnly(common + [kind])
      return .stateMachine(try StateMachineSource(field))
    case "prompts":
      try root.allowOnly(common + [kind])
      var prompts: [Prompt] = []
      for element in try field.elements() {
        prompts += try PromptRecord(element).prompts(pair: prompts.count)
      }
      guard !prompts.isEmpty else { throw field.error("there are no prompts") }
      return .prompts(prompts)
    default:
      try root.allowOnly(common + [kind])
      let file = try field.text()
      guard !file.isEmpty else { throw field.error("the path is empty") }
      if file.hasPrefix("/") { return .file(file) }
      let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
      return .file(folder + file)
    }
  }
}

extension WordList {
  /// - Parameter mayRepeat: lists in which words are looked up and may stand twice.
  static func all(_ field: FieldReader?, mayRepeat: Set<String> = []) throws(TaskError) -> [WordList] {
    var lists: [WordList] = []
    for (name, list) in try field?.members() ?? [] {
      let words = try list.texts()
      guard !words.isEmpty else { throw list.error("the list is empty") }
      var seen: Set<String> = []
      for (index, word) in words.enumerated() {
        let isPadded = word.first?.isWhitespace != false || word.last?.isWhitespace != false
        let element = "element \(index), \"\(word)\","
        if isPadded { throw list.error("\(element) is empty or has blanks at its ends") }
        if !seen.insert(word).inserted, !mayRepeat.contains(name) {
          throw list.error("\(element) stands there twice")
        }
      }
      lists.append(WordList(name: name, words: words))
    }
    return lists
  }
}

extension RepeatedSpanSource {
  init(_ field: FieldReader, lists: [WordList]) throws(TaskError) {
    try field.allowOnly(["from", "before", "length", "between"])
    let from = try field.required("from")
    let name = try from.text()
    guard let list = lists.first(where: { $0.name == name }) else {
      throw from.error("there is no list \"\(name)\"")
    }
    words = list.words
    before = try field.required("before").range()
    length = try field.required("length").range()
    between = try field.required("between").range()
    guard before.lowerBound >= 0, between.lowerBound >= 0, length.lowerBound >= 2 else {
      throw field.error("counts start at 0, and a span has at least 2 words")
    }
  }
}
