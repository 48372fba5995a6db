// A table whose rule is known, so that an explanation of it can be checked: seedlings that thrive or do not.

import Tables
import Tensors

/// A seeded table of mixed columns with missing cells, a known rule behind the labels, and as much noise as wanted.
///
/// A seedling thrives if it has enough light, enough water, and a soil that is not clay. The thresholds depend on the
/// seed. All other columns say nothing about the label.
public struct ExampleTable: Sendable {
  /// The columns: the rule's three stand among the others.
  public let features: Features
  /// 1 where the seedling thrives.
  public let labels: [Int]
  /// The class names.
  public let classNames = ["fails", "thrives"]
  /// The rule: a seedling thrives exactly in this box, but for the share of labels that was turned round.
  public let rule: Box
  /// The name of the target.
  public let targetName = "outcome"

  /// The features that the rule names, in rising order.
  public var ruleFeatures: [Int] { rule.conditions.map(\.feature) }

  /// Makes a table.
  ///
  /// - Parameters:
  ///   - rows: the number of seedlings.
  ///   - noiseColumns: columns without meaning beside the rule's, mixed numeric and categorical.
  ///   - turnedLabels: the share of labels that contradict the rule.
  ///   - missingCells: the share of empty cells in the columns without meaning.
  ///   - seed: the same seed gives the same table.
  public init(
    rows: Int = 600, noiseColumns: Int = 9, turnedLabels: Double = 0.02, missingCells: Double = 0.05,
    seed: UInt64 = 1
  ) {
    var generator = SeededGenerator(seed: seed, stream: "example table")
    let soils = ["clay", "loam", "peat", "sand"]
    // Light in hours, water in millilitres a day.
    let lightBound = Float((3.5 + 1.5 * generator.uniform()) * 10).rounded() / 10
    let waterBound = Float(18 + generator.index(below: 10))
    let light = (0..<rows).map { _ in Float((generator.uniform() * 120).rounded()) / 10 }
    let water = (0..<rows).map { _ in Float((5 + generator.uniform() * 75).rounded()) }
    let soil = (0..<rows).map { _ in generator.index(below: soils.count) }
    labels = (0..<rows).map { row in
      let thrives = light[row] > lightBound && water[row] > waterBound && soil[row] != 0
      let turned = generator.uniform() < turnedLabels
      return thrives != turned ? 1 : 0
    }

    var names = ["light", "soil", "water"]
    var kinds: [FeatureKind] = [.numeric, .categorical(soils), .numeric]
    var values = light + soil.map { Float($0) } + water
    values.reserveCapacity(rows * (3 + noiseColumns))
    for column in 0..<noiseColumns {
      let noise = Self.noiseColumn(column)
      names.append(noise.name)
      kinds.append(noise.kind)
      for _ in 0..<rows {
        let isMissing = generator.uniform() < missingCells
        let value: Float =
          if case .categorical(let categories) = noise.kind {
            Float(generator.index(below: categories.count))
          } else {
            Float((generator.normal() * 10 * noise.scale).rounded() / 10 + noise.center)
          }
        values.append(isMissing ? .nan : value)
      }
    }
    features = Features(names: names, kinds: kinds, rowCount: rows, values: values)
    rule = Box([
      Condition(feature: 0, demand: .range(above: lightBound, atMost: .infinity), acceptsMissing: false),
      Condition(feature: 1, demand: .categories([1, 2, 3]), acceptsMissing: false),
      Condition(feature: 2, demand: .range(above: waterBound, atMost: .infinity), acceptsMissing: false),
    ])
  }

  private static func noiseColumn(
    _ index: Int
  ) -> (name: String, kind: FeatureKind, center: Double, scale: Double) {
    let meaningful: [(String, FeatureKind, Double, Double)] = [
      ("temperature", .numeric, 19, 3), ("pot", .categorical(["glass", "plastic", "terracotta"]), 0, 0),
      ("humidity", .numeric, 55, 9), ("depth", .numeric, 4, 1),
      ("shelf", .categorical(["east", "west"]), 0, 0),
      ("age", .numeric, 21, 4), ("acidity", .numeric, 6.5, 0.4),
      ("seed lot", .categorical(["A", "B", "C"]), 0, 0),
      ("height", .numeric, 11, 2.5),
    ]
    if index < meaningful.count { return meaningful[index] }
    return index % 5 == 4
      ? ("noise \(index + 1)", .categorical(["p", "q", "r"]), 0, 0) : ("noise \(index + 1)", .numeric, 0, 1)
  }

  /// The table as CSV text, the target last.
  public var csvText: String {
    var text = (features.names + [targetName]).joined(separator: ",") + "\n"
    let catalogue = FeatureCatalogue(features)
    for row in 0..<features.rowCount {
      let cells = (0..<features.count).map { feature in
        let value = features[row, feature]
        return value.isNaN ? "" : catalogue.text(value, of: feature)
      }
      text += (cells + [classNames[labels[row]]]).joined(separator: ",") + "\n"
    }
    return text
  }
}
