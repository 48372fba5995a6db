// Rankings of some models on some tasks, as parts keep them.

import CircuitDiscovery
import Files
import FoundationEssentials

/// What was compared, in the order of models and tasks.
struct ComparedCells: ShardedValues {
  /// One model on one task.
  struct Result: Codable {
    /// Which, from 0.
    var cell: Int
    var comparison: TaskComparison?
    /// Why there is none.
    var problem: String?
  }

  var results: [Result]
  private static let name = "comparisons.json"

  init(results: [Result]) { self.results = results }

  func write(to folder: String) throws -> [String] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    try writeFile(encoder.encode(results), to: folder + "/" + Self.name)
    return [Self.name]
  }

  init(part: ShardFolder) throws {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    let text = try readText(at: part.path + "/" + Self.name)
    guard let found = try? decoder.decode([Result].self, from: Data(text.utf8)) else {
      throw ShardError.damaged(path: part.path, problem: "its \(Self.name) holds no comparisons")
    }
    results = found
  }

  /// Rankings of one model on one task may lie in several parts, each of which measured its effects.
  static func joined(_ parts: [ComparedCells]) -> ComparedCells {
    var whole: [Result] = []
    for result in parts.flatMap(\.results) {
      if let last = whole.indices.last, whole[last].cell == result.cell {
        whole[last].comparison?.rows += result.comparison?.rows ?? []
      } else {
        whole.append(result)
      }
    }
    return ComparedCells(results: whole)
  }
}
