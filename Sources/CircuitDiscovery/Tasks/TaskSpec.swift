// A behaviour to look for, as `task.json` describes it.

/// A task: where its prompts come from, how answers are compared, and which heads others found.
public struct TaskSpec: Equatable, Sendable {
  /// The task's name: one word.
  public var name: String
  /// One line about the behaviour.
  public var summary: String
  /// The file the spec was read from.
  public var path: String
  /// Where the prompts come from.
  public var source: PromptSource
  /// How right and wrong answers are compared.
  public var metric: AnswerMetric
  /// The weight of the sparsity term that the method's authors used for this task, where it is not the usual one.
  public var sparsity: Double?
  /// Published or measured ground truths, in the order of the file.
  public var truths: [GroundTruth]

  /// The ground truth of this name.
  /// - Throws: `TaskError.unknownTruth`.
  public func truth(named name: String) throws(TaskError) -> GroundTruth {
    guard let truth = truths.first(where: { $0.name == name }) else {
      throw .unknownTruth(name, task: self.name, known: truths.map(\.name))
    }
    return truth
  }

  /// The words of a list; empty where there is no such list.
  public func words(of list: String) -> [String] {
    guard case .templates(let source) = source else { return [] }
    return source.lists.first { $0.name == list }?.words ?? []
  }
}

/// Where a task's prompts come from.
public enum PromptSource: Equatable, Sendable {
  /// Templates filled with words.
  case templates(TemplateSource)
  /// Random words or tokens with a span that comes twice.
  case repeatedSpan(RepeatedSpanSource)
  /// Random walks on a state machine.
  case stateMachine(StateMachineSource)
  /// Prompts written out in the spec.
  case prompts([Prompt])
  /// A JSON-lines file; the path is absolute or relative to the working folder.
  case file(String)
}

/// Templates, what fills their slots, and how a negative differs from its positive.
public struct TemplateSource: Equatable, Sendable {
  /// The word lists, in the order of the file.
  public var lists: [WordList]
  /// The slots, in the order they are filled.
  public var slots: [Slot]
  /// The templates, used in equal proportions.
  public var templates: [Wording]
  /// Slots whose every occurrence must be one token.
  public var oneToken: Set<String>
  /// Whether a word that is not one token is an error; else it is left out and counted.
  public var refusesLongerWords: Bool
  /// Groups of slots whose values differ.
  public var distinct: [[String]]
  /// Groups of slots whose values have the same number of tokens.
  public var equalLength: [[String]]
  /// The right continuations.
  public var answers: [PromptTemplate]
  /// The wrong continuations.
  public var wrong: [PromptTemplate]
  /// Named token positions.
  public var positions: [NamedPosition]
  /// What the slots of a negative hold instead; the other slots stay as in its positive.
  public var negative: [Replacement]

  /// The slot of this name.
  func slot(named name: String) -> Slot? { slots.first { $0.name == name } }

  /// The word of a list that stands at the place that a word of a slot has in the slot's own list.
  func word(beside word: String, of name: String, in list: String) -> String? {
    guard case .word(let own)? = slot(named: name)?.kind,
      let place = lists.first(where: { $0.name == own })?.words.firstIndex(of: word),
      let words = lists.first(where: { $0.name == list })?.words, words.indices.contains(place)
    else { return nil }
    return words[place]
  }
}

/// A named list of words.
public struct WordList: Equatable, Sendable {
  /// The name slots refer to it by.
  public var name: String
  /// The words, each once in lists that words are drawn from.
  public var words: [String]

  /// A list of words.
  public init(name: String, words: [String]) {
    self.name = name
    self.words = words
  }
}

/// A template and the form it belongs to ("ABBA").
public struct Wording: Equatable, Sendable {
  /// The text with slots.
  public var template: PromptTemplate
  /// The form; nil where forms are not told apart.
  public var form: String?
}

/// What a slot of a negative holds instead.
public struct Replacement: Equatable, Sendable {
  /// The slot.
  public var slot: String
  /// Its new value, in terms of the positive's values.
  public var value: PromptTemplate
}

/// A named place in a prompt: the last token of a slot's occurrence, moved by an offset.
public struct NamedPosition: Equatable, Sendable {
  /// The position's name.
  public var name: String
  /// The slot; nil for the prompt's last token.
  public var slot: String?
  /// Which occurrence of the slot, from 1.
  public var occurrence: Int
  /// How many tokens further right.
  public var offset: Int
}

/// Something that fills a place in a template.
public struct Slot: Equatable, Sendable {
  /// What a slot holds.
  public enum Kind: Equatable, Sendable {
    /// A word drawn from a list.
    case word(list: String)
    /// A number drawn from a range.
    case number(NumberSlot)
    /// The value of another slot.
    case copy(of: String)
    /// The word of a list that stands where another slot's word stands in its own list.
    case lookUp(of: String, list: String)
    /// The first of these texts with which every slot of `one_token` is one token under the model's tokenizer.
    case spelling([String])
  }

  /// The name templates use.
  public var name: String
  /// What it holds.
  public var kind: Kind
}

/// A slot that holds a number.
public struct NumberSlot: Equatable, Sendable {
  /// The numbers.
  public var range: ClosedRange<Int>
  /// How many digits are written, with zeros in front.
  public var digits: Int
  /// Whether the numbers are taken in turn instead of at random.
  public var inTurn: Bool
  /// An earlier slot that this one is written right behind; only numbers that are a token of their own there count.
  public var joinedTo: String?
  /// How many of the lowest and of the highest such numbers are left out.
  public var droppedEnds: Int

  /// The number as it is written.
  func text(_ number: Int) -> String {
    let digitsOfNumber = String(number)
    return String(repeating: "0", count: max(0, digits - digitsOfNumber.count)) + digitsOfNumber
  }
}

/// Random sequences: some words, a span, more words, and the beginning of the span again; the answer is how it
/// goes on. In the negative the second occurrence is made of other words, so that nothing repeats.
public struct RepeatedSpanSource: Equatable, Sendable {
  /// The words; for a model without a tokenizer, any token will do.
  public var words: [String]
  /// How many words come before the span.
  public var before: ClosedRange<Int>
  /// How long the span is.
  public var length: ClosedRange<Int>
  /// How many words stand between the span and its beginning seen again.
  public var between: ClosedRange<Int>
}
