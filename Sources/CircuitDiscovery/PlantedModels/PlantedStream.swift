// The residual stream of a planted model: orthonormal directions, turned at random so that no neuron is a word.

import Tensors
import Transformers

/// Where each direction lies.
struct PlantedStream: Sendable {
  private let places: [PlantedDirection: Int]
  /// `[direction][d_model]`, orthonormal rows.
  private let basis: [[Float]]

  /// The width of the stream, d_model.
  var width: Int { basis.count }

  /// A stream with a basis drawn at random.
  init(random: inout SeededGenerator) {
    let words = PlantedWords.all.indices
    var directions: [PlantedDirection] = words.map { .token($0) }
    directions += (0..<PlantedModel.context).map { .position($0) }
    directions += words.map { .previous($0) }
    directions.append(.repeated)
    for word in PlantedWords.contentIDs {
      directions += [.carried(word), .found(word), .inhibited(word), .answer(word)]
    }
    directions += (0..<PlantedModel.idleDirections).map { .idle($0) }
    places = Dictionary(uniqueKeysWithValues: directions.enumerated().map { ($1, $0) })
    basis = Self.orthonormalRows(directions.count, &random)
  }

  /// Gram–Schmidt on normal draws.
  private static func orthonormalRows(_ count: Int, _ random: inout SeededGenerator) -> [[Float]] {
    var rows: [[Double]] = []
    while rows.count < count {
      var row = (0..<count).map { _ in random.normal() }
      // Twice is enough (Giraud et al. 2005).
      for _ in 0..<2 {
        for known in rows {
          var product = 0.0
          for place in 0..<count { product += known[place] * row[place] }
          for place in 0..<count { row[place] -= product * known[place] }
        }
      }
      let length = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
      // A row in the span of the others is drawn again.
      if length > 1e-6 { rows.append(row.map { $0 / length }) }
    }
    return rows.map { $0.map(Float.init) }
  }

  /// A vector in the model's own basis.
  private func turned(_ vector: PlantedVector) -> [Float] {
    var result = [Float](repeating: 0, count: width)
    // In a fixed order, so that sums are the same in every run.
    let parts = vector.parts.compactMap { direction, size in places[direction].map { ($0, size) } }
    for (place, size) in parts.sorted(by: { $0.0 < $1.0 }) {
      for column in 0..<width { result[column] += size * basis[place][column] }
    }
    return result
  }

  /// Vectors as rows `[count, d_model]`.
  func rows(_ vectors: [PlantedVector]) -> Tensor {
    Tensor(vectors.flatMap(turned), shape: [vectors.count, width])
  }

  /// A map that reads vectors: `[d_model, count]` with the constants as bias.
  private func reading(_ vectors: [PlantedVector]) -> Linear {
    var matrix = [Float](repeating: 0, count: width * vectors.count)
    for (column, vector) in vectors.enumerated() {
      for (row, value) in turned(vector).enumerated() { matrix[row * vectors.count + column] = value }
    }
    return Linear(
      Weight(Tensor(matrix, shape: [width, vectors.count])), .inputOutput,
      bias: Tensor(vectors.map(\.constant)))
  }

  /// A map that writes vectors: `[count, d_model]`.
  private func writing(_ vectors: [PlantedVector]) -> Linear {
    Linear(Weight(rows(vectors)), .inputOutput, bias: Tensor(zeros: [width]))
  }

  /// The attention of a layer, each head padded to `headWidth` with dimensions that read and write nothing.
  func attention(_ heads: [PlantedHead?], width headWidth: Int) -> AttentionWeights {
    func padded(_ vectors: [PlantedVector]) -> [PlantedVector] {
      vectors + Array(repeating: PlantedVector(), count: headWidth - vectors.count)
    }
    let queries = heads.flatMap { padded($0?.scores.map(\.query) ?? []) }
    let keys = heads.flatMap { padded($0?.scores.map(\.key) ?? []) }
    let values = heads.flatMap { padded($0?.moves.map(\.read) ?? []) }
    return AttentionWeights(
      projections: .fused(reading(queries + keys + values), .byKind),
      output: writing(heads.flatMap { padded($0?.moves.map(\.write) ?? []) }))
  }

  /// An MLP with a neuron for each found word, which fires where the word was found for certain and says its answer.
  func lookUp(_ answers: [Int: Int], width neurons: Int) -> MLPWeights {
    let pairs = answers.sorted { $0.key < $1.key }
    func padded(_ vectors: [PlantedVector]) -> [PlantedVector] {
      vectors + Array(repeating: PlantedVector(), count: neurons - vectors.count)
    }
    return MLPWeights(
      input: reading(
        padded(pairs.map { PlantedVector(parts: [.found($0.key): 2], constant: -1) })),
      output: writing(padded(pairs.map { .at(.answer($0.value)) })))
  }

  /// The unembedding, `[d_model, vocabulary]`: words of which something says they are to be said.
  func unembedding(sharpness: Float) -> Linear {
    reading(
      PlantedWords.all.indices.map {
        PlantedWords.contentIDs.contains($0) ? .at(.answer($0), sharpness) : PlantedVector()
      })
  }
}
