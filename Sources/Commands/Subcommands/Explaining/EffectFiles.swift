// What explain leaves for figures: effects, contributions over held-out rows, pairs, calibration, groups.

import Files
import Reports
import Tables
import TabularExplainer

/// Files about many rows. Each is written whole or not at all.
struct EffectFiles {
  let explainer: Explainer
  let effects: ExplainerEffects
  let folder: String

  private var output: String { explainer.probed.blackBox.outputNames[effects.output] }

  private func name(_ feature: Int) -> String { explainer.catalogue.names[feature] }

  private func number(_ cell: Float, _ feature: Int) -> CSVCell {
    guard explainer.table.features.kinds[feature] == .numeric else { return .empty }
    return .number(explainer.catalogue.number(cell, of: feature))
  }

  /// All of them; those without rows are left out.
  /// - Parameter groups: features to tell quality by.
  func write(groups: [Int]) throws(FileError) {
    try save(effectTable, "effects")
    try save(individualTable, "individual-effects")
    try save(contributionTable, "held-out-contributions")
    try save(pairTable, "interactions")
    try save(calibrationTable, "calibration")
    try save(confusionTable, "confusion")
    try save(groupTable(groups), "groups")
  }

  private func save(_ document: CSVDocument, _ name: String) throws(FileError) {
    guard !document.rows.isEmpty else { return }
    try document.write(to: folder + "/\(name).csv")
  }

  private var effectTable: CSVDocument {
    var document = CSVDocument(header: [
      "feature", "output", "value", "number", "share_of_rows", "partial_dependence",
      "accumulated_local_effect",
    ])
    for effect in effects.features {
      for point in effect.grid.indices {
        document.append([
          .text(name(effect.feature)), .text(output),
          .text(explainer.catalogue.shortText(effect.grid[point], of: effect.feature)),
          number(effect.grid[point], effect.feature), .number(effect.shares[point]),
          .number(effect.partialDependence[point]), effect.accumulated.map { .number($0[point]) } ?? .empty,
        ])
      }
    }
    return document
  }

  private var individualTable: CSVDocument {
    var document = CSVDocument(header: ["feature", "output", "row", "value", "number", "prediction"])
    for effect in effects.features {
      for (place, row) in effect.rows.enumerated() {
        for point in effect.grid.indices {
          document.append([
            .text(name(effect.feature)), .text(output), .integer(effects.rows[row] + 1),
            .text(explainer.catalogue.shortText(effect.grid[point], of: effect.feature)),
            number(effect.grid[point], effect.feature), .number(effect.individual[place][point]),
          ])
        }
      }
    }
    return document
  }

  private var contributionTable: CSVDocument {
    var document = CSVDocument(header: [
      "row", "output", "feature", "value", "number", "contribution", "unit",
    ])
    for (row, found) in effects.contributions {
      let places = Dictionary(
        found.features.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
      for feature in explainer.choice.features.prefix(10) {
        guard let place = places[feature] else { continue }
        let cell = explainer.table.features[row, feature]
        document.append([
          .integer(row + 1), .text(output), .text(name(feature)),
          .text(explainer.catalogue.shortText(cell, of: feature)), number(cell, feature),
          .number(found.values[place][effects.output]), .text(found.unit.rawValue),
        ])
      }
    }
    return document
  }

  private var pairTable: CSVDocument {
    var document = CSVDocument(header: [
      "feature_1", "feature_2", "output", "mean_abs_interaction", "rows", "unit",
    ])
    let unit = effects.contributions.first?.contributions.unit.rawValue ?? ""
    for pair in effects.pairs.prefix(200) {
      document.append([
        .text(name(pair.features[0])), .text(name(pair.features[1])), .text(output), .number(pair.size),
        .integer(effects.pairRows), .text(unit),
      ])
    }
    return document
  }

  private var calibrationTable: CSVDocument {
    var document = CSVDocument(header: [
      "output", "bin", "rows", "mean_predicted", "observed", "observed_low", "observed_high",
    ])
    for (place, bin) in effects.calibration.enumerated() {
      document.append([
        .text(output), .integer(place + 1), .integer(bin.rows), .number(bin.predicted), .number(bin.observed),
        .number(bin.interval.low), .number(bin.interval.high),
      ])
    }
    return document
  }

  private var confusionTable: CSVDocument {
    var document = CSVDocument(header: ["true_class", "predicted_class", "rows"])
    guard let confusion = effects.confusion else { return document }
    let names = explainer.probed.blackBox.outputNames
    for truth in names.indices {
      for predicted in names.indices {
        document.append([
          .text(names[truth]), .text(names[predicted]),
          .integer(Int(confusion.counts[truth * confusion.classCount + predicted])),
        ])
      }
    }
    return document
  }

  private func groupTable(_ features: [Int]) -> CSVDocument {
    var document = CSVDocument(header: [
      "feature", "group", "held_out_rows", "measure", "value", "value_low", "value_high", "output",
      "mean_predicted", "observed",
    ])
    for feature in features {
      for group in explainer.groupQuality(by: feature, output: effects.output) {
        let estimate = group.quality.estimate
        document.append([
          .text(name(feature)), .text(group.name), .integer(group.rows), .text(group.quality.name),
          .number(estimate.value), .number(estimate.interval.low), .number(estimate.interval.high),
          .text(output), .number(group.predicted), .number(group.observed),
        ])
      }
    }
    return document
  }
}
