// What scikit-learn 1.9.1 says of stored numbers: Golden/scikit-learn.json, written by Golden/make.py.

import Files
import Tensors
import TestSupport
import Testing

/// The stored cases.
struct ScikitLearn {
  let document: JSONValue

  init() throws {
    document = try JSONValue(
      parsing: readText(at: packageFolder + "/Tests/ProbesTests/Golden/scikit-learn.json"))
  }

  func cases(_ name: String) throws -> [JSONValue] { try #require(document[name]?.elements) }
}

extension JSONValue {
  var numbers: [Double] { (elements ?? []).compactMap(\.anyNumber) }

  var matrix: DoubleMatrix {
    let rows = (elements ?? []).map(\.numbers)
    return DoubleMatrix(rows.flatMap { $0 }, rows: rows.count, columns: rows.first?.count ?? 0)
  }

  func member(_ name: String) throws -> JSONValue { try #require(self[name]) }
}

/// The largest difference, as a share of the largest number where that is above one.
func difference(_ left: [Double], _ right: [Double]) -> Double {
  guard left.count == right.count else { return .infinity }
  let scale = max(1, right.map(abs).max() ?? 0)
  return zip(left, right).map { abs($0 - $1) / scale }.max() ?? 0
}

/// Standard normal rows.
func normalRows(_ rows: Int, _ columns: Int, seed: UInt64) -> DoubleMatrix {
  var generator = SeededGenerator(seed: seed)
  return DoubleMatrix((0..<rows * columns).map { _ in generator.normal() }, rows: rows, columns: columns)
}
