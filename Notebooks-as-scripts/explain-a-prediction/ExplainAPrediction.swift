// One prediction of a black box, explained from first to last through the library: run it and read along.
//
//   swift run -c release ExplainAPrediction

import Narration
import Reports
import Tables
import TabularExplainer
import Trees

@main
enum ExplainAPrediction {
  static func main() throws {
    let narration = try Narration("explain-a-prediction")
    print("1. A table whose rule we know")
    let example = ExampleTable(rows: 600, seed: 1)
    let table = Table(
      features: example.features, target: .classes(example.labels, names: example.classNames),
      targetName: example.targetName)
    let words = FeatureCatalogue(table.features)
    print("   \(table.rowCount) seedlings, \(table.features.count) columns, some cells missing.")
    print("   A seedling thrives if " + words.text(example.rule) + ".")
    print("   The other columns say nothing, and one label in fifty is turned round.")

    print("\n2. A black box, fitted to three quarters of the rows")
    let split = try table.split(holding: 0.25, seed: 1)
    let probed = try BlackBoxKind.boosted.probed(table, training: split.training, seed: 1)
    print("   Boosted trees. What it says of its own training rows comes from models that had not seen them")
    print(
      "   (\(probed.outputSource.rawValue)): a surrogate of anything else would learn what it knows by heart."
    )

    print("\n3. What the features mean to it: mean size of their SHAP values")
    for feature in probed.ranking.prefix(5) {
      let bar = String(repeating: "█", count: Int((probed.importance[feature] * 8).rounded()))
      print("   \(words.names[feature]): \(bar)")
    }
    try narration.draw(
      BarChart(
        title: "What the features mean to the black box", unit: "mean size of SHAP values",
        bars: probed.ranking.map { .init(words.names[$0], probed.importance[$0]) }
      ).svg, as: "importance")

    print("\n4. A surrogate on as few features as follow the black box nearly as well")
    let explainer = try Explainer(table, split: split, probed, options: ExplainerOptions(seed: 1))
    for point in explainer.choice.featureCurve.prefix(6) {
      print("   with \(point.features): R² \(point.determination.short)")
    }
    try narration.draw(
      LineChart(
        title: "How closely a surrogate follows", xTitle: "features kept", yTitle: "R²",
        series: [
          .init(
            "surrogate",
            explainer.choice.featureCurve.map { (x: Double($0.features), y: Double($0.determination)) })
        ]
      ).svg, as: "features")
    let kept = explainer.choice.features.map { words.names[$0] }.joined(separator: ", ")
    print("   Kept: \(kept). The surrogate is a \(explainer.choice.surrogate.kind.rawValue).")
    for measure in try explainer.fidelity(of: explainer.choice.surrogate) {
      let interval = measure.estimate.interval
      print(
        "   \(measure.name) on held-out rows: \(measure.estimate.value.short) "
          + "(\(interval.low.short) to \(interval.high.short))")
    }

    print("\n5. Its rules, counted on rows that neither model has seen")
    for rule in explainer.rules() {
      print("   \(explainer.outcomes.name(rule.outcome)) if \(words.text(rule.box))")
      print("      holds for \(rule.held.agreeing) of the \(rule.held.covered) held-out rows it covers")
    }

    print("\n6. One prediction")
    let row = split.held.first { example.labels[$0] == 0 } ?? 0
    let explanation = try explainer.explanation(row: row)
    let outcome = explainer.outcomes.name(explanation.outcome)
    print(
      "   Row \(row + 1): \(outcome), probability \(explanation.prediction[explanation.outcome].short).")
    print("   Because " + words.text(explanation.anchor.box) + ".")
    let bounds = explanation.anchor.held.precisionBounds
    print(
      "   Of held-out rows like that the black box says so in \(explanation.anchor.held.precision.short) "
        + "(95 % bounds \(bounds.low.short) to \(bounds.high.short)).")

    print("\n7. What would have to be different")
    var limits = ChangeLimits()
    limits.immutable = [1]
    let allowed = try explainer.explanation(row: row, limits: limits).counterfactuals
    for found in allowed {
      let changes = found.changes.map { "\(words.names[$0.feature]) \(words.text($0.to, of: $0.feature))" }
      let p = found.prediction[found.outcome].short
      print(
        "   \(changes.joined(separator: " and ")): \(explainer.outcomes.name(found.outcome)), probability \(p)"
      )
    }
    print("   Each was asked of the black box itself. The soil was not to be changed.")

    print("\n8. What moved the prediction, in log odds")
    if let contributions = explanation.contributions {
      var sum = contributions.baseline[explanation.outcome]
      print("   \(sum.short) where nothing is known of the row")
      for (feature, value) in contributions.largest(output: explanation.outcome) {
        sum += value
        let cell = words.text(table.features[row, feature], of: feature)
        print("   \(value < 0 ? "−" : "+")\(abs(value).short)  \(words.names[feature]) = \(cell)")
      }
      print("   \(sum.short) in all, which is the prediction again")
      try narration.draw(
        BarChart(
          title: "What moved the prediction of row \(row + 1)", unit: "log odds of \(outcome)",
          bars: contributions.largest(output: explanation.outcome).map { feature, value in
            .init(
              "\(words.names[feature]) = \(words.text(table.features[row, feature], of: feature))",
              Double(value))
          },
          start: contributions.baseline[explanation.outcome]
        ).svg, as: "contributions")
    }
  }
}
