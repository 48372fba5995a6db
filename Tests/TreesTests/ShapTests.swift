// SHAP values against the definition, counted out over all subsets, and against the shap package.
// Golden/shap.json is written by Golden/shap_values.py.

import Files
import Foundation
import Tables
import Tensors
import TestSupport
import Testing

@testable import Trees

@Suite struct ShapTests {
  /// The expected leaf value when only the features in `known` are known: covers decide at the others.
  static func expectation(_ tree: Tree, _ row: [Float], known: Set<Int>, node: Int = 0) -> Double {
    let content = tree.nodes[node]
    if content.isLeaf { return tree.leafValues[Int(content.left)] }
    let (left, right) = (Int(content.left), Int(content.right))
    if known.contains(Int(content.feature)) {
      let goesLeft = tree.goesLeft(row[Int(content.feature)], at: content)
      return expectation(tree, row, known: known, node: goesLeft ? left : right)
    }
    return
      (tree.covers[left] * expectation(tree, row, known: known, node: left)
      + tree.covers[right] * expectation(tree, row, known: known, node: right)) / tree.covers[node]
  }

  /// Shapley's formula over all subsets of the other features.
  static func shapley(_ tree: Tree, _ row: [Float], feature: Int, of count: Int) -> Double {
    let others = (0..<count).filter { $0 != feature }
    var sum = 0.0
    for subset in 0..<(1 << others.count) {
      let known = Set(others.indices.filter { subset >> $0 & 1 == 1 }.map { others[$0] })
      var weight = 1.0 / Double(count)
      for index in 0..<known.count { weight *= Double(index + 1) / Double(count - 1 - index) }
      let gain =
        expectation(tree, row, known: known.union([feature])) - expectation(tree, row, known: known)
      sum += weight * gain
    }
    return sum
  }

  @Test func equalsTheDefinition() throws {
    let (features, labels) = GrowingTests.mixed(120, seed: 9)
    var options = BoostingOptions()
    (options.rounds, options.maximumDepth, options.minimumLeafWeight) = (3, 6, 0.01)
    let ensemble = try TreeEnsemble.boosted(
      features, target: .classes(labels, names: ["no", "yes"]), targetName: "y", options: options)
    let shap = try ensemble.shapValues(features)
    for row in stride(from: 0, to: 120, by: 17) {
      let cells = features.row(row)
      for (place, feature) in shap.features.enumerated() {
        let expected = ensemble.trees.reduce(0) {
          $0 + Self.shapley($1, cells, feature: feature, of: features.count)
        }
        #expect(abs(shap.contributions(row: row, score: 0)[place] - expected) < 1e-12)
      }
    }
  }

  @Test(arguments: GrowingTests.models) func contributionsAddUpToTheScore(model: String) throws {
    let (features, labels) = GrowingTests.mixed(400, seed: 10)
    let ensemble = try GrowingTests.fit(model, features, .classes(labels, names: ["no", "yes"]))
    let shap = try ensemble.shapValues(features)
    let scores = try ensemble.scores(features)
    for row in 0..<400 {
      for score in 0..<ensemble.scoreCount {
        let sum = shap.baseScores[score] + shap.contributions(row: row, score: score).reduce(0, +)
        #expect(abs(sum - scores[row * ensemble.scoreCount + score]) < 1e-10)
      }
    }
  }

  struct Golden: Decodable {
    var name: String
    var model: TreeEnsemble
    /// Row by row; null is missing.
    var rows: [[Float?]]
    var shap: [[[Double]]]
    var predictions: [[Double]]
  }

  @Test func equalsTheShapPackage() throws {
    let path = packageFolder + "/Tests/TreesTests/Golden/shap.json"
    let cases = try JSONDecoder().decode([Golden].self, from: Data(contentsOf: URL(fileURLWithPath: path)))
    #expect(cases.map(\.name) == ["forest classifier", "forest regressor", "boosted, missing cells"])
    for golden in cases {
      let count = golden.model.featureNames.count
      let values = (0..<count).flatMap { column in golden.rows.map { $0[column] ?? .nan } }
      let features = Features(
        names: golden.model.featureNames, kinds: golden.model.featureKinds, rowCount: golden.rows.count,
        values: values)
      let predictions = try golden.model.predict(features)
      let shap = try golden.model.shapValues(features)
      for row in golden.rows.indices {
        for (output, value) in golden.predictions[row].enumerated() {
          #expect(abs(Double(predictions[row, output]) - value) < 1e-6, "\(golden.name), row \(row)")
        }
        for feature in 0..<count {
          let place = shap.features.firstIndex(of: feature)
          for score in 0..<shap.scoreCount {
            let own = place.map { shap.contributions(row: row, score: score)[$0] } ?? 0
            let expected = golden.shap[row][feature][score]
            #expect(abs(own - expected) < 1e-6, "\(golden.name), row \(row), feature \(feature)")
          }
        }
      }
    }
  }

