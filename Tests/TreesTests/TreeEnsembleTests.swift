// A tree by hand: what goes left, what is refused, how scores become predictions.

import Tables
import Tensors
import Testing

@testable import Trees

@Suite struct TreeEnsembleTests {
  /// x0 ≤ 0.5 ? (x1 in {1, 65} ? 10 : 20) : 30; missing x0 goes right, missing x1 left.
  static func tree(output: Int? = 0) throws -> Tree {
    try Tree(
      nodes: [
        .split(feature: 0, atMost: 0.5, left: 1, right: 4, missingGoesLeft: false),
        .split(feature: 1, inCategoriesAt: 0, wordCount: 2, left: 2, right: 3, missingGoesLeft: true),
        .leaf(valueIndex: 0), .leaf(valueIndex: 1), .leaf(valueIndex: 2),
      ], covers: [10, 6, 2, 4, 4], leafValues: [10, 20, 30], categoryWords: [2, 2], output: output,
      valuesPerLeaf: 1)
  }

  static let kinds: [FeatureKind] = [.numeric, .categorical((0..<66).map { "c\($0)" })]

  @Test func rowsGoWhereTheyShould() throws {
    let ensemble = try TreeEnsemble(
      featureNames: ["a", "b"], featureKinds: Self.kinds, outputNames: ["y"], trees: [Self.tree()],
      baseScores: [1], scale: 2, link: .identity)
    let a: [Float] = [0.5, 0.5, 0.5, 0.5, Float(0.5).nextUp, .nan, 0]
    let b: [Float] = [1, 65, 2, .nan, 1, 1, 70]
    let features = Features(names: ["a", "b"], kinds: Self.kinds, rowCount: 7, values: a + b)
    #expect(try ensemble.predict(features).values == [21, 21, 41, 21, 61, 61, 41])
    #expect(ensemble.usedFeatures == [0, 1])
    #expect(ensemble.trees[0].categories(at: ensemble.trees[0].nodes[1]) == [1, 65])
  }

  @Test func columnsAndCategoriesAreFoundByName() throws {
    let ensemble = try TreeEnsemble(
      featureNames: ["a", "b"], featureKinds: Self.kinds, outputNames: ["y"], trees: [Self.tree()],
      baseScores: [0], link: .identity)
    let features = Features(
      names: ["b", "more", "a"], kinds: [.categorical(["new", "c65"]), .numeric, .numeric], rowCount: 2,
      values: [0, 1, 7, 7, 0, 0])
    #expect(try ensemble.predict(features).values == [20, 10])
    #expect(throws: TableError.missingFeature("a", nearest: "aa")) {
      try ensemble.predict(Features(names: ["aa"], kinds: [.numeric], rowCount: 1, values: [0]))
    }
  }

  @Test(arguments: [0.1, 0.5, 1.0 / 3, -2.7, 1e-30, 16_777_217])
  func movedThresholdsAskTheSameQuestion(threshold: Double) {
    let single = Float(threshold)
    let moved = Tree.Node.threshold(atMost: threshold)
    let movedBelow = Tree.Node.threshold(below: single)
    for x in [single.nextDown.nextDown, single.nextDown, single, single.nextUp, single.nextUp.nextUp] {
      #expect((x <= moved) == (Double(x) <= threshold))
      #expect((x <= movedBelow) == (x < single))
    }
  }

  @Test func links() {
    let p = 1 / (1 + exp64(-1.5))
    let logistic = TreeEnsemble.Link.logistic(slope: 0.5).predictions([3])
    #expect(abs(logistic[1] - p) < 1e-14 && logistic[0] + logistic[1] == 1)
    let softmax = TreeEnsemble.Link.softmax.predictions([1000, 1000])
    #expect(softmax == [0.5, 0.5])
    #expect(TreeEnsemble.Link.complement.predictions([0.25]) == [0.75, 0.25])
  }

  @Test func cyclesAndDanglingIndicesAreRefused() {
    #expect(throws: TreeError.malformedTree(tree: 3, node: 0, problem: "two paths lead to it")) {
      try Tree(
        nodes: [
          .split(feature: 0, atMost: 0, left: 0, right: 1, missingGoesLeft: true), .leaf(valueIndex: 0),
        ],
        covers: [2, 1], leafValues: [1], output: 0, valuesPerLeaf: 1, index: 3)
    }
    #expect(throws: TreeError.self) {
      try Tree(
        nodes: [
          .split(feature: 0, atMost: 0, left: 1, right: 9, missingGoesLeft: true), .leaf(valueIndex: 0),
        ],
        covers: [2, 1], leafValues: [1], output: 0, valuesPerLeaf: 1)
    }
    #expect(throws: TreeError.self) {
      try TreeEnsemble(
        featureNames: ["a"], featureKinds: [.numeric], outputNames: ["y"], trees: [Self.tree()],
        baseScores: [0], link: .identity)
    }
  }
}

/// `exp` by its series, so that the test does not lean on the library the code leans on.
private func exp64(_ x: Double) -> Double {
  var (sum, term) = (1.0, 1.0)
  for n in 1..<60 {
    term *= x / Double(n)
    sum += term
  }
  return sum
}
