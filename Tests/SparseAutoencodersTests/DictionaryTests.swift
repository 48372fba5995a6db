// Dictionaries: what they keep, what training finds, and their file.

import Foundation
import Tensors
import TestSupport
import Testing

@testable import SparseAutoencoders

@Suite struct DictionaryTests {
  /// Samples that are sums of a few of some planted directions of unit length.
  private func planted(directions: Int, width: Int, samples: Int) -> (directions: Tensor, samples: Tensor) {
    var generator = SeededGenerator(seed: 9)
    var rows = Tensor(
      (0..<directions * width).map { _ in Float(generator.normal()) }, shape: [directions, width])
    rows.scaleRowsToUnitLength()
    var weights = Tensor(zeros: [samples, directions])
    weights.withMutableValues { values in
      for sample in 0..<samples {
        for _ in 0..<3 {
          values[sample * directions + generator.index(below: directions)] = 1 + Float(generator.uniform())
        }
      }
    }
    return (rows, matrixProduct(weights, rows))
  }

  @Test(arguments: [DictionarySparsity.penalty(0.03), .topK(4), .batchTopK(4)])
  func trainingFindsPlantedDirections(sparsity: DictionarySparsity) {
    let (directions, samples) = planted(directions: 20, width: 32, samples: 3000)
    var settings = DictionarySettings()
    settings.features = 40
    settings.sparsity = sparsity
    settings.steps = 1500
    let trained = trainDictionary(on: samples, settings, seed: 1)
    let found = trained.dictionary
    // Each planted direction has a learned one that points its way.
    let cosines = matrixProduct(directions, found.directions, transposingB: true)
    let best = (0..<20).map { cosines.row($0).values.max() ?? 0 }
    #expect(best.count { $0 > 0.95 } >= 18, "\(best)")
    var residual = found.reconstruction(from: found.activations(of: samples))
    residual.subtract(samples)
    func square(_ tensor: Tensor) -> Double { tensor.values.reduce(0) { $0 + Double($1) * Double($1) } }
    #expect(square(residual) < 0.1 * square(samples))
    #expect(trained.losses.count == 1500)
    // Rows stay of unit length.
    for row in 0..<40 { #expect(abs(square(found.directions.row(row)) - 1) < 1e-4) }
    // The same seed gives the same dictionary, another one does not; scale is not what is learned.
    #expect(trainDictionary(on: samples, settings, seed: 1).dictionary == found)
    #expect(trainDictionary(on: samples, settings, seed: 2).dictionary != found)
  }

  @Test func samplesOfAnotherScaleGiveTheSameDirections() {
    let samples = planted(directions: 10, width: 16, samples: 500).samples
    var settings = DictionarySettings()
    (settings.features, settings.steps) = (20, 50)
    let one = trainDictionary(on: samples, settings, seed: 4).dictionary
    let other = trainDictionary(on: samples.scaled(by: 8), settings, seed: 4).dictionary
    for (a, b) in zip(one.directions.values, other.directions.values) { #expect(abs(a - b) < 1e-3) }
    let (f, g) = (one.activations(of: samples), other.activations(of: samples.scaled(by: 8)))
    for (a, b) in zip(f.values, g.values) { #expect(abs(8 * a - b) < 1e-2 * max(1, abs(b))) }
  }

  @Test func theLargestAreKept() {
    var generator = SeededGenerator(seed: 3)
    let rows = (0..<50).map { _ in (0..<17).map { _ in Float(generator.index(below: 6)) - 1 } }
    for count in [1, 3, 17, 40] {
      var tensor = Tensor(rows.flatMap { $0 }, shape: [50, 17])
      tensor.activate(.relu)
      let before = tensor
      tensor.keepLargestOfRows(count)
      for row in 0..<50 {
        let (all, kept) = (before.row(row).values, tensor.row(row).values)
        let expected = all.sorted(by: >).prefix(count).filter { $0 > 0 }
        #expect(kept.filter { $0 > 0 }.sorted(by: >) == expected)
        #expect(zip(all, kept).allSatisfy { $1 == 0 || $0 == $1 })
      }
    }
  }

  /// The threshold that stands in for the largest of a batch keeps about as many.
  @Test func aThresholdKeepsAsManyAsTrainingDid() {
    let samples = planted(directions: 20, width: 32, samples: 3000).samples
    var settings = DictionarySettings()
    (settings.features, settings.steps, settings.sparsity) = (40, 800, .batchTopK(3))
    let dictionary = trainDictionary(on: samples, settings, seed: 2).dictionary
    let active = dictionary.activations(of: samples)
    let counts = (0..<3000).map { row in active.row(row).values.count { $0 > 0 } }
    let mean = Double(counts.reduce(0, +)) / 3000
    #expect(abs(mean - 3) < 0.6, "\(mean)")
    // Samples of one planted direction need fewer than samples of three.
    #expect(Set(counts).count > 1)
  }

  @Test(arguments: [CodeSelection.all, .largest(2), .above(0.25)])
  func aDictionaryComesBackAsItWasWritten(selection: CodeSelection) throws {
    try withTemporaryFolder { folder in
      var generator = SeededGenerator(seed: 8)
      let dictionary = SparseDictionary(features: 6, width: 4, selection: selection, generator: &generator)
      let path = folder + "/d.safetensors"
      try dictionary.save(to: path, headScales: [1, 2], metadata: ["task": "t"])
      #expect(try SparseDictionary(path: path) == dictionary)
      #expect(throws: SparseAutoencoderError.self) { try TrainedAutoencoders(path: path) }
    }
  }

  @Test func settingsThatCannotBeTrainedWith() {
    for change in [
      { $0.features = 0 }, { $0.steps = 0 }, { $0.learningRate = 0 }, { $0.sparsity = .penalty(-1) },
      { $0.sparsity = .topK(0) }, { $0.sparsity = .topK(201) },
      { $0.sparsity = .batchTopK(0) }, { $0.samples = 1 }, { $0.batch = 0 },
    ] as [(inout DictionarySettings) -> Void] {
      var settings = DictionarySettings()
      change(&settings)
      #expect(throws: SparseAutoencoderError.self) { try settings.validate() }
    }
  }
}
