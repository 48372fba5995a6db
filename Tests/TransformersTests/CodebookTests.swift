// Codebooks: equal to PyTorch's, their values and gradients, forced codes, and training.

import Files
import Tensors
import TestSupport
import Testing

@testable import Transformers

@Suite struct CodebookTests {
  /// Stored by `Golden/codebooks.py` with PyTorch.
  private struct Golden {
    let json: JSONValue
    let shape: CodebookShape
    let rows: Int

    init() throws {
      let path = packageFolder + "/Tests/TransformersTests/Golden/codebooks.json"
      let json = try JSONValue(parsing: readText(at: path))
      func size(_ name: String) throws -> Int { try #require(json[name]?.wholeNumber) }
      self.json = json
      rows = try size("rows")
      shape = CodebookShape(
        books: try size("books"), codes: try size("codes"), active: try size("active"),
        width: try size("width"))
    }

    func tensor(_ name: String, in value: JSONValue, _ shape: [Int]) throws -> Tensor {
      Tensor(
        try #require(value[name]?.elements).map { Float(try #require($0.anyNumber)) }, shape: shape)
    }
  }

  @Test(arguments: CodeSimilarity.allCases)
  func equalToPyTorch(similarity: CodeSimilarity) throws {
    let golden = try Golden()
    let shape = golden.shape
    let expected = try #require(golden.json["similarities"]?[similarity.rawValue])
    let x = try golden.tensor("x", in: golden.json, [golden.rows, shape.columns])
    let dy = try golden.tensor("dy", in: golden.json, [golden.rows, shape.columns])
    let table = try golden.tensor("table", in: golden.json, [shape.books * shape.codes, shape.width])
    var (chosen, y) = (Tensor(zeros: [0]), Tensor(zeros: [0]))
    nearestCodes(x, table, shape, similarity, into: &chosen)
    let numbers = try golden.tensor("chosen", in: expected, [golden.rows, shape.books, shape.active])
    #expect(chosen.values == numbers.values)
    sumCodes(chosen, table, shape, into: &y)
    #expect(largestDifference(y, try golden.tensor("y", in: expected, y.shape)) < 1e-5)
    var gradient = Tensor(zeros: [table.count])
    addCodeGradient(
      dy, x: x, y: y, chosen, shape, pull: 2 / Float(golden.rows), to: &gradient,
      VectorWindow(offset: 0, count: table.count))
    let wanted = try golden.tensor("table_gradient", in: expected, gradient.shape)
    #expect(largestDifference(gradient, wanted) < 1e-5)
  }

  @Test func commitmentDrawsInputsToTheirCodes() throws {
    let golden = try Golden()
    let expected = try #require(golden.json["similarities"]?["cosine"])
    let shape = [golden.rows, golden.shape.columns]
    let model = try TrainingModel.blueprint(CodebookConfiguration(places: [.heads], codes: 4, active: 1))
    var sums = ParameterGradient(ParameterLayout(model.transformer()))
    sums.reconstruction = CodeReconstruction(
      pull: 2 / Float(golden.rows), commitment: Float(try #require(golden.json["commitment"]?.anyNumber)))
    var dx = try golden.tensor("dy", in: golden.json, shape)
    sums.addCommitment(
      to: &dx, x: try golden.tensor("x", in: golden.json, shape),
      y: try golden.tensor("y", in: expected, shape))
    #expect(largestDifference(dx, try golden.tensor("input_gradient", in: expected, shape)) < 1e-5)
  }

  private var test: TestModel {
    var test = TestModel()
    test.options["codebook_at"] = .string("both")
    test.options["codebook_codes"] = .integer(11)
    test.options["codebook_active"] = .integer(2)
    return test
  }

  @Test func whatIsReadIsTheSumOfTheActiveCodes() throws {
    let model = try test.load()
    let batch = TokenBatch(randomPrompts(lengths: [6, 3], vocabulary: 30, seed: 2))
    let run = try model.run(
      batch,
      reading: [.z(layer: 1), .headCodes(layer: 1), .mlpCodes(layer: 2), .block(layer: 2, .rawMLPOut)])
    let (z, codes) = (run[.z(layer: 1)], run[.headCodes(layer: 1)])
    let table = try #require(model.weights.blocks[1].headCodes)
    #expect(codes.shape == [2, 6, 4, 2])
    for (prompt, length) in batch.lengths.enumerated() {
      for position in 0..<length {
        for head in 0..<4 {
          for column in 0..<5 {
            let sum = (0..<2).reduce(Float(0)) {
              $0 + table[head * 11 + Int(codes[prompt, position, head, $1]), column]
            }
            #expect(abs(z[prompt, position, head, column] - sum) < 1e-6)
          }
        }
      }
    }
    let (out, numbers) = (run[.block(layer: 2, .rawMLPOut)], run[.mlpCodes(layer: 2)])
    let mlpTable = try #require(model.weights.blocks[2].mlpCodes)
    let sum = (0..<2).reduce(Float(0)) { $0 + mlpTable[Int(numbers[1, 2, $1]), 7] }
    #expect(abs(out[1, 2, 7] - sum) < 1e-6)
  }

  @Test func aPromptChoosesTheSameCodesInAnyBatch() throws {
    let model = try test.load()
    let prompts = randomPrompts(lengths: [9, 2, 5, 7], vocabulary: 30, seed: 4)
    let together = try model.run(TokenBatch(prompts), reading: [.mlpCodes(layer: 2), .logits])
    for (index, prompt) in prompts.enumerated() {
      let alone = try model.run(TokenBatch([prompt]), reading: [.mlpCodes(layer: 2), .logits])
      let rows = together[.logits].row(index).rows(0..<prompt.count)
      #expect(largestDifference(rows, alone[.logits].row(0)) < 1e-4)
      let codes = together[.mlpCodes(layer: 2)].row(index).rows(0..<prompt.count)
      #expect(codes.values == alone[.mlpCodes(layer: 2)].row(0).values)
    }
  }

  @Test func recordingsAndGradientRunsPassTheCodebooks() throws {
    let model = try test.load()
    let batch = TokenBatch(randomPrompts(lengths: [6, 6], vocabulary: 30, seed: 2))
    let outputs = try model.headOutputs(of: batch, pooling: .last)
    let results = try model.run(batch, reading: [.result(layer: 1)])[.result(layer: 1)]
    for column in 0..<24 { #expect(abs(outputs[0, 1, 2, column] - results[0, 5, 2, column]) < 1e-5) }
    let metric = LogitDifference([
      Question(position: 5, right: [1], wrong: [2]), Question(position: 5, right: [3], wrong: [4]),
    ])
    let run = try model.gradients(of: metric, batch, at: [.z(layer: 1), .block(layer: 1, .headCodesInput)])
    // The gradient goes straight through.
    #expect(
      largestDifference(run.gradients[.z(layer: 1)], run.gradients[.block(layer: 1, .headCodesInput)]) == 0)
    #expect(throws: TransformerError.self) {
      try model.gradients(of: metric, batch, at: [.headCodes(layer: 1)])
    }
    #expect(throws: TransformerError.self) {
      try TestModel().load().run(batch, reading: [.mlpCodes(layer: 1)])
    }
  }

  @Test func recordingsKeepTheCodesOfTheirPositions() throws {
    let model = try test.load()
    let prompts = randomPrompts(lengths: [6, 3, 4], vocabulary: 30, seed: 4)
    let batch = TokenBatch(prompts)
    var outputs = Tensor(zeros: [0])
    let ends = try #require(try model.headOutputs(of: batch, pooling: .last, into: &outputs))
    let every = try #require(try model.headOutputs(of: batch, pooling: .each, into: &outputs))
    #expect(try model.headOutputs(of: batch, pooling: .mean(excludingFirst: false), into: &outputs) == nil)
    #expect(ends.shape == [3] + every.shape.dropFirst(2))
    for layer in 0..<3 {
      for (index, prompt) in prompts.enumerated() {
        let codes = try model.run(TokenBatch([prompt]), reading: [.headCodes(layer: layer)])[
          .headCodes(layer: layer)
        ].row(0)
        #expect(ends.row(index).row(layer).values == codes.row(prompt.count - 1).values)
        for position in 0..<6 {
          let row = every.row(index).row(position).row(layer).values
          #expect(
            position < prompt.count
              ? row == codes.row(position).values : row.allSatisfy { $0 == -1 })
        }
      }
    }
  }

