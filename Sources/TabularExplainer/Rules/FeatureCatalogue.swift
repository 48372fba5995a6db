// What is known of a table's features when conditions on them are put into words.

import Tables

/// Names, kinds, and whether cells are missing, feature by feature.
public struct FeatureCatalogue: Sendable {
  /// The features' names.
  public let names: [String]
  /// The features' kinds.
  public let kinds: [FeatureKind]
  /// Whether some cell of the feature is missing.
  public let hasMissing: [Bool]
  private let forms: [Int: NumberForm]
  private let scales: [Int: ExactScale]
  /// The most categories that a condition names on a terminal.
  public static let shortList = 6

  /// Looks through a table.
  public init(_ features: Features) {
    names = features.names
    kinds = features.kinds
    forms = features.forms
    scales = features.scales
    hasMissing = (0..<features.count).map { features.column($0).contains { $0.isNaN } }
  }

  /// A feature's name, in quotes where it could be taken for a part of the condition.
  public func name(_ feature: Int) -> String { Self.quoted(names[feature]) }

  /// A text as one word of a condition: in quotes where it holds a mark or a word of conditions.
  static func quoted(_ text: String) -> String {
    let marks: Set<Character> = ["≤", ">", "<", "=", "\"", "(", ")", ",", "\n"]
    let words = text.split(separator: " ", omittingEmptySubsequences: false)
    let isPlain =
      !text.isEmpty && text.first != " " && text.last != " "
      && !text.contains { marks.contains($0) || $0.isNewline }
      && !words.contains {
        ["and", "or", "is", "not", "missing", "known", "anything", "another"].contains($0)
      }
    guard !isPlain else { return text }
    let escaped = text.map { $0 == "\"" ? "\\\"" : $0.isNewline ? "\\n" : String($0) }.joined()
    return "\"\(escaped)\""
  }

  /// A cell as a reader would write it.
  public func text(_ value: Float, of feature: Int) -> String {
    if value.isNaN { return "missing" }
    switch kinds[feature] {
    case .numeric: return (forms[feature] ?? .number).text(number(value, of: feature))
    case .categorical(let names):
      let index = Int(value)
      return names.indices.contains(index) ? names[index] : "another"
    }
  }

  /// A cell with no more than seven digits, where it is read as an example rather than as a bound.
  public func shortText(_ value: Float, of feature: Int) -> String {
    guard case .numeric = kinds[feature], forms[feature] == nil, scales[feature] != nil else {
      return text(value, of: feature)
    }
    let number = number(value, of: feature)
    return number == number.rounded() ? plainText(number) : plainText(decimalValue(Float(number)))
  }

  /// The number that a cell stands for.
  public func number(_ value: Float, of feature: Int) -> Double {
    scales[feature]?.value(of: value) ?? decimalValue(value)
  }

  /// The number that says `≤` of the feature's values as a threshold says it of their cells: the shortest one between
  /// the values it parts, where cells stand for doubles.
  public func bound(_ threshold: Float, of feature: Int) -> Double {
    guard let scale = scales[feature] else { return decimalValue(threshold) }
    let place = scale.index(of: threshold)
    guard place >= 0, place + 1 < scale.values.count else { return scale.value(of: threshold) }
    let (low, high) = (scale.values[place], scale.values[place + 1])
    // Moments are parted at the last one below: a day has no decimals.
    return forms[feature]?.isMoment ?? false ? low : shortestDouble(from: low, below: high)
  }

  private func boundText(_ threshold: Float, of feature: Int) -> String {
    (forms[feature] ?? .number).text(bound(threshold, of: feature))
  }

  /// A condition in words: `age ≤ 41.5`, `0.2 < x ≤ 3`, `colour is red or blue`, `income is missing`.
  ///
  /// "or missing" stands in brackets with its condition, so that it cannot be read with the next one.
  /// - Parameter most: the most categories that are named; all unless given.
  public func text(_ condition: Condition, most: Int = .max) -> String {
    let feature = condition.feature
    let name = name(feature)
    let missing = condition.acceptsMissing && hasMissing[feature]
    func bracketed(_ text: String) -> String { missing ? "(\(text) or missing)" : text }
    switch condition.demand {
    case .range(let above, let atMost):
      if above >= atMost { return missing ? "\(name) is missing" : "\(name) is impossible" }
      switch (above.isFinite, atMost.isFinite) {
      case (false, false): return missing ? "\(name) is anything" : "\(name) is known"
      case (true, false): return bracketed("\(name) > \(boundText(above, of: feature))")
      case (false, true): return bracketed("\(name) ≤ \(boundText(atMost, of: feature))")
      case (true, true):
        return bracketed("\(boundText(above, of: feature)) < \(name) ≤ \(boundText(atMost, of: feature))")
      }
    case .categories(let allowed):
      guard !allowed.isEmpty else { return missing ? "\(name) is missing" : "\(name) is impossible" }
      guard case .categorical(let names) = kinds[feature] else { return name }
      let others = names.indices.filter { !allowed.contains($0) }
      if others.isEmpty { return missing ? "\(name) is anything" : "\(name) is known" }
      if others.count < allowed.count, missing || !hasMissing[feature] {
        return "\(name) is not " + list(others.map { names[$0] }, most)
      }
      return bracketed(
        "\(name) is " + list(allowed.map { names.indices.contains($0) ? names[$0] : "another" }, most))
    }
  }

  private func list(_ texts: [String], _ most: Int) -> String {
    let quoted = texts.map(Self.quoted)
    guard quoted.count > most else { return quoted.joined(separator: " or ") }
    return quoted.prefix(most - 1).joined(separator: " or ") + " or one of \(quoted.count - most + 1) others"
  }

  /// A box in words; `always` for the box that holds every row.
  /// - Parameter most: the most categories that a condition names; all unless given.
  public func text(_ box: Box, most: Int = .max) -> String {
    box.conditions.isEmpty
      ? "always" : box.conditions.map { text($0, most: most) }.joined(separator: " and ")
  }
}