  /// A tree that asks about a new feature on every level and ends on the left: `features` on its longest path.
  static func chain(_ features: Int) throws -> Tree {
    var nodes: [Tree.Node] = []
    var covers: [Double] = []
    var values: [Double] = []
    var generator = SeededGenerator(seed: 12)
    var cover = 1e6
    for feature in 0..<features {
      nodes.append(
        .split(
          feature: feature, atMost: 0.5, left: 2 * feature + 1, right: 2 * feature + 2,
          missingGoesLeft: false))
      covers.append(cover)
      nodes.append(.leaf(valueIndex: values.count))
      values.append(generator.normal())
      let share = 0.3 * generator.uniform()
      covers.append(share * cover)
      cover *= 1 - share
    }
    nodes.append(.leaf(valueIndex: values.count))
    values.append(generator.normal())
    covers.append(cover)
    return try Tree(nodes: nodes, covers: covers, leafValues: values, output: 0, valuesPerLeaf: 1)
  }

  /// Shapley's formula leaf by leaf: subsets of the path's other features are counted by size, as the coefficients of
  /// Π (zⱼ + oⱼ t).
  static func shapleyByLeaves(_ tree: Tree, _ row: [Float]) -> [Double] {
    typealias Question = (feature: Int, share: Double, follows: Bool)
    var result = [Double](repeating: 0, count: row.count)
    var pending: [(node: Int, path: [Question])] = [(0, [])]
    while let (index, path) = pending.popLast() {
      let node = tree.nodes[index]
      guard node.isLeaf else {
        let isLeft = tree.goesLeft(row[Int(node.feature)], at: node)
        for (child, follows) in [(Int(node.left), isLeft), (Int(node.right), !isLeft)] {
          let share = tree.covers[child] / tree.covers[index]
          pending.append((child, path + [(Int(node.feature), share, follows)]))
        }
        continue
      }
      for (place, own) in path.enumerated() {
        var sizes = [1.0]
        for (other, question) in path.enumerated() where other != place {
          var longer = sizes.map { $0 * question.share } + [0]
          if question.follows { for size in sizes.indices { longer[size + 1] += sizes[size] } }
          sizes = longer
        }
        var weight = 1 / Double(path.count)
        var sum = 0.0
        for (size, products) in sizes.enumerated() {
          sum += weight * products
          weight *= Double(size + 1) / Double(max(1, path.count - 1 - size))
        }
        result[own.feature] += tree.leafValues[Int(node.left)] * ((own.follows ? 1 : 0) - own.share) * sum
      }
    }
    return result
  }

  @Test(arguments: [3, 16, 17, 40, 70]) func longPathsAreExact(features count: Int) throws {
    let tree = try Self.chain(count)
    #expect(ShapTree.mostFeaturesOnAPath(tree) == count)
    let names = (0..<count).map { "x\($0)" }
    let ensemble = try TreeEnsemble(
      featureNames: names, featureKinds: names.map { _ in .numeric }, outputNames: ["y"], trees: [tree],
      baseScores: [0], link: .identity)
    var generator = SeededGenerator(seed: 3)
    // Of the last row every cell leads on, to the end of the longest path.
    let rows = 4
    let cells = (0..<count * rows).map { $0 % rows == rows - 1 || generator.uniform() < 0.8 ? Float(1) : 0 }
    let features = Features(
      names: names, kinds: names.map { _ in .numeric }, rowCount: rows, values: cells)
    let shap = try ensemble.shapValues(features)
    for row in 0..<rows {
      let expected = Self.shapleyByLeaves(tree, features.row(row))
      if count == 3 {
        for feature in 0..<3 {
          let definition = Self.shapley(tree, features.row(row), feature: feature, of: 3)
          #expect(abs(expected[feature] - definition) < 1e-14)
        }
      }
      for (place, own) in shap.contributions(row: row, score: 0).enumerated() {
        #expect(abs(own - expected[shap.features[place]]) < 1e-13, "row \(row), feature \(place)")
      }
    }
  }

  @Test func pointsSufficeForThePath() {
    for features in 1...200 {
      let points = GaussLegendre(exactForPathsOf: features).points.count
      // Exact below degree 2 · points; the integrand's degree is the path's length less one.
      #expect(points % 4 == 0 && 2 * points > features - 1 && 2 * (points - 4) < features)
    }
  }

  @Test func quadratureIsExactForPolynomials() {
    for count in [1, 2, 3, 8, 16, 24, 40] {
      let rule = GaussLegendre(count: count)
      for degree in 0..<2 * count {
        let sum = zip(rule.points, rule.weights).reduce(0) { total, point in
          total + point.1 * (0..<degree).reduce(1) { power, _ in power * point.0 }
        }
        #expect(abs(sum - 1 / Double(degree + 1)) < 1e-14)
      }
    }
  }

  @Test func modelsSurviveTheirFiles() throws {
    try withTemporaryFolder { folder in
      let (features, labels) = GrowingTests.mixed(200, seed: 11)
      for model in GrowingTests.models {
        let ensemble = try GrowingTests.fit(model, features, .classes(labels, names: ["no", "yes"]))
        try ensemble.write(to: folder + "/m.json")
        #expect(try TreeEnsemble(readingFrom: folder + "/m.json") == ensemble)
      }
      try writeFile("{}", to: folder + "/bad.json")
      #expect(throws: TreeError.notAModel(path: folder + "/bad.json")) {
        try TreeEnsemble(readingFrom: folder + "/bad.json")
      }
    }
  }
}
