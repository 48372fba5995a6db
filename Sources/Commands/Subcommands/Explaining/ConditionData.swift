// Conditions as data, for programs that read rules.

import Files
import Tables
import TabularExplainer

extension FeatureCatalogue {
  /// A box as a list of objects: feature, bounds or categories, and whether a missing cell will do.
  ///
  /// `{"feature": "age", "above": 18, "at_most": 41.5, "or_missing": false}`: above the first, at most the second; a
  /// bound that is not there is left out. `{"feature": "colour", "in": ["red", "blue"], "or_missing": true}`.
  func data(_ box: Box) -> JSONValue { .array(box.conditions.map { data($0) }) }

  private func data(_ condition: Condition) -> JSONValue {
    var members = [JSONMember("feature", .string(names[condition.feature]))]
    switch condition.demand {
    case .range(let above, let atMost):
      if above >= atMost {
        members.append(JSONMember("only_missing", .boolean(true)))
      } else {
        if above.isFinite {
          members.append(JSONMember("above", .number(bound(above, of: condition.feature))))
        }
        if atMost.isFinite {
          members.append(JSONMember("at_most", .number(bound(atMost, of: condition.feature))))
        }
      }
    case .categories(let allowed):
      guard case .categorical(let names) = kinds[condition.feature] else { break }
      members.append(
        JSONMember("in", .array(allowed.filter { names.indices.contains($0) }.map { .string(names[$0]) })))
    }
    members.append(JSONMember("or_missing", .boolean(condition.acceptsMissing)))
    return .object(members)
  }
}
