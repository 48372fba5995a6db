// Forests and boosted trees: known rules are found, missing cells and categories are used, seeds decide everything.

import Tables
import Tensors
import Testing

@testable import Trees

@Suite struct GrowingTests {
  static let models = ["forest", "extra trees", "boosted"]

  static func fit(_ model: String, _ features: Features, _ target: Target, seed: UInt64 = 1) throws
    -> TreeEnsemble
  {
    switch model {
    case "boosted":
      var options = BoostingOptions()
      options.rounds = 40
      options.seed = seed
      return try .boosted(features, target: target, targetName: "y", options: options)
    default:
      var options: ForestOptions = model == "forest" ? .randomForest : .extraTrees
      options.treeCount = 60
      options.seed = seed
      return try TreeEnsemble.forest(features, target: target, targetName: "y", options: options).ensemble
    }
  }

  /// Share of rows whose likeliest class is the true one.
  static func accuracy(_ ensemble: TreeEnsemble, _ features: Features, _ labels: [Int]) throws -> Double {
    let predictions = try ensemble.predict(features)
    let width = predictions.shape[1]
    let values = predictions.values
    let right = labels.indices.count { row in
      let own = values[row * width + labels[row]]
      return (0..<width).allSatisfy { values[row * width + $0] <= own }
    }
    return Double(right) / Double(labels.count)
  }

  /// Thirty illnesses, each with six signs of its own among 180, of which every patient lacks two: sparse columns are
  /// constant in most nodes, and a forest that skipped them would try the same few signs in every tree.
  @Test(arguments: ["forest", "extra trees"])
  func sparseColumnsLeaveTreesDifferent(model: String) throws {
    var generator = SeededGenerator(seed: 3)
    let (classes, signs, patients) = (30, 6, 8)
    let names = (0..<classes * signs).map { "s\($0)" }
    func table() -> (Features, [Int]) {
      let rows = classes * patients
      var values = [Float](repeating: 0, count: names.count * rows)
      let labels = (0..<rows).map { $0 / patients }
      for (row, label) in labels.enumerated() {
        let lacking = Set(generator.permutation(of: signs).prefix(2))
        for sign in 0..<signs where !lacking.contains(sign) {
          values[(label * signs + sign) * rows + row] = 1
        }
      }
      return (
        Features(
          names: names, kinds: .init(repeating: .numeric, count: names.count), rowCount: rows, values: values),
        labels
      )
    }
    let (features, labels) = table()
    let target = Target.classes(labels, names: (0..<classes).map { "c\($0)" })
    let ensemble = try Self.fit(model, features, target)
    let (others, truth) = table()
    #expect(try Self.accuracy(ensemble, others, truth) > 0.97)
  }

  /// Class = x0 > 0.3 and colour in {b, d}; x0 missing in a tenth of the rows, where the class is 1; noise besides.
  static func mixed(_ rows: Int, seed: UInt64) -> (Features, [Int]) {
    var generator = SeededGenerator(seed: seed)
    var columns = [[Float]](repeating: [], count: 4)
    var labels: [Int] = []
    for _ in 0..<rows {
      let isMissing = generator.index(below: 10) == 0
      let x = Float(generator.uniform())
      let colour = generator.index(below: 5)
      columns[0].append(isMissing ? .nan : x)
      columns[1].append(Float(colour))
      columns[2].append(Float(generator.normal()))
      columns[3].append(Float(generator.index(below: 3)))
      labels.append(isMissing || (x > 0.3 && (colour == 1 || colour == 3)) ? 1 : 0)
    }
    return (
      Features(
        names: ["x", "colour", "noise", "more"],
        kinds: [
          .numeric, .categorical(["a", "b", "c", "d", "e"]), .numeric, .categorical(["u", "v", "w"]),
        ],
        rowCount: rows, values: Array(columns.joined())), labels
    )
  }

  @Test(arguments: models) func missingCellsAndCategoriesAreUsed(model: String) throws {
    let (features, labels) = Self.mixed(800, seed: 1)
    let ensemble = try Self.fit(model, features, .classes(labels, names: ["no", "yes"]))
    let (fresh, truth) = Self.mixed(800, seed: 2)
    #expect(try Self.accuracy(ensemble, fresh, truth) > 0.96)
    #expect(try Self.accuracy(ensemble, features, labels) > 0.99)
  }

