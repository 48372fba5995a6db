// How many different prompts a spec can give.

/// The number of a task's different positive prompts.
public enum PromptAmount: Equatable, Sendable {
  /// A count, exact below 2⁵³.
  case exactly(Double)
  /// The prompts are in a file, which was not read.
  case unknown
}

extension TaskSpec {
  /// How many different positive prompts there are while every word of the lists can be used.
  public var possiblePrompts: PromptAmount {
    switch source {
    case .templates(let source): .exactly(source.possiblePrompts)
    case .repeatedSpan(let source): .exactly(source.possiblePrompts)
    case .stateMachine(let source): .exactly(source.possiblePrompts)
    case .prompts(let prompts): .exactly(Double(prompts.count(where: \.isPositive)))
    case .file: .unknown
    }
  }
}

extension TemplateSource {
  /// The sum over templates of the ways to fill their slots. Constraints of equal length are not counted in.
  var possiblePrompts: Double {
    templates.reduce(0) { $0 + ways(toFill: $1.template) }
  }

  private func ways(toFill template: PromptTemplate) -> Double {
    var ways = 1.0
    var filled: [String] = []
    let used = Set(template.slots.map(original))
    for slot in slots where used.contains(slot.name) {
      switch slot.kind {
      case .number(let number): ways *= Double(number.range.count)
      case .copy, .lookUp, .spelling: break
      case .word(let list):
        let words = lists.first { $0.name == list }?.words.count ?? 0
        let taken = filled.count { other in
          self.slot(named: other)?.kind == slot.kind
            && distinct.contains { $0.contains(other) && $0.contains(slot.name) }
        }
        ways *= Double(max(0, words - taken))
      }
      filled.append(slot.name)
    }
    return ways
  }

  /// The slot that decides another's value.
  private func original(of name: String) -> String {
    switch slot(named: name)?.kind {
    case .copy(let other)?, .lookUp(let other, _)?: original(of: other)
    default: name
    }
  }
}

extension RepeatedSpanSource {
  /// The number of sequences: choices of the three lengths, of where the repeat ends, and of different words.
  var possiblePrompts: Double {
    var sum = 0.0
    for start in before {
      for span in length {
        for gap in between {
          let distinct = start + span + gap
          guard distinct <= words.count else { continue }
          let sequences = (0..<distinct).reduce(1.0) { $0 * Double(words.count - $1) }
          sum += sequences * Double(span - 1)
        }
      }
    }
    return sum
  }
}