  /// Codes of the last layer, behind which nothing is chosen: there the way straight through is the true one.
  @Test(arguments: ["heads", "mlp"])
  func gradientsOfCodesEqualFiniteDifferences(places: String) throws {
    var test = test
    test.options["codebook_at"] = .string(places)
    let model = try test.load()
    let layout = ParameterLayout(model)
    let batch = TokenBatch(randomPrompts(lengths: [6, 4], vocabulary: 30, seed: 2))
    let metric = LogitDifference([
      Question(position: 5, right: [1], wrong: [2]), Question(position: 3, right: [3], wrong: [4]),
    ])
    let (_, gradient) = try model.parameterGradient(of: metric, batch)
    let parameters = try layout.parameters()
    let point = places == "heads" ? HookPoint.headCodes(layer: 2) : .mlpCodes(layer: 2)
    let codes = try model.run(batch, reading: [point])[point].row(0).row(5)
    // The first active code, of head 1 where heads have them.
    let number = places == "heads" ? 11 + Int(codes[1, 0]) : Int(codes[0])
    let slice = try #require(
      layout[places == "heads" ? "blocks.2.attn.codebook.C" : "blocks.2.mlp.codebook.C"])
    for column in 0..<3 {
      let place = slice.offset + number * slice.shape[1] + column
      func value(_ change: Float) throws -> Double {
        var changed = parameters
        changed[place] += change
        return try layout.transformer(changed).values(of: metric, batch).reduce(0, +)
      }
      let difference = (try value(2e-3) - value(-2e-3)) / 4e-3
      #expect(abs(difference - Double(gradient.values[place])) < 5e-3)
    }
  }