  @Test(arguments: models) func severalClasses(model: String) throws {
    var generator = SeededGenerator(seed: 3)
    func draw(_ rows: Int) -> (Features, [Int]) {
      let x = (0..<rows * 6).map { _ in Float(generator.normal()) }
      let labels = (0..<rows).map { row in
        x[row] > 0.5 ? 0 : x[rows + row] > 0 ? 1 : x[2 * rows + row] > 0 ? 2 : 3
      }
      return (
        Features(
          names: (0..<6).map { "x\($0)" }, kinds: [FeatureKind](repeating: .numeric, count: 6),
          rowCount: rows,
          values: x), labels
      )
    }
    let (features, labels) = draw(600)
    let ensemble = try Self.fit(model, features, .classes(labels, names: ["a", "b", "c", "d"]))
    let (fresh, truth) = draw(600)
    #expect(try Self.accuracy(ensemble, fresh, truth) > (model == "extra trees" ? 0.85 : 0.93))
    let predictions = try ensemble.predict(fresh)
    for row in 0..<600 {
      #expect(abs((0..<4).reduce(0) { $0 + predictions[row, $1] } - 1) < 1e-5)
    }
  }

  @Test(arguments: models) func regression(model: String) throws {
    var generator = SeededGenerator(seed: 4)
    func draw(_ rows: Int) -> (Features, [Float]) {
      let x = (0..<rows * 3).map { _ in Float(generator.uniform()) }
      return (
        Features(
          names: ["a", "b", "c"], kinds: [.numeric, .numeric, .numeric], rowCount: rows, values: x),
        (0..<rows).map { 10 * x[$0] + 5 * (x[rows + $0] > 0.5 ? 1 : 0) }
      )
    }
    let (features, values) = draw(1000)
    let ensemble = try Self.fit(model, features, .values(values))
    let (fresh, truth) = draw(500)
    let predictions = try ensemble.predict(fresh).values
    let error = zip(predictions, truth).reduce(0) { $0 + abs($1.0 - $1.1) } / 500
    #expect(error < 0.35)
    #expect(ensemble.outputNames == ["y"])
  }

  @Test(arguments: models) func theSeedDecidesAndThreadsDoNot(model: String) throws {
    let (features, labels) = Self.mixed(300, seed: 5)
    let target = Target.classes(labels, names: ["no", "yes"])
    let first = try Self.fit(model, features, target)
    #expect(try Self.fit(model, features, target) == first)
    #expect(try Self.fit(model, features, target, seed: 2) != first)
  }

  /// Eighty categories that say nothing beside a number that does, or the other way round: rows 0 to 2,999 to fit to, as many
  /// to judge by.
  static func categoriesAndANumber(areNoise: Bool) -> (features: Features, values: [Float]) {
    var generator = SeededGenerator(seed: 21)
    let effects = (0..<80).map { _ in generator.normal() }
    let categories = (0..<6000).map { _ in generator.index(below: 80) }
    let numbers = (0..<6000).map { _ in Float(generator.normal()) }
    let values = (0..<6000).map { row in
      Float((areNoise ? 0.7 * Double(numbers[row]) : effects[categories[row]]) + 0.7 * generator.normal())
    }
    let features = Features(
      names: ["number", "category"], kinds: [.numeric, .categorical((0..<80).map { "c\($0)" })],
      rowCount: 6000,
      values: numbers + categories.map { Float($0) })
    return (features, values)
  }

  /// The mean squared error, or the share of wrong classes, on rows that the trees have not seen.
  static func errorOnFreshRows(_ features: Features, _ values: [Float], classes: Bool) throws -> Double {
    let (old, new) = (Array(0..<3000), Array(3000..<6000))
    let target: Target =
      classes
      ? .classes(old.map { values[$0] > 0 ? 1 : 0 }, names: ["low", "high"]) : .values(Array(values[..<3000]))
    let ensemble = try TreeEnsemble.boosted(features.selecting(rows: old), target: target, targetName: "y")
    let said = try ensemble.predict(features.selecting(rows: new))
    return new.indices.reduce(0.0) { sum, row in
      let truth = values[new[row]]
      if classes { return sum + ((said[row, 1] > 0.5) == (truth > 0) ? 0 : 1) }
      let error = Double(said[row, 0] - truth)
      return sum + error * error
    } / Double(new.count)
  }

