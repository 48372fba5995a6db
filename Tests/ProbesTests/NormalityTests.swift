// What is normal: equal to scikit-learn's covariances, calibrated on rows that were not seen, and telling planted odd ones.

import Checkpoints
import Files
@testable import Probes
import Recordings
import Tensors
import TestSupport
import Testing

@Suite struct NormalityTests {
  @Test func distancesAreThoseOfScikitLearnsLedoitWolf() throws {
    for stored in try ScikitLearn().cases("covariance") {
      let (rows, new) = (try stored.member("x").matrix, try stored.member("new").matrix)
      let covariance = ShrunkCovariance(of: rows)
      #expect(abs(covariance.shrinkage - (try stored.member("shrinkage").anyNumber ?? 0)) < 1e-12)
      #expect(difference(covariance.matrix.values, try stored.member("covariance").matrix.values) < 1e-12)
      let fit = ShrunkGaussian(rows)
      #expect(abs(fit.shrinkage - covariance.shrinkage) < 1e-12 && fit.freedom == rows.columns)
      #expect(difference(fit.scores(new), try stored.member("distances").numbers) < 1e-9)
      // As a file keeps it.
      #expect(difference(fit.inFloat32.scores(new), try stored.member("distances").numbers) < 1e-5)
      let least = ShrunkGaussian(rows, leastComponents: 3)
      #expect(least.freedom == 3)
      if rows.rows > rows.columns {
        #expect(difference(least.scores(new), try stored.member("least_three").numbers) < 1e-9)
      }
    }
  }

  @Test func quantilesAndTailsAreThoseOfSciPy() throws {
    for stored in try ScikitLearn().cases("chi_squared") {
      let numbers = stored.numbers
      let found = chiSquaredQuantile(numbers[0], freedom: numbers[1])
      #expect(abs(found / numbers[2] - 1) < 1e-9, "\(numbers): \(found)")
    }
    for stored in try ScikitLearn().cases("chi_squared_tail") {
      let numbers = stored.numbers
      let found = chiSquaredTail(numbers[0], freedom: numbers[1])
      #expect(abs(found / numbers[2] - 1) < 1e-9, "\(numbers): \(found)")
    }
    #expect(chiSquaredTail(0, freedom: 3) == 1 && chiSquaredTail(.infinity, freedom: 3) == 0)
  }

  /// Columns that hang together, of very different size.
  private func correlated(_ rows: Int, _ width: Int, seed: UInt64) -> DoubleMatrix {
    var mix = normalRows(width, width, seed: 99)
    for row in 0..<width {
      for column in 0..<width { mix.values[row * width + column] *= 3 / Double(1 + row) }
    }
    return doubleProduct(normalRows(rows, width, seed: seed), mix)
  }

  /// Columns that hang together a little.
  private func even(_ rows: Int, _ width: Int, seed: UInt64) -> DoubleMatrix {
    var mix = normalRows(width, width, seed: 98)
    for place in mix.values.indices { mix.values[place] *= 0.1 }
    for place in 0..<width { mix.values[place * width + place] += 1 }
    return doubleProduct(normalRows(rows, width, seed: seed), mix)
  }

  /// With many rows, plain χ² has the rate that it is asked for.
  @Test(arguments: [0.01, 0.05]) func plainChiSquaredIsCalibratedForManyRows(rate: Double) {
    let fit = ShrunkGaussian(even(4000, 10, seed: 1))
    let threshold = chiSquaredQuantile(1 - rate, freedom: 10)
    let found = fit.scores(even(20_000, 10, seed: 2)).count { $0 > threshold }
    // Four standard deviations of the count, and a tenth for the fit.
    let slack = 4 * (rate * (1 - rate) / 20_000).squareRoot() + 0.1 * rate
    #expect(abs(Double(found) / 20_000 - rate) < slack, "\(found)")
  }