  @Test func aModelWithCodebooksIsWrittenAndReadBack() throws {
    let model = try test.load()
    let batch = TokenBatch(randomPrompts(lengths: [6, 4], vocabulary: 30, seed: 2))
    try withTemporaryFolder { folder in
      try model.write(toFolder: folder)
      let read = try Transformer(folder: folder)
      #expect(read.configuration.codebooks == model.configuration.codebooks)
      let (a, b) = (
        try read.run(batch, reading: [.logits])[.logits], try model.run(batch, reading: [.logits])[.logits]
      )
      #expect(a.values == b.values)
    }
  }

  @Test(arguments: [
    ("codebook_at", JSONValue.string("everywhere")), ("codebook_codes", .integer(0)),
    ("codebook_active", .integer(12)), ("codebook_similarity", .string("near")),
    ("codebook_codes", .integer(12)),
  ])
  func badCodebooksAreRefused(option: String, value: JSONValue) throws {
    try withTemporaryFolder { folder in
      try test.write(to: folder)
      var bad = test
      bad.options[option] = value
      let members = bad.options.sorted { $0.key < $1.key }.map { JSONMember($0.key, $0.value) }
      try writeFile(JSONValue.object(members).line, to: folder + "/config.json")
      #expect(throws: (any Error).self) { try Transformer(folder: folder) }
    }
  }