  @Test(arguments: [true, false]) func categoriesThatSayNothingDoNoHarm(classes: Bool) throws {
    let (features, values) = Self.categoriesAndANumber(areNoise: true)
    let with = try Self.errorOnFreshRows(features, values, classes: classes)
    let without = try Self.errorOnFreshRows(features.selecting(features: [0]), values, classes: classes)
    #expect(with < 1.1 * without, "\(with) with categories, \(without) without")
  }

  /// What nobody can know is 0.49 of the squared error, and 0.19 of the classes.
  @Test(arguments: [(true, 0.25), (false, 0.62)])
  func categoriesThatSayMuchAreUsed(classes: Bool, most: Double) throws {
    let (features, values) = Self.categoriesAndANumber(areNoise: false)
    let error = try Self.errorOnFreshRows(features, values, classes: classes)
    #expect(error < most)
  }

  /// However features are shared out among threads.
  @Test(arguments: [300, 3000]) func ofEqualFeaturesTheFirstIsAsked(rows: Int) throws {
    var generator = SeededGenerator(seed: 17)
    let column = (0..<rows).map { _ in Float(generator.normal()) }
    let features = Features(
      names: (0..<50).map { "x\($0)" }, kinds: .init(repeating: .numeric, count: 50), rowCount: rows,
      values: (0..<50).flatMap { _ in column })
    let values = column.map { $0 * $0 + Float(generator.normal()) }
    var options = BoostingOptions()
    options.featureShare = 1
    let ensemble = try TreeEnsemble.boosted(
      features, target: .values(values), targetName: "y", options: options)
    #expect(ensemble.usedFeatures == [0])
  }

  @Test func aRoundSeesItsShareOfRows() throws {
    let (features, _) = Self.mixed(400, seed: 7)
    let values = (0..<400).map { features[$0, 2] }
    var options = BoostingOptions()
    (options.rounds, options.rowShare, options.featureShare, options.learningRate) = (3, 0.25, 1, 0.3)
    let ensemble = try TreeEnsemble.boosted(
      features, target: .values(values), targetName: "y", options: options)
    // The hessian of a squared error is 1 a row.
    #expect(ensemble.trees.map { $0.covers[0] } == [100, 100, 100])
    // Rows without weight are predicted all the same, and every tree draws its own.
    #expect(Set(ensemble.trees.map { $0.nodes[0].threshold }).count > 1)
    let predictions = try ensemble.predict(features).values
    #expect(zip(predictions, values).reduce(0) { $0 + abs($1.0 - $1.1) } / 400 < 0.5)
  }

  @Test func aTreeAsksAboutItsShareOfFeatures() throws {
    let (features, labels) = Self.mixed(400, seed: 8)
    var options = BoostingOptions()
    (options.rounds, options.rowShare, options.featureShare) = (30, 1, 0.5)
    let ensemble = try TreeEnsemble.boosted(
      features, target: .classes(labels, names: ["no", "yes"]), targetName: "y", options: options)
    let asked = ensemble.trees.map { Set($0.nodes.lazy.filter { !$0.isLeaf }.map(\.feature)) }
    #expect(asked.allSatisfy { $0.count <= 2 } && asked.contains { $0.count == 2 })
    #expect(asked.reduce(into: Set()) { $0.formUnion($1) }.count == 4)
  }

  /// 300 rows of 200 columns of normal numbers.
  static func normalColumns(_ generator: inout SeededGenerator) -> Features {
    Features(
      names: (0..<200).map { "x\($0)" }, kinds: .init(repeating: .numeric, count: 200), rowCount: 300,
      values: (0..<300 * 200).map { _ in Float(generator.normal()) })
  }

