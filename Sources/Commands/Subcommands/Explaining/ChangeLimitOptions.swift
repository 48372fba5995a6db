// What counterfactuals may not do, from words on the command line.

import Files
import Tables
import TabularExplainer

/// The options that limit counterfactuals.
enum ChangeLimitOptions {
  static let immutable = Option<String>(
    "immutable", "A,B", help: "features that counterfactuals may not change")
  static let increaseOnly = Option<String>("increase-only", "A,B", help: "features that may only grow")
  static let decreaseOnly = Option<String>("decrease-only", "A,B", help: "features that may only shrink")
  static let range = Option<String>("range", "\"A=0:10,…\"", help: "the values that features may be given")
  static let wanted = Option<String>(
    "wanted", "CLASS", help: "what counterfactuals should reach; the next most probable class unless given")
  static let all: [any OptionDeclaration] = [immutable, increaseOnly, decreaseOnly, range, wanted]

  /// The limits.
  /// - Throws: `UsageError` for features that are not there, ranges that are none, and direction on categories.
  static func limits(_ arguments: ParsedArguments, _ features: Features) throws(UsageError) -> ChangeLimits {
    var limits = ChangeLimits()
    func place(_ name: String, _ option: String, numeric: Bool) throws(UsageError) -> Int {
      guard let place = features.names.firstIndex(of: name) else {
        let nearest = nearestWord(to: name, among: features.names)
        throw .invalid(
          "--\(option): there is no feature '\(name)'" + (nearest.map { "; did you mean '\($0)'?" } ?? ""))
      }
      if numeric, features.kinds[place] != .numeric {
        throw .invalid("--\(option): '\(name)' holds categories, which neither grow nor shrink")
      }
      return place
    }
    for name in arguments.list(immutable) {
      limits.immutable.insert(try place(name, "immutable", numeric: false))
    }
    for name in arguments.list(increaseOnly) {
      limits.increaseOnly.insert(try place(name, "increase-only", numeric: true))
    }
    for name in arguments.list(decreaseOnly) {
      limits.decreaseOnly.insert(try place(name, "decrease-only", numeric: true))
    }
    for text in arguments.list(range) {
      // The last '=' parts name and range: names may hold one.
      guard let equals = text.lastIndex(of: "=") else {
        throw .badValue(option: "range", value: text, expectation: "a range like age=18:65")
      }
      let bounds = text[text.index(after: equals)...].split(separator: ":", omittingEmptySubsequences: false)
      guard bounds.count == 2, let low = bounds[0].isEmpty ? -Float.infinity : Float(bounds[0]),
        let high = bounds[1].isEmpty ? Float.infinity : Float(bounds[1]), low <= high
      else { throw .badValue(option: "range", value: text, expectation: "a range like age=18:65") }
      limits.ranges[try place(String(text[..<equals]), "range", numeric: true)] = low...high
    }
    return limits
  }

  /// The outcome that counterfactuals should reach; nil where it is left open.
  static func wanted(_ arguments: ParsedArguments, _ outcomes: Outcomes) throws(UsageError) -> Int? {
    guard let name = arguments[wanted] else { return nil }
    let names = (0..<outcomes.count).map { outcomes.name($0) }
    guard let place = names.firstIndex(of: name) else {
      throw .badValue(option: "wanted", value: name, expectation: "one of " + names.joined(separator: ", "))
    }
    return place
  }
}