  /// What the first layer's heads read does not depend on any code: there it is k-means, whose error never grows.
  @Test(arguments: [CodeSimilarity.euclidean, .cosine])
  func settledCodesStandForTheirInputsBetter(similarity: CodeSimilarity) throws {
    let blueprint = try TrainingModel.blueprint(
      CodebookConfiguration(places: [.heads, .mlp], codes: 12, active: 1, similarity: similarity))
    let (layout, parameters) = try blueprint.initialParameters(seed: 1)
    var trainer = Trainer(
      layout: layout, optimizer: AdamW(), schedule: LearningRateSchedule(peak: 1e-3, warmUp: 1, steps: 40),
      parameters: parameters)
    let batches = (0..<3).map { seed in
      randomPrompts(lengths: [8, 8, 8, 8], vocabulary: 20, seed: UInt64(seed)).map {
        TrainingExample(predictingEveryTokenOf: $0)
      }
    }
    try trainer.placeCodes(on: batches[0], seed: 1)
    let prompts = batches.flatMap { $0.map(\.tokens) }
    func error() throws -> Double {
      let points = [HookPoint.block(layer: 0, .headCodesInput), .z(layer: 0)]
      let run = try trainer.model.run(TokenBatch(prompts), reading: Set(points))
      return zip(run[points[0]].values, run[points[1]].values).reduce(0) {
        $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1))
      }
    }
    let placed = try error()
    try trainer.settleCodes(on: batches, rounds: 6, seed: 1)
    #expect(try error() < 0.8 * placed)
  }

  /// The dearer codes are, the fewer are left; those that are left over are zero and nothing chooses them.
  @Test func codesMergeWhereTheyCost() throws {
    let blueprint = try TrainingModel.blueprint(
      CodebookConfiguration(places: [.heads, .mlp], codes: 12, active: 1))
    let (layout, parameters) = try blueprint.initialParameters(seed: 1)
    var placed = Trainer(
      layout: layout, optimizer: AdamW(), schedule: LearningRateSchedule(peak: 1e-3, warmUp: 1, steps: 40),
      parameters: parameters)
    let batches = (0..<3).map { seed in
      randomPrompts(lengths: [8, 8, 8, 8], vocabulary: 20, seed: UInt64(seed)).map {
        TrainingExample(predictingEveryTokenOf: $0)
      }
    }
    try placed.placeCodes(on: batches[0], seed: 1)
    try placed.settleCodes(on: batches, rounds: 4, seed: 1)
    /// Codes of the first layer's MLP that prompts choose, and its codes that are not zero.
    func codes(price: Double) throws -> (chosen: Set<Int>, present: Set<Int>) {
      var trainer = placed
      if price > 0 { try trainer.mergeCodes(.mlp, on: batches, rounds: 12, price: price) }
      let point = HookPoint.block(layer: 0, .mlpCodes)
      let run = try trainer.model.run(
        TokenBatch(batches.flatMap { $0.map(\.tokens) }), reading: [point])
      let table = try #require(CodeUses(layout).tables.first { $0.codebook?.place == .mlp })
      let values = trainer.parameters.values
      let present = (0..<12).filter { code in
        (0..<16).contains { values[table.offset + code * 16 + $0] != 0 }
      }
      return (Set(run[point].values.map { Int($0) }), Set(present))
    }
    let (free, dear, dearest) = (try codes(price: 0), try codes(price: 0.4), try codes(price: 10))
    #expect(free.chosen.count > dear.chosen.count)
    #expect(dear.chosen.count > 1)
    #expect(dearest.chosen.count == 1)
    #expect(dear.present == dear.chosen)
    #expect(dearest.present == dearest.chosen)
  }

  /// Every use moves a code by a share of what is left of the way to the mean of its inputs.
  @Test func codesFollowTheMeansOfTheirInputs() throws {
    let blueprint = try TrainingModel.blueprint(
      CodebookConfiguration(places: [.heads, .mlp], codes: 6, active: 1))
    let (layout, parameters) = try blueprint.initialParameters(seed: 1)
    var trainer = Trainer(
      layout: layout, optimizer: AdamW(), schedule: LearningRateSchedule(peak: 0, warmUp: 1, steps: 40),
      parameters: parameters)
    let examples = randomPrompts(lengths: [8, 8, 8, 8], vocabulary: 20, seed: 3).map {
      TrainingExample(predictingEveryTokenOf: $0)
    }
    try trainer.placeCodes(on: examples, seed: 1)
    trainer.codes.replacementInterval = 0
    trainer.codes.following = 0.1
    let points = [HookPoint.block(layer: 0, .mlpCodesInput), .block(layer: 0, .mlpCodes)]
    let run = try trainer.model.run(TokenBatch(examples.map(\.tokens)), reading: Set(points))
    let (inputs, chosen) = (run[points[0]].values, run[points[1]].values)
    let table = try #require(CodeUses(layout).tables.first { $0.codebook?.place == .mlp })
    let before = trainer.parameters.values
    _ = try trainer.step(examples)
    let after = trainer.parameters.values
    for code in 0..<6 {
      let rows = chosen.indices.filter { chosen[$0] == Float(code) }
      for column in 0..<16 {
        let start = before[table.offset + code * 16 + column]
        let mean = rows.reduce(Float(0)) { $0 + inputs[$1 * 16 + column] } / Float(max(1, rows.count))
        let left = (0..<rows.count).reduce(Float(1)) { left, _ in left * 0.9 }
        let end = rows.isEmpty ? start : mean + left * (start - mean)
        #expect(abs(after[table.offset + code * 16 + column] - end) < 1e-5)
      }
    }
    // Nothing else moved: the learning rate is 0.
    let codes = CodeUses(layout).tables.map { $0.offset..<$0.offset + $0.shape.reduce(1, *) }
    #expect(
      before.indices.allSatisfy { index in
        before[index] == after[index] || codes.contains { $0.contains(index) }
      })
  }

  /// Codes become fewer step by step; what was chosen says how many there were, and a training goes on at the same place.
  @Test func activeCodesDecline() throws {
    let decline = CodeTraining.ActiveDecline(first: 4, steps: 6)
    #expect((0..<8).map { decline.active(at: $0, last: 1) } == [4, 3, 3, 2, 2, 1, 1, 1])
    let blueprint = try TrainingModel.blueprint(
      CodebookConfiguration(places: [.heads, .mlp], codes: 12, active: 1))
    let (layout, parameters) = try blueprint.initialParameters(seed: 1)
    let schedule = LearningRateSchedule(peak: 1e-3, warmUp: 1, steps: 40)
    var trainer = Trainer(layout: layout, optimizer: AdamW(), schedule: schedule, parameters: parameters)
    trainer.codes.activeDecline = decline
    trainer.codes.replacementInterval = 2
    let examples = randomPrompts(lengths: [8, 8, 8, 8], vocabulary: 20, seed: 3).map {
      TrainingExample(predictingEveryTokenOf: $0)
    }
    try trainer.placeCodes(on: examples, seed: 1)
    var active: [Int] = []
    for _ in 0..<8 {
      _ = try trainer.step(examples, seed: 1)
      let chosen = trainer.parts[0].codeBatch(try #require(CodeUses(layout).tables.last)).chosen
      active.append(chosen.count / examples[0].tokens.count)
      if trainer.state.step == 3 {
        var resumed = Trainer(
          layout: layout, optimizer: trainer.optimizer, schedule: schedule, parameters: trainer.parameters,
          state: trainer.state)
        resumed.codes = trainer.codes
        resumed.codeUses = trainer.codeUses
        var other = trainer
        _ = try resumed.step(examples, seed: 1)
        _ = try other.step(examples, seed: 1)
        #expect(resumed.parameters.values == other.parameters.values)
      }
    }
    #expect(active == [4, 3, 3, 2, 2, 1, 1, 1])
    #expect(trainer.model.configuration.codebooks?.active == 1)
  }

  @Test func codesThatNothingChoosesTakeThePlaceOfInputs() throws {
    let blueprint = try TrainingModel.blueprint(CodebookConfiguration(places: [.mlp], codes: 50, active: 1))
    let (layout, parameters) = try blueprint.initialParameters(seed: 1)
    var trainer = Trainer(
      layout: layout, optimizer: AdamW(), schedule: LearningRateSchedule(peak: 1e-3, warmUp: 1, steps: 40),
      parameters: parameters)
    trainer.codes.replacementInterval = 5
    let examples = randomPrompts(lengths: [8, 8, 8, 8], vocabulary: 20, seed: 3).map {
      TrainingExample(predictingEveryTokenOf: $0)
    }
    try trainer.placeCodes(on: examples, seed: 1)
    // Placed codes stand for something: many of them are chosen.
    for _ in 0..<5 { _ = try trainer.step(examples, seed: 1) }
    #expect(try #require(trainer.usedShare) > 0.2)
    // The same seed gives the same bits, and a checkpoint goes on as if nothing had happened.
    var other = trainer
    try withTemporaryFolder { folder in
      for _ in 0..<3 { _ = try trainer.step(examples, seed: 1) }
      try trainer.checkpoint().write(to: folder + "/checkpoint", layout: layout)
      let stored = try TrainingCheckpoint(path: folder + "/checkpoint", layout: layout)
      var resumed = Trainer(
        layout: layout, optimizer: trainer.optimizer, schedule: trainer.schedule,
        parameters: stored.parameters, state: stored.state)
      resumed.codes = trainer.codes
      resumed.codeUses = CodeUses(layout, stored.codeUses)
      for _ in 0..<4 { _ = try resumed.step(examples, seed: 1) }
      for _ in 0..<7 { _ = try other.step(examples, seed: 1) }
      #expect(resumed.parameters.values == other.parameters.values)
    }
  }
}

/// A small model that does not exist yet.
private enum TrainingModel {
  static func blueprint(_ codebooks: CodebookConfiguration) throws -> TransformerBlueprint {
    var blueprint = TransformerBlueprint(
      vocabulary: 20, context: 16, layers: 2, heads: 2, dModel: 16, mlpWidth: 32)
    blueprint.configuration.codebooks = codebooks
    return blueprint
  }
}