  /// With few rows and variances of very different size, shrinkage shortens distances and plain χ² is far off; what was
  /// matched to held-out rows is not.
  @Test func heldOutRowsCalibrateAFitToFew() {
    let rate = 0.01
    var (plain, matched) = (0, 0)
    for seed in 0..<20 as Range<UInt64> {
      let rows = correlated(120, 40, seed: 10 + seed)
      var heldOut = [Double](repeating: 0, count: 120)
      for part in 0..<5 {
        let held = (0..<120).filter { $0 % 5 == part }
        let fit = ShrunkGaussian(rows.selected((0..<120).filter { $0 % 5 != part }))
        for (row, score) in zip(held, fit.scores(rows.selected(held))) { heldOut[row] = score }
      }
      let fit = ShrunkGaussian(rows)
      let scores = fit.scores(correlated(2000, 40, seed: 1000 + seed))
      let spread = ScaledChiSquared(matching: heldOut)
      plain += scores.count { $0 > chiSquaredQuantile(1 - rate, freedom: 40) }
      matched += scores.count { $0 > spread.threshold(rate: rate) }
    }
    let (plainRate, matchedRate) = (Double(plain) / 40_000, Double(matched) / 40_000)
    #expect(plainRate < rate / 3, "\(plainRate)")
    #expect((rate / 4...2 * rate).contains(matchedRate), "\(matchedRate)")
  }

  @Test func aSpreadIsFoundAgain() {
    let known = ScaledChiSquared(scale: 2.5, freedom: 17.3)
    let scores = (1..<2000).map {
      known.scale * chiSquaredQuantile(Double($0) / 2000, freedom: known.freedom)
    }
    let found = ScaledChiSquared(matching: scores)
    #expect(abs(found.scale / known.scale - 1) < 0.01 && abs(found.freedom / known.freedom - 1) < 0.01)
    #expect(abs(known.tail(known.threshold(rate: 0.003)) - 0.003) < 1e-9)
  }

  /// Odd rows leave the little that normal rows never leave: the least components tell them, the largest hardly.
  @Test func leastComponentsTellOddRowsBest() {
    let rows = correlated(600, 20, seed: 3)
    var odd = correlated(200, 20, seed: 4)
    let least = ShrunkGaussian(rows, leastComponents: 5)
    var generator = SeededGenerator(seed: 5)
    for row in 0..<200 {
      for component in 0..<5 {
        let step = 3 * least.variances[component].squareRoot() * generator.normal()
        for column in 0..<20 {
          odd.values[row * 20 + column] += step * least.components.values[component * 20 + column]
        }
      }
    }
    let normal = correlated(400, 20, seed: 6)
    func area(_ fit: ShrunkGaussian) -> Double {
      let (low, high) = (fit.scores(normal), fit.scores(odd))
      let wins = high.reduce(0.0) { sum, score in sum + Double(low.count { $0 < score }) }
      return wins / Double(low.count * high.count)
    }
    let (kept, all) = (area(least), area(ShrunkGaussian(rows)))
    #expect(kept > 0.95 && kept > all, "\(kept) \(all)")
  }

  /// Prompts of a recording whose heads write numbers of a known distribution, with some that are odd.
  private func planted(_ folder: String, odd: Set<Int>, seed: UInt64, count: Int = 160) throws -> Recording {
    let examples = (0..<count).map { index in
      RecordedExample(
        prompt: "p\(index)", tokens: [index, 1], isPositive: index % 2 == 0,
        pair: index % 2 == 0 ? index + 1 : index - 1)
    }
    let noise = normalRows(count * 4, 4, seed: seed).values
    return try smallRecording(folder, examples) { example, _, layer, head, column in
      let place = (example * 4 + layer * 2 + head) * 4
      // The last column follows the first, but for odd prompts.
      let own = column == 3 ? noise[place] * 2 + 0.1 * noise[place + 3] : noise[place + column]
      return Float(own + Double(column) + (column == 3 && odd.contains(example) ? 4 : 0))
    }
  }

