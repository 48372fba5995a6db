// Splits: every row once, classes even, groups whole; and columns that give the target away.

import TestSupport
import Testing

@testable import Tables

@Suite struct JointLeakTests {
  private func table(_ columns: [(String, [Float])], _ target: [Float]) -> Table {
    Table(
      features: Features(
        names: columns.map(\.0), kinds: columns.map { _ in .numeric }, rowCount: target.count,
        values: columns.flatMap(\.1)),
      target: .values(target), targetName: "total")
  }

  @Test func thePartsOfATotalAreNamed() {
    let rows = 0..<60
    let (a, b, c) = (
      rows.map { Float($0 * 37 % 61) }, rows.map { Float($0 * $0 % 23) }, rows.map { Float($0 * 13 % 17) }
    )
    let other = rows.map { Float($0 * 29 % 31) }
    func total(_ parts: [Float]...) -> [Float] { rows.map { row in parts.reduce(0) { $0 + $1[row] } } }
    let columns = [("other", other), ("a", a), ("b", b), ("c", c)]
    #expect(table(columns, total(a, b)).jointLeak() == ["a", "b"])
    #expect(Set(table(columns, total(a, b, c)).jointLeak() ?? []) == ["a", "b", "c"])
    #expect(table(columns, total(a.map { 2 * $0 }, b.map { -$0 })).jointLeak() == ["a", "b"])
    // One column alone is another finding; four are too many; a curve is no sum.
    #expect(table(columns, a).jointLeak() == nil)
    #expect(table(columns, total(a, b, c, other)).jointLeak() == nil)
    #expect(table(columns, zip(a, b).map { $0 * $1 }).jointLeak() == nil)
    let holed = [("a", [Float.nan] + a.dropFirst()), ("b", b)]
    #expect(table(holed, total(a, b)).jointLeak() == nil)
  }
}

@Suite struct SplitTests {
  static func table(_ rows: Int, copies: Int = 1) -> Table {
    let values = (0..<rows).map { Float($0 / copies) }
    return Table(
      features: Features(names: ["x"], kinds: [.numeric], rowCount: rows, values: values),
      target: .classes((0..<rows).map { ($0 / copies) % 3 }, names: ["a", "b", "c"]), targetName: "y")
  }

  @Test func foldsAreStratifiedPartitions() throws {
    let table = Self.table(90)
    let folds = try table.folds(5, seed: 1)
    #expect(folds.flatMap(\.held).sorted() == Array(0..<90))
    for fold in folds {
      #expect(Set(fold.held).union(fold.training).count == 90 && fold.held.count == 18)
      for label in 0..<3 { #expect(fold.held.count { $0 % 3 == label } == 6) }
    }
    #expect(try table.folds(5, seed: 1) == folds)
    #expect(try table.folds(5, seed: 2) != folds)
  }

  @Test func copiesAndGroupsStayTogether() throws {
    let table = Self.table(90, copies: 3)
    #expect(table.distinctRowCount == 30 && table.duplicateRowCount == 60)
    // Groups of ten rows cut across the copies: joined, they are larger.
    let groups = (0..<90).map { $0 / 10 }
    for split in try table.folds(2, groups: groups, seed: 3) {
      let held = Set(split.held)
      for row in 0..<89 where row / 3 == (row + 1) / 3 || row / 10 == (row + 1) / 10 {
        #expect(held.contains(row) == held.contains(row + 1))
      }
    }
    for split in try table.folds(5, seed: 3) {
      #expect(Set(split.held.map { $0 / 3 }).isDisjoint(with: split.training.map { $0 / 3 }))
    }
  }

  @Test func heldShare() throws {
    let split = try Self.table(100).split(holding: 0.2, seed: 1)
    #expect(split.held.count == 20 && split.training.count == 80)
    #expect(throws: TableError.tooFewGroups(groups: 1, folds: 5)) {
      try Self.table(6, copies: 6).folds(5, seed: 1)
    }
  }

  @Test func leaksAreFound() {
    let rows = 100
    let labels = (0..<rows).map { ($0 * 7) % 3 }
    func column(_ value: (Int) -> Float) -> [Float] { (0..<rows).map(value) }
    let code = column { Float((labels[$0] + 1) % 3) }
    let finer = column { Float(labels[$0] + 3 * ($0 % 2)) }
    let identifier = column { Float($0) }
    let noise = column { Float(($0 * 31) % 17) }
    let table = Table(
      features: Features(
        names: ["code", "finer", "identifier", "noise"], kinds: [.numeric, .numeric, .numeric, .numeric],
        rowCount: rows, values: code + finer + identifier + noise),
      target: .classes(labels, names: ["a", "b", "c"]), targetName: "y")
    #expect(
      table.leaks() == [
        Leak(feature: "code", kind: .rangePerClass), Leak(feature: "finer", kind: .valuePerClass),
      ])
    let regression = Table(
      features: table.features, target: .values(identifier.map { 3 - 2 * $0 }), targetName: "y")
    #expect(regression.leaks() == [Leak(feature: "identifier", kind: .linear)])
  }

  @Test(.enabled(if: SharedReference.isPresent))
  func symptomTableHas304DifferentRows() throws {
    let table = try Table(readingFrom: SharedReference.path("tables/symptom_precaution_training.csv"))
    #expect(table.rowCount == 4920 && table.distinctRowCount == 304)
    #expect(table.features.count == 132 && table.targetName == "prognosis")
    for split in try table.folds(5, seed: 0) {
      let held = Set(split.held.map { table.duplicateGroups[$0] })
      #expect(held.isDisjoint(with: split.training.map { table.duplicateGroups[$0] }))
    }
  }

  @Test(
    .enabled(if: SharedReference.isPresent),
    arguments: [
      ("spambase.csv", 4601, 57, 2), ("khan_63x2308.csv.gz", 63, 2308, 4),
      ("golub_72x7129.csv.gz", 72, 7129, 2),
      ("gordon_181x12533.csv.gz", 181, 12533, 2), ("autos.csv", 205, 25, 6), ("mushroom.csv", 8124, 22, 2),
      ("credit-g.csv", 1000, 20, 2), ("credit-approval.csv", 690, 15, 2), ("wdbc.csv", 569, 30, 2),
    ])
  func realTables(name: String, rows: Int, features: Int, classes: Int) throws {
    let table = try Table(readingFrom: SharedReference.path("tables/" + name))
    #expect(table.rowCount == rows && table.features.count == features)
    guard case .classes(_, let names) = table.target else {
      Issue.record("not classes")
      return
    }
    #expect(names.count == classes)
  }
}