  @Test(arguments: [10, 11, 12]) func treesAskAboutAllColumnsWhereFewStandAlone(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let features = Self.normalColumns(&generator)
    let labels = (0..<300).map { row in
      features[row, 0] > -0.3 && features[row, 1] < 0.8 && features[row, 2] > -1 ? 1 : 0
    }
    #expect(try Self.usualFeatureShare(features, labels) == 1)
  }

  /// The share of features that boosting chooses, of the two that it chooses from.
  static func usualFeatureShare(_ features: Features, _ labels: [Int]) throws -> Double? {
    let target = Target.classes(labels, names: ["no", "yes"])
    let usual = try TreeEnsemble.boosted(features, target: target, targetName: "y")
    let shares = try [1, 0.3].filter { share in
      var options = BoostingOptions()
      options.featureShare = share
      return try TreeEnsemble.boosted(features, target: target, targetName: "y", options: options) == usual
    }
    return shares.count == 1 ? shares[0] : nil
  }

  @Test(arguments: [10, 11, 12]) func treesAskAboutAPartWhereManyColumnsTellTheSame(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let noise = Self.normalColumns(&generator)
    let labels = (0..<300).map { _ in generator.index(below: 2) }
    let features = Features(
      names: noise.names, kinds: noise.kinds, rowCount: 300,
      values: noise.values.enumerated().map { $1 + Float(labels[$0 % 300]) })
    #expect(try Self.usualFeatureShare(features, labels) == 0.3)
  }

  @Test(arguments: [(1999, 4, 0.1), (2000, 6, 0.1), (49_999, 6, 0.1), (50_000, 6, 0.3)])
  func smallTablesLearnSlowlyFromShallowTrees(rows: Int, depth: Int, rate: Double) throws {
    var generator = SeededGenerator(seed: 13)
    let values = (0..<rows).map { _ in Float(generator.normal()) }
    let features = Features(names: ["a"], kinds: [.numeric], rowCount: rows, values: values)
    var options = BoostingOptions()
    options.rounds = 1
    func grown() throws -> Tree {
      try TreeEnsemble.boosted(features, target: .values(values), targetName: "y", options: options).trees[0]
    }
    let usual = try grown()
    #expect(usual.depth == depth)
    (options.maximumDepth, options.learningRate) = (depth, rate)
    #expect(try grown() == usual)
    options.learningRate = rate / 2
    let slower = try grown()
    #expect(zip(slower.leafValues, usual.leafValues).allSatisfy { abs($0 - $1 / 2) < 1e-12 })
  }

  @Test(arguments: [(1999, 0.8), (2000, 1.0)]) func fewRowsAreDrawnFrom(rows: Int, share: Double) throws {
    let values = (0..<rows).map { Float($0 % 97) }
    let features = Features(names: ["a"], kinds: [.numeric], rowCount: rows, values: values)
    var options = BoostingOptions()
    options.rounds = 1
    let tree = try TreeEnsemble.boosted(
      features, target: .values(values), targetName: "y", options: options
    ).trees[0]
    #expect(tree.covers[0] == (share * Double(rows)).rounded())
  }

  @Test(arguments: models) func aChoiceOfRowsIsATableOfItsOwn(model: String) throws {
    let (features, labels) = Self.mixed(500, seed: 9)
    var generator = SeededGenerator(seed: 9)
    let rows = Array(generator.permutation(of: 500).prefix(300))
    let chosen = features.selecting(rows: rows)
    let copied = Features(
      names: features.names, kinds: features.kinds, rowCount: 300,
      values: (0..<4).flatMap { feature in rows.map { features[$0, feature] } })
    let target = Target.classes(rows.map { labels[$0] }, names: ["no", "yes"])
    let ensemble = try Self.fit(model, chosen, target)
    #expect(try Self.fit(model, copied, target) == ensemble)
    #expect(try ensemble.predict(chosen) == ensemble.predict(copied))
    #expect(try ensemble.shapValues(chosen) == ensemble.shapValues(copied))
    let routed = try RoutedRows(ensemble, chosen)
    #expect(routed.predictions == (try ensemble.predict(copied)))
  }