  @Test func oddPromptsAreNamedAndNormalOnesAreNot() throws {
    var named = 0
    for seed in 0..<40 as Range<UInt64> {
      try withTemporaryFolder { folder in
        let recording = try planted(folder, odd: [], seed: seed)
        let groups = try PromptFields(recording).groups
        let found = try #require(
          try Normality.oddPrompts(of: recording, trainedOn: Array(0..<100), groups: groups, seed: seed))
        #expect(found.normality.promptCount == 160 && found.odd.count == 160)
        if !found.odd.prompts.isEmpty { named += 1 }
      }
    }
    // One run in a hundred is the rate that is stated; of forty, three or more would be one case in 150 by chance.
    #expect(named <= 2, "\(named) of 40 runs named a normal prompt")
    try withTemporaryFolder { folder in
      let recording = try planted(folder, odd: [7, 130], seed: 1)
      let groups = try PromptFields(recording).groups
      let found = try #require(
        try Normality.oddPrompts(of: recording, trainedOn: Array(0..<100), groups: groups, seed: 0))
      #expect(Set(found.odd.prompts.map(\.index)) == [7, 130])
    }
    try withTemporaryFolder { folder in
      // Enough train to be what others are held against: a quarter of all prompts are odd, and none of those that train.
      let odd = Set(300..<400)
      let recording = try planted(folder, odd: odd, seed: 1, count: 400)
      let groups = try PromptFields(recording).groups
      let found = try #require(
        try Normality.oddPrompts(of: recording, trainedOn: Array(0..<300), groups: groups, seed: 0))
      #expect(found.normality.promptCount == 300)
      #expect(Set(found.odd.prompts.map(\.index)).subtracting(odd).isEmpty && found.odd.prompts.count > 90)
    }
  }

  @Test func aFileSaysTheSame() throws {
    try withTemporaryFolder { folder in
      let recording = try planted(folder, odd: [], seed: 2)
      let prompts = Array(0..<160)
      for (kind, least) in [(Place.Kind.layer, nil), (.head, 2), (.stream, nil)] as [(Place.Kind, Int?)] {
        var options = NormalityOptions()
        (options.kind, options.leastComponents) = (kind, least)
        let groups = try PromptFields(recording).groups
        let fitted = try Normality.fit(recording, prompts: prompts, groups: groups, options)
        let path = folder + "/n.safetensors"
        try fitted.normality.save(to: path)
        let read = try Normality(path: path)
        #expect(read == fitted.normality)
        #expect(
          try read.scores(recording, prompts: prompts) == fitted.normality.scores(recording, prompts: prompts)
        )
        #expect(read.parts.count == (kind == .head ? 4 : 2))
      }
    }
  }

  /// A head that writes nothing is normal where it writes nothing, and odd where it writes anything.
  @Test func rowsThatNeverChangeHaveScores() {
    for count in [5, 20] {
      let fit = ShrunkGaussian(DoubleMatrix(rows: count, columns: 8)).inFloat32
      #expect(fit.scores(DoubleMatrix(rows: 2, columns: 8)) == [0, 0])
      #expect(fit.scores(DoubleMatrix([1, 0, 0, 0, 0, 0, 0, 0], rows: 1, columns: 8))[0] > 1e30)
    }
    let spread = ScaledChiSquared(matching: [Double](repeating: 0, count: 20))
    #expect(spread.tail(1) == 0 && spread.threshold(rate: 0.01).isFinite)
  }

  @Test func otherFilesAreRefused() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/n.safetensors"
      try writeSafetensors(["a": .float(Tensor([1]))], metadata: ["format": "other"], to: path)
      #expect(throws: ProbeError.notANormality(path: path, problem: "its header names another format")) {
        try Normality(path: path)
      }
      try writeSafetensors(
        ["a": .float(Tensor([1]))], metadata: ["format": "headlamp normality 1", "description": "{}"],
        to: path)
      #expect(throws: ProbeError.notANormality(path: path, problem: "its header is incomplete")) {
        try Normality(path: path)
      }
      let recording = try planted(folder, odd: [], seed: 2)
      let few = ProbeError.tooFewPrompts(path: recording.path, prompts: 19, least: 20)
      #expect(throws: few) {
        _ = try Normality.fit(
          recording, prompts: Array(0..<19), groups: Array(0..<160), NormalityOptions())
      }
      let sound = try Normality.fit(
        recording, prompts: Array(0..<40), groups: Array(0..<160), NormalityOptions()
      ).normality
      var source = sound.source
      source.modelSHA256 = String(repeating: "1", count: 64)
      let other = Normality(
        source: source, recordingSHA256: "", promptCount: 40, parts: sound.parts,
        spread: sound.spread, bound: sound.bound)
      #expect {
        _ = try other.scores(recording, prompts: [0])
      } throws: { error in
        guard case .otherModel(let fact, _, _)? = error as? ProbeError else { return false }
        return fact == "the models' weights"
      }
    }
  }
}
