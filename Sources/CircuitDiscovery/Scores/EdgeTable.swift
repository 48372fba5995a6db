// edges.csv as `attribute` writes it, read back: one score for every edge of a model.

import CausalMethods
import Files

/// A score for every edge of a model.
public struct EdgeTable: Sendable {
  /// The file it was read from.
  public var path: String
  /// The size of each edge's score, by name (`a3.h1->m4`): the sign says whether a change helps or hurts.
  public private(set) var sizes: [String: Double]

  /// Reads a file with the columns source, destination and score, in any order and among others.
  /// - Throws: `FileError`, or `ScoreError.badTable` with the line and the column.
  public init(path: String) throws {
    try self.init(parsing: readText(at: path), path: path)
  }

  /// Reads the text of such a file; `path` is for messages.
  public init(parsing text: String, path: String) throws(ScoreError) {
    self.path = path
    sizes = [:]
    for row in try ScoreRows(parsing: text, path: path, columns: ["source", "destination", "score"]).rows {
      let name = row.cell("source") + "->" + row.cell("destination")
      guard sizes.updateValue(abs(try row.number("score")), forKey: name) == nil else {
        throw row.error("source", "edge \(name) stands there twice")
      }
    }
  }

  /// The scores of a circuit file.
  public init(_ circuit: ScoredCircuit, path: String) {
    self.path = path
    let scores = circuit.edgeScores ?? circuit.circuit.edges.map { $0 ? 1 : 0 }
    sizes = Dictionary(
      zip(circuit.circuit.graph.edges.map(\.description), scores.map(abs)), uniquingKeysWith: { $1 })
  }

  /// Whether a text's first line names the columns of such a table.
  public static func isHeader(_ line: Substring) -> Bool {
    let names = line.split(separator: ",").map { $0.filter { $0 != "\"" && !$0.isWhitespace } }
    return names.contains("source") && names.contains("destination")
  }

  /// The scores beside whether a circuit holds each edge.
  /// - Throws: `ScoreError.otherEdges` where the table is of another model's edges, and what `LabelledScores` throws.
  public func labelled(by truth: Circuit, name: String) throws(ScoreError) -> LabelledScores {
    var scores: [Double] = []
    for edge in truth.graph.edges {
      guard let size = sizes[edge.description] else {
        throw .otherEdges(path: path, truth: name, edge: edge.description)
      }
      scores.append(size)
    }
    guard scores.count == sizes.count else {
      let known = Set(truth.graph.edges.map(\.description))
      throw .otherEdges(path: path, truth: name, edge: sizes.keys.filter { !known.contains($0) }.min() ?? "")
    }
    return try LabelledScores(scores, isTrue: truth.edges, name: name)
  }
}
