// Every word a task can say: the vocabulary a word-level model needs for it.

extension TaskSpec {
  /// Texts that together hold every word and every mark of the task's prompts and answers.
  ///
  /// Cut into words by a word-level tokenizer's splitter they give the vocabulary with which every prompt can be
  /// tokenized. Prompts from a file are not read.
  public var vocabularyTexts: [String] {
    switch source {
    case .templates(let source): source.vocabularyTexts
    case .repeatedSpan(let source): source.words
    case .stateMachine: (0..<10).map(String.init)
    case .file: []
    case .prompts(let prompts):
      prompts.flatMap { prompt -> [String] in
        let continuations = (prompt.answers + prompt.wrong).compactMap { continuation -> String? in
          if case .text(let text) = continuation { text } else { nil }
        }
        if case .text(let text) = prompt.content { return [text] + continuations }
        return continuations
      }
    }
  }
}

extension TemplateSource {
  /// The literal parts of all templates, the lists in use, and the numbers, with their zeros in front.
  var vocabularyTexts: [String] {
    let used = templates.map(\.template) + answers + wrong + negative.map(\.value)
    var texts = used.flatMap { template in
      template.pieces.compactMap { if case .text(let text) = $0 { text } else { nil } }
    }
    for slot in slots {
      switch slot.kind {
      case .copy: break
      case .spelling(let spellings): texts += spellings
      case .word(let name), .lookUp(_, let name): texts += lists.first { $0.name == name }?.words ?? []
      case .number(let number):
        texts += number.range.map(number.text)
        texts += used.flatMap { $0.literalNumbers(beside: slot.name, in: number.range) }.map(number.text)
      }
    }
    return texts
  }
}

extension PromptTemplate {
  /// The numbers a range can give beyond those of the slot it starts or ends at.
  fileprivate func literalNumbers(beside slot: String, in numbers: ClosedRange<Int>) -> [Int] {
    pieces.flatMap { piece -> [Int] in
      guard case .range(let low, let high) = piece, low.slot == slot || high.slot == slot else { return [] }
      let first = low.slot == nil ? low.offset : numbers.lowerBound + low.offset
      let last = high.slot == nil ? high.offset : numbers.upperBound + high.offset
      return first <= last ? Array(first...last) : []
    }
  }
}