  @Test func outOfBagPredictionsAreHonest() throws {
    // Pure noise: in bag a forest is nearly always right, out of bag it guesses.
    var generator = SeededGenerator(seed: 6)
    let features = Features(
      names: ["a", "b"], kinds: [.numeric, .numeric], rowCount: 400,
      values: (0..<800).map { _ in Float(generator.normal()) })
    let labels = (0..<400).map { _ in generator.index(below: 2) }
    let grown = try TreeEnsemble.forest(
      features, target: .classes(labels, names: ["0", "1"]), targetName: "y", options: .randomForest)
    let outOfBag = try #require(grown.outOfBag)
    let right = (0..<400).count { outOfBag[$0, labels[$0]] > 0.5 }
    #expect(right > 150 && right < 250)
    #expect(try Self.accuracy(grown.ensemble, features, labels) > 0.97)
  }

  @Test func oneTreeOnVectorsIsTheMeanInEveryLeaf() throws {
    let features = Features(names: ["a"], kinds: [.numeric], rowCount: 4, values: [1, 2, 3, 4])
    var options = ForestOptions.randomForest
    (options.treeCount, options.drawsRows, options.maximumDepth) = (1, false, 1)
    let tree = try TreeEnsemble.forest(
      features, vectors: Tensor([0.9, 0.1, 0.7, 0.3, 0.2, 0.8, 0, 1] as [Float], shape: [4, 2]),
      outputNames: ["p", "q"], options: options)
    let expected: [Float] = [0.8, 0.2, 0.8, 0.2, 0.1, 0.9, 0.1, 0.9]
    for (value, wanted) in zip(try tree.predict(features).values, expected) {
      #expect(abs(value - wanted) < 1e-6)
    }
    #expect(tree.trees[0].nodes[0].threshold == 2.5 && tree.trees[0].covers == [4, 2, 2])
  }

