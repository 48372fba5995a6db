// heads.csv as `rank` writes it, read back: one score for every head of a model.

import Files

/// A score for every head of a model.
public struct HeadTable: Equatable, Sendable {
  /// The file it was read from.
  public var path: String
  /// The number of layers.
  public private(set) var layers: Int
  /// The number of heads in a layer.
  public private(set) var headsPerLayer: Int
  /// The scores by layer and head, `layers` × `headsPerLayer`.
  public private(set) var scores: [Double]

  /// Reads a file with the columns layer, head and score, in any order and among others.
  ///
  /// Of a file with the column node, which 'attribute' writes, the heads are taken, each by the size of its score:
  /// the sign says whether a change helps or hurts.
  /// - Throws: `FileError`, or `ScoreError.badTable` with the line and the column.
  public init(path: String) throws {
    try self.init(parsing: readText(at: path), path: path)
  }

  /// Reads the text of such a file; `path` is for messages.
  public init(parsing text: String, path: String) throws(ScoreError) {
    let table = try ScoreRows(parsing: text, path: path, columns: ["layer", "head", "score"])
    let isOfNodes = table.header.contains("node")
    var byHead: [HeadIndex: Double] = [:]
    for row in table.rows {
      // Nodes that are no heads: the input and MLPs.
      if isOfNodes && row.cell("head").isEmpty { continue }
      let head = HeadIndex(layer: try row.index("layer"), head: try row.index("head"))
      let score = try row.number("score")
      guard byHead.updateValue(isOfNodes ? abs(score) : score, forKey: head) == nil else {
        throw row.error("head", "head \(head.layer).\(head.head) stands there twice")
      }
    }
    layers = (byHead.keys.map(\.layer).max() ?? -1) + 1
    headsPerLayer = (byHead.keys.map(\.head).max() ?? -1) + 1
    self.path = path
    scores = []
    guard layers > 0 else {
      throw .badTable(path: path, line: table.lineCount, column: "", problem: "there are no heads")
    }
    for layer in 0..<layers {
      for head in 0..<headsPerLayer {
        guard let score = byHead[HeadIndex(layer: layer, head: head)] else {
          let problem = "head \(layer).\(head) is missing; every head of the model is needed"
          throw .badTable(path: path, line: table.lineCount, column: "", problem: problem)
        }
        scores.append(score)
      }
    }
  }

  /// Scores that exist already.
  /// - Precondition: `scores` is `layers` × `headsPerLayer`.
  public init(path: String, layers: Int, headsPerLayer: Int, scores: [Double]) {
    precondition(
      scores.count == layers * headsPerLayer, "\(scores.count) scores of \(layers) × \(headsPerLayer)")
    self.path = path
    self.layers = layers
    self.headsPerLayer = headsPerLayer
    self.scores = scores
  }

  /// The scores beside what a ground truth says of each head.
  /// - Throws: `ScoreError.otherModel` where the truth is of a model of another size, and what
  ///   `LabelledScores` throws.
  public func labelled(by truth: GroundTruth) throws(ScoreError) -> LabelledScores {
    try truth.requireHeads(layers: layers, headsPerLayer: headsPerLayer, of: path)
    let heads = Set(truth.heads)
    let isTrue = scores.indices.map { index in
      heads.contains(HeadIndex(layer: index / headsPerLayer, head: index % headsPerLayer))
    }
    return try LabelledScores(scores, isTrue: isTrue, name: truth.name)
  }
}
