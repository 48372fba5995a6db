// A choice of rows shares its table's cells, and is a table like any other.

import Testing

@testable import Tables

@Suite struct FeaturesTests {
  static let table = Features(
    names: ["a", "b"], kinds: [.numeric, .categorical(["u", "v"])], rowCount: 4,
    values: [1, 2, 3, 4, 0, 1, 1, 0])

  @Test func aChoiceHasItsRowsInTheirOrder() {
    let chosen = Self.table.selecting(rows: [3, 1, 1])
    #expect(chosen.rowCount == 3 && chosen.count == 2)
    #expect(chosen.values == [4, 2, 2, 0, 1, 1])
    #expect(chosen.column(1) == [0, 1, 1] && chosen.row(0) == [4, 0] && chosen[2, 0] == 2)
    #expect(
      chosen == Features(names: Self.table.names, kinds: Self.table.kinds, rowCount: 3, values: chosen.values)
    )
    #expect(chosen != Self.table.selecting(rows: [3, 1, 0]))
  }

  @Test func aChoiceFromAChoiceNamesItsOwnRows() {
    let chosen = Self.table.selecting(rows: [3, 1, 0]).selecting(rows: [2, 0])
    #expect(chosen.values == [1, 4, 0, 0])
    #expect(chosen.selecting(features: [1]).values == [0, 0])
    #expect(Self.table.selecting(rows: []).values.isEmpty)
  }

  @Test func cellsAreReadWhereTheyLie() {
    let chosen = Self.table.selecting(rows: [2, 0])
    let found = chosen.withCells { cells in (0..<2).map { [cells[$0, 0], cells[$0, 1]] } }
    #expect(found == [[3, 1], [1, 0]])
    let none = Features(names: [], kinds: [], rowCount: 3, values: [])
    #expect(none.withCells { $0.place(of: 2) } == 2)
  }

  @Test func copiesInAChoiceAreNumberedAnew() {
    let table = Table(
      features: Features(names: ["a"], kinds: [.numeric], rowCount: 5, values: [7, 8, 7, 9, 8]),
      target: .values([0, 1, 2, 3, 4]), targetName: "y")
    #expect(table.duplicateGroups == [0, 1, 0, 2, 1])
    let chosen = table.selecting(rows: [4, 3, 1, 0])
    #expect(chosen.duplicateGroups == [0, 1, 0, 2] && chosen.duplicateRowCount == 1)
    #expect(chosen.duplicateGroups == chosen.features.duplicateGroups())
  }
}
