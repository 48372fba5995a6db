// What is wrong with a planted model, in a sentence.

import CircuitDiscovery
import Files

extension PlantedError: ExplainedError {
  var sentence: String {
    switch self {
    case .notDone(let model, let accuracy):
      "planted model \(model): right on \((100 * accuracy).text(decimals: 0)) % of its prompts only"
    case .otherHeads(let model, let question, let expected, let found):
      "planted model \(model): by \(question), heads \(found.joined(separator: ", ")) act, not "
        + expected.joined(separator: ", ")
    }
  }
}
