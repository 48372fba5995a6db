// From a field of prompts to classes.

import Files

/// Prompts that have a class, and the classes' names.
public struct ProbeTarget: Sendable, Equatable {
  /// The field.
  public let field: String
  /// The names of classes: numbers by size, texts by alphabet.
  public let classes: [String]
  /// The prompts that have one of them.
  public let prompts: [Int]
  /// The class of each of these prompts.
  public let labels: [Int]
  /// Values with too few prompts to be a class, and how many prompts that leaves out.
  public let rare: (values: Int, prompts: Int)
  /// Prompts without a value.
  public let withoutValue: Int

  /// More classes than this are not probed: a field with so many is a quantity, or a text of its own for each prompt.
  public static let mostClasses = 100
  /// Prompts that a class needs.
  public static let leastPrompts = 10

  /// The classes of a field.
  /// - Throws: `ProbeError.tooFewClasses` where fewer than two values have enough prompts, `tooManyClasses`.
  public init(field: String, values: [String?]) throws(ProbeError) {
    let counts = Dictionary(values.compactMap { $0 }.map { ($0, 1) }, uniquingKeysWith: +)
    let common = counts.filter { $0.value >= Self.leastPrompts }.keys
    let numbers = common.compactMap { name in Double(name).map { (name: name, number: $0) } }
    let names =
      numbers.count == common.count
      ? numbers.sorted { ($0.number, $0.name) < ($1.number, $1.name) }.map(\.name) : common.sorted()
    guard names.count >= 2 else {
      throw .tooFewClasses(
        field: field, classes: names.count, least: Self.leastPrompts, examples: values.count)
    }
    guard names.count <= Self.mostClasses else {
      throw .tooManyClasses(field: field, classes: names.count, most: Self.mostClasses)
    }
    let places = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
    let found = values.map { $0.flatMap { places[$0] } }
    self.field = field
    classes = names
    prompts = found.indices.filter { found[$0] != nil }
    labels = found.compactMap { $0 }
    let missing = values.count { $0 == nil }
    rare = (counts.count - names.count, values.count - prompts.count - missing)
    withoutValue = missing
  }

  /// Whether two targets are the same.
  public static func == (left: ProbeTarget, right: ProbeTarget) -> Bool {
    left.field == right.field && left.classes == right.classes && left.prompts == right.prompts
      && left.labels == right.labels && left.rare == right.rare && left.withoutValue == right.withoutValue
  }
}
