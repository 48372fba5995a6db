// One line about prompts that are unlike those a dictionary was trained on; silence where there are none.

import CircuitDiscovery
import Files
import Probes
import Recordings

/// Prompts that do not look like those that a dictionary knows.
struct OddPromptNotice {
  private let odd: OddPrompts
  private let examples: [RecordedExample]

  init(_ odd: OddPrompts, of recording: Recording) {
    self.odd = odd
    examples = recording.examples
  }

  /// Holds the prompts of a recording against those that train, and writes what is normal of them.
  /// - Returns: nil where too few prompts train.
  init?(_ recording: Recording, trainedOn prompts: [[Int]], seed: UInt64, savingTo path: String) throws {
    let known = Set(prompts)
    let training = recording.examples.indices.filter { known.contains(recording.examples[$0].tokens) }
    let groups = try PromptFields(recording).groups
    guard
      let found = try Normality.oddPrompts(of: recording, trainedOn: training, groups: groups, seed: seed)
    else { return nil }
    try found.normality.save(to: path)
    self.init(found.odd, of: recording)
  }

  /// The odd prompts, the oddest first.
  var prompts: [OddPrompts.Prompt] { odd.prompts }

  /// The line; nil where no prompt is odd.
  var line: String? {
    guard let first = odd.prompts.first else { return nil }
    let count = odd.prompts.count
    let numbers = odd.prompts.prefix(8).map { "\($0.index)" }.joined(separator: ", ")
    return
      "\(count) of \(odd.count) prompts \(count == 1 ? "is" : "are") unlike those the dictionary was trained on: \(numbers)"
      + (count > 8 ? ", …" : "")
      + " (the oddest, \(first.index), is “\(examples[first.index].prompt.shortened(to: 40))”); "
      + "of normal prompts alone, one run in \(Int((1 / odd.rate).rounded())) names any"
  }

  /// `odd_prompts` of summary.json.
  var value: JSONValue {
    .array(
      prompts.map {
        .object([JSONMember("prompt", .integer($0.index)), JSONMember("p_value", .number($0.pValue))])
      })
  }
}

extension JSONValue {
  /// An object with one member more, where there is a value for it.
  func adding(_ name: String, _ value: JSONValue?) -> JSONValue {
    guard case .object(let members) = self, let value else { return self }
    return .object(members + [JSONMember(name, value)])
  }
}