  @Test func whatCannotBeLearntIsSaid() {
    let features = Features(names: ["a"], kinds: [.numeric], rowCount: 2, values: [1, 2])
    #expect(throws: TreeError.oneClass("u")) {
      try TreeEnsemble.boosted(features, target: .classes([0, 0], names: ["u", "v"]), targetName: "y")
    }
    #expect(throws: TreeError.noRows) {
      try TreeEnsemble.forest(
        features.selecting(rows: []), target: .values([]), targetName: "y", options: .extraTrees)
    }
  }

  @Test(arguments: models) func uselessFeaturesGiveTheBaseRate(model: String) throws {
    let features = Features(
      names: ["constant", "missing"], kinds: [.numeric, .numeric], rowCount: 8,
      values: [Float](repeating: 3, count: 8) + [Float](repeating: .nan, count: 8))
    let ensemble = try Self.fit(model, features, .classes([0, 0, 0, 1, 0, 0, 0, 1], names: ["u", "v"]))
    let predictions = try ensemble.predict(features)
    #expect(abs(predictions[0, 1] - 0.25) < 0.08)
    #expect(ensemble.usedFeatures.isEmpty)
  }

  /// A tall table with missing cells and categories.
  static func tall(rows: Int, seed: UInt64 = 5) -> (features: Features, labels: [Int], values: [Float]) {
    var generator = SeededGenerator(seed: seed)
    var cells = [Float](repeating: 0, count: 4 * rows)
    var scores = [Float](repeating: 0, count: rows)
    for row in 0..<rows {
      let (a, b) = (Float(generator.uniform() * 4 - 2), Float(generator.uniform()))
      let category = generator.index(below: 30)
      cells[row] = generator.uniform() < 0.1 ? .nan : a
      cells[rows + row] = b
      cells[2 * rows + row] = Float(category)
      cells[3 * rows + row] = Float(generator.index(below: 3))
      scores[row] = a + 2 * a * b + (category % 3 == 0 ? 1 : 0) + Float(generator.uniform() - 0.5)
    }
    let kinds: [FeatureKind] = [.numeric, .numeric, .categorical((0..<30).map { "c\($0)" }), .numeric]
    return (
      Features(names: ["a", "b", "c", "d"], kinds: kinds, rowCount: rows, values: cells),
      scores.map { $0 > 1 ? 1 : 0 }, scores
    )
  }

  /// Trees over ranges of rows and trees level by level, which are asked for by a share of features that leaves none out
  /// but for rounding, ask the same first questions and predict alike.
  @Test(arguments: [true, false]) func bothWaysOfGrowingBoostedTreesAgree(classes: Bool) throws {
    let (features, labels, values) = Self.tall(rows: 6000)
    let target: Target = classes ? .classes(labels, names: ["no", "yes"]) : .values(values)
    let quantised = QuantisedFeatures(features, maximumBins: 255)
    let objective = BoostingObjective(target)
    let gradients = try #require(
      objective.gradients([Double](repeating: objective.baseScores[0], count: features.rowCount)).first)
    let shape = BoostedTreeShape(maximumDepth: 6, learningRate: 0.3, regularisation: 1, minimumLeafWeight: 1)
    var level = LevelGrower(
      quantised, asking: Array(0..<4), gradients: gradients, shape: shape, noise: 0.1)
    let (expected, expectedLeaves) = level.grow(output: 0)
    let records = RowRecords(quantised, classes ? .units : .floats)
    records.load(gradients)
    // Twice, as records are used again by the next tree.
    for _ in 0..<2 {
      var range = RangeGrower(
        quantised, records, shape: shape, noise: 0.1)
      let (tree, leaves) = range.grow(output: 0)
      #expect(tree.nodes.count == expected.nodes.count)
      for row in 0..<features.rowCount {
        let (found, wanted) = (
          tree.leafValues[Int(leaves[row])], expected.leafValues[Int(expectedLeaves[row])]
        )
        #expect(abs(found - wanted) < 2e-4 * max(1, abs(wanted)), "row \(row)")
        #expect(tree.leafValues[Int(tree.nodes[tree.leaf { features[row, $0] }].left)] == found, "row \(row)")
      }
    }
  }

  @Test func threadsChangeNothingOfTallTables() throws {
    let (features, labels, _) = Self.tall(rows: 70_000)
    let target = Target.classes(labels, names: ["no", "yes"])
    var options = BoostingOptions()
    options.rounds = 5
    var forest = ForestOptions.extraTrees
    forest.treeCount = 2
    func grown() throws -> [TreeEnsemble] {
      [
        try .boosted(features, target: target, targetName: "y", options: options),
        try TreeEnsemble.forest(features, target: target, targetName: "y", options: forest).ensemble,
      ]
    }
    Threads.use(1)
    let alone = try grown()
    Threads.use(3)
    defer { Threads.use(0) }
    #expect(try grown() == alone)
  }

  /// Below a few thousand rows trees of a tall table are grown on copies of the rows: they are the table's own rows.
  @Test func coversOfATallForestAreItsRows() throws {
    let rows = 70_000
    let (features, labels, _) = Self.tall(rows: rows)
    var options = ForestOptions.extraTrees
    options.treeCount = 1
    options.minimumLeafRows = 3
    let tree = try TreeEnsemble.forest(
      features, target: .classes(labels, names: ["no", "yes"]), targetName: "y", options: options
    ).ensemble.trees[0]
    var reached = [Double](repeating: 0, count: tree.nodes.count)
    var ones = reached
    for row in 0..<rows {
      let leaf = tree.leaf { features[row, $0] }
      reached[leaf] += 1
      ones[leaf] += Double(labels[row])
    }
    for (index, node) in tree.nodes.enumerated() where node.isLeaf {
      #expect(reached[index] == tree.covers[index] && reached[index] >= 3)
      #expect(abs(tree.leafValues[Int(node.left) + 1] - ones[index] / reached[index]) < 1e-12)
    }
    #expect(tree.nodes.count > 1000)
  }

  @Test(arguments: [0, 1, 5000, 20_000]) func floatsAreSortedByDigits(count: Int) {
    var generator = SeededGenerator(seed: 8)
    var values = (0..<count).map { index -> Float in
      let magnitude = Float(generator.uniform() * 2 - 1)
      return index % 7 == 0
        ? magnitude * 1e30 : index % 11 == 0 ? 0 : index % 13 == 0 ? -.infinity : magnitude
    }
    let expected = values.sorted()
    values.withUnsafeMutableBufferPointer { sortFloats($0) }
    #expect(values == expected)
  }
}
