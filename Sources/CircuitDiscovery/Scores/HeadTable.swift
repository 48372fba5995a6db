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
  /// - Throws: `FileError`, or `ScoreError.badTable` with the line and the column.
  public init(path: String) throws {
    try self.init(parsing: readText(at: path), path: path)
  }

  /// Reads the text of such a file; `path` is for messages.
  public init(parsing text: String, path: String) throws(ScoreError) {
    let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
    let header = Self.cells(lines.first ?? "")
    var places: [String: Int] = [:]
    for (place, name) in header.enumerated() {
      guard places.updateValue(place, forKey: name) == nil else {
        throw .badTable(path: path, line: 1, column: name, problem: "the column stands there twice")
      }
    }
    for name in ["layer", "head", "score"] where places[name] == nil {
      let problem = "the column is missing; there are \(header.joined(separator: ", "))"
      throw .badTable(path: path, line: 1, column: name, problem: problem)
    }
    var byHead: [HeadIndex: Double] = [:]
    for (index, line) in lines.enumerated().dropFirst() where !line.allSatisfy(\.isWhitespace) {
      let row = Row(path: path, line: index + 1, cells: Self.cells(line), places: places)
      guard row.cells.count == header.count else {
        throw row.error("", "\(row.cells.count) cells under \(header.count) columns")
      }
      let head = HeadIndex(layer: try row.index("layer"), head: try row.index("head"))
      guard byHead.updateValue(try row.number("score"), forKey: head) == nil else {
        throw row.error("head", "head \(head.layer).\(head.head) stands there twice")
      }
    }
    layers = (byHead.keys.map(\.layer).max() ?? -1) + 1
    headsPerLayer = (byHead.keys.map(\.head).max() ?? -1) + 1
    self.path = path
    scores = []
    guard layers > 0 else {
      throw .badTable(path: path, line: lines.count, column: "", problem: "there are no heads")
    }
    for layer in 0..<layers {
      for head in 0..<headsPerLayer {
        guard let score = byHead[HeadIndex(layer: layer, head: head)] else {
          let problem = "head \(layer).\(head) is missing; every head of the model is needed"
          throw .badTable(path: path, line: lines.count, column: "", problem: problem)
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

  private static func cells(_ line: Substring) -> [String] {
    line.split(separator: ",", omittingEmptySubsequences: false).map { cell in
      let isQuoted = cell.count >= 2 && cell.first == "\"" && cell.last == "\""
      return String(isQuoted ? cell.dropFirst().dropLast() : cell)
    }
  }
}

private struct Row {
  let path: String
  let line: Int
  let cells: [String]
  let places: [String: Int]

  func error(_ column: String, _ problem: String) -> ScoreError {
    .badTable(path: path, line: line, column: column, problem: problem)
  }

  private func cell(_ column: String) -> String { places[column].map { cells[$0] } ?? "" }

  func index(_ column: String) throws(ScoreError) -> Int {
    guard let value = Int(cell(column)), (0..<10_000).contains(value) else {
      throw error(column, "a whole number from 0 is needed, not '\(cell(column))'")
    }
    return value
  }

  func number(_ column: String) throws(ScoreError) -> Double {
    guard let value = Double(cell(column)), !value.isNaN else {
      throw error(column, "a number is needed, not '\(cell(column))'")
    }
    return value
  }
}
