// What commands about tables measure, as parts keep it.

import Checkpoints
import Files
import FoundationEssentials
import TabularExplainer

/// Explanations of some rows.
struct ExplainedRows: ShardedValues {
  var explanations: [RowExplanation]
  private static let name = "explanations.json"

  init(_ explanations: [RowExplanation]) { self.explanations = explanations }

  func write(to folder: String) throws -> [String] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    try writeFile(encoder.encode(explanations), to: folder + "/" + Self.name)
    return [Self.name]
  }

  init(part: ShardFolder) throws {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    let text = try readText(at: part.path + "/" + Self.name)
    guard let found = try? decoder.decode([RowExplanation].self, from: Data(text.utf8)),
      found.count == part.manifest.range.count
    else { throw ShardError.damaged(path: part.path, problem: "its \(Self.name) does not hold its rows") }
    explanations = found
  }

  static func joined(_ parts: [ExplainedRows]) -> ExplainedRows {
    ExplainedRows(parts.flatMap(\.explanations))
  }
}

/// What an importance is summed up from.
struct ImportanceValues: ShardedValues {
  var measured: ImportanceMeasurements
  private static let name = "values.safetensors"

  init(measured: ImportanceMeasurements) { self.measured = measured }

  func write(to folder: String) throws -> [String] {
    var tensors: [String: SafetensorsValue]
    var texts: [String: String] = [:]
    switch measured {
    case .losses(let losses):
      tensors = [
        "losses": .double(losses.flatMap { $0 }, shape: [losses.reduce(0) { $0 + $1.count }]),
        "shuffles": .int64(losses.map(\.count), shape: [losses.count]),
      ]
    case .magnitudes(let magnitudes):
      tensors = [
        "magnitudes": .double(magnitudes.values, shape: [magnitudes.rowCount, magnitudes.names.count])
      ]
      texts = [
        "method": magnitudes.method, "names": JSONValue.array(magnitudes.names.map { .string($0) }).line,
      ]
    }
    try writeSafetensors(tensors, metadata: texts, to: folder + "/" + Self.name)
    return [Self.name]
  }

  init(part: ShardFolder) throws {
    let file = try SafetensorsFile(path: part.path + "/" + Self.name)
    let units = part.manifest.range.count
    let damaged = ShardError.damaged(path: part.path, problem: "its \(Self.name) does not hold its values")
    if file.names.contains("losses") {
      let counts = try file.integers("shuffles")
      var rest = try file.doubles("losses")[...]
      guard counts.count == units, counts.allSatisfy({ $0 >= 0 && $0 <= rest.count }) else { throw damaged }
      let losses = counts.map { count in
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
      }
      measured = .losses(losses)
      return
    }
    guard let method = file.metadata["method"],
      let names = try JSONValue(parsing: file.metadata["names"] ?? "").elements?.compactMap(\.text)
    else { throw damaged }
    try file.requireShape([units, names.count], of: "magnitudes")
    measured = .magnitudes(
      RowMagnitudes(method: method, names: names, values: try file.doubles("magnitudes")))
  }

  static func joined(_ parts: [ImportanceValues]) throws -> ImportanceValues {
    var whole = parts[0].measured
    for part in parts.dropFirst() {
      switch (whole, part.measured) {
      case (.losses(let mine), .losses(let more)): whole = .losses(mine + more)
      case (.magnitudes(var mine), .magnitudes(let more)) where mine.names == more.names:
        mine.append(more)
        whole = .magnitudes(mine)
      default: throw ShardError.notAShard(path: "a part", problem: "it measured other features than the rest")
      }
    }
    return ImportanceValues(measured: whole)
  }
}
