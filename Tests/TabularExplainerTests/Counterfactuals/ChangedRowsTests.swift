// Trees asked about a few changed cells answer as they do about whole changed rows.

import FoundationEssentials
import Tables
import TestSupport
import Tensors
import Testing
import Trees

@testable import TabularExplainer

@Suite struct ChangedRowsTests {
  /// A tree model that nobody knows to be one.
  struct Stranger: BlackBox {
    var model: TreeBlackBox
    var outputNames: [String] { model.outputNames }
    func predict(_ features: Features) throws -> Tensor { try model.predict(features) }
  }

  /// A table with a date, of which parts are made, a category and a number.
  static func table() throws -> Table {
    var lines = ["when,kind,size,y"]
    var generator = SeededGenerator(seed: 4)
    for _ in 0..<300 {
      let (month, day) = (1 + generator.index(below: 12), 1 + generator.index(below: 28))
      let kind = ["red", "green", "blue"][generator.index(below: 3)]
      let size = generator.index(below: 100)
      let y = 3 * Double(month) + (kind == "red" ? 20 : 0) + Double(size) / 10
      lines.append("2024-\(month < 10 ? "0" : "")\(month)-\(day < 10 ? "0" : "")\(day),\(kind),\(size),\(y)")
    }
    return try withTemporaryFolder { folder in
      try lines.joined(separator: "\n").write(toFile: folder + "/t.csv", atomically: false, encoding: .utf8)
      return try Table(readingFrom: folder + "/t.csv")
    }
  }

  static func changes(_ table: Features, count: Int) -> [[Change]] {
    var generator = SeededGenerator(seed: 5)
    let parts = Set(table.dateParts.map(\.feature))
    let free = (0..<table.count).filter { !parts.contains($0) }
    return (0..<count).map { index in
      free.prefix(1 + index % 3).map { feature in
        Change(
          feature: feature, from: table[0, feature],
          to: index % 7 == 6 ? .nan : table[generator.index(below: table.rowCount), feature])
      }
    }
  }

  static func check(_ table: Features, _ model: TreeBlackBox) throws {
    let rows = table.selecting(rows: [5, 0, 17])
    let (routed, whole) = (
      try ChangedRows(rows, model: model), try ChangedRows(rows, model: Stranger(model: model))
    )
    let changes = Self.changes(table, count: 60)
    for row in 0..<3 {
      #expect(try routed.outputs(row: row, changes: changes) == whole.outputs(row: row, changes: changes))
    }
  }

  @Test func datesTakeTheirPartsWithThem() throws {
    let table = try Self.table()
    #expect(!table.features.dateParts.isEmpty)
    let model = try TreeModel.forest(.randomForest).fit(table).ensemble
    #expect(!Set(model.usedFeatures).isDisjoint(with: table.features.dateParts.map(\.feature)))
    try Self.check(table.features, TreeBlackBox(model))
  }

  @Test func otherOrdersOfColumnsAndCategoriesAreFollowed() throws {
    let table = try Self.table()
    let own = table.features
    let ensemble = try TreeModel.forest(.randomForest).fit(table).ensemble
    // The same table as another program might hand it over: columns turned round, other codes, one category unknown.
    let order = Array((0..<own.count).reversed())
    let kind = try #require(own.names.firstIndex(of: "kind"))
    let names = ["violet", "blue", "red", "green"]
    guard case .categorical(let known) = own.kinds[kind] else {
      Issue.record("kind is no category")
      return
    }
    let kinds = order.map { $0 == kind ? FeatureKind.categorical(names) : own.kinds[$0] }
    var values: [Float] = []
    for feature in order {
      for row in 0..<own.rowCount {
        let cell = own[row, feature]
        let code = names.firstIndex(of: known[feature == kind ? Int(cell) : 0]) ?? 0
        values.append(feature == kind ? (row % 11 == 0 ? 0 : Float(code)) : cell)
      }
    }
    let moved = Features(
      names: order.map { own.names[$0] }, kinds: kinds, rowCount: own.rowCount, values: values,
      forms: Dictionary(
        uniqueKeysWithValues: own.forms.map { (order.firstIndex(of: $0.key) ?? 0, $0.value) }))
    try Self.check(moved, TreeBlackBox(ensemble))
  }
}
