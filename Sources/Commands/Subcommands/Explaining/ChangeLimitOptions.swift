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
    "wanted", "CLASS|LOW:HIGH",
    help:
      "what counterfactuals should reach: a class, or a range of a quantity; the next most probable class unless given"
  )
  static let maximumChanges = Option<Int>(
    "max-changes", "N", help: "the most cells that a counterfactual may change")
  static let all: [any OptionDeclaration] = [
    immutable, increaseOnly, decreaseOnly, range, wanted, maximumChanges,
  ]

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
    if let most = arguments[maximumChanges] {
      guard most >= 1 else { throw .invalid("--max-changes wants a whole number from 1") }
      limits.maximumChanges = most
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
      guard bounds.count == 2, let low = bounds[0].isEmpty ? -Double.infinity : Double(bounds[0]),
        let high = bounds[1].isEmpty ? Double.infinity : Double(bounds[1]), low <= high
      else { throw .badValue(option: "range", value: text, expectation: "a range like age=18:65") }
      let feature = try place(String(text[..<equals]), "range", numeric: true)
      func cell(_ value: Double) -> Float {
        value.isFinite ? features.cell(for: value, of: feature) : Float(value)
      }
      limits.ranges[feature] = cell(low)...cell(high)
    }
    return limits
  }

  /// What counterfactuals should reach; nil where it is left open.
  static func wanted(_ arguments: ParsedArguments, _ outcomes: Outcomes) throws(UsageError) -> WantedOutcome?
  {
    guard let name = arguments[wanted] else { return nil }
    let names = (0..<outcomes.count).map { outcomes.name($0) }
    if let place = names.firstIndex(of: name) { return .outcome(place) }
    guard case .bands = outcomes else {
      throw .badValue(option: "wanted", value: name, expectation: "one of " + names.joined(separator: ", "))
    }
    let ends = name.split(separator: ":", omittingEmptySubsequences: false)
    guard ends.count == 2, let low = ends[0].isEmpty ? -Double.infinity : Double(ends[0]),
      let high = ends[1].isEmpty ? Double.infinity : Double(ends[1]), low <= high
    else {
      throw .badValue(
        option: "wanted", value: name,
        expectation: "a range like 10:20, or one of " + names.joined(separator: ", "))
    }
    return .range(low...high)
  }
}
