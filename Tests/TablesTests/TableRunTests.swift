// A table read a run of rows at a time is the table read at once.

import Files
import TestSupport
import Testing

@testable import Tables

@Suite struct TableRunTests {
  /// Numbers, categories, dates with parts, quotes over two lines, missing cells and a missing target.
  private static let text: String = {
    var lines = ["size,colour,when,\"a \"\"note\"\"\",id,label"]
    for row in 0..<60 {
      let size = row % 9 == 4 ? "NA" : "\(Double(row) * 0.75)"
      let colour = ["red", "green", "blue"][row % 3]
      let when = "2024-\(row % 12 < 9 ? "0" : "")\(row % 12 + 1)-1\(row % 8)"
      let note = row % 7 == 0 ? "\"two,\nlines\"" : "plain"
      let label = row == 11 ? "" : row % 5 < 2 ? "yes" : "no"
      lines.append("\(size),\(colour),\(when),\(note),k\(row),\(label)")
    }
    return lines.joined(separator: "\n") + "\n"
  }()

  private struct Read {
    var sample: TableSample
    var columns: [[Float]]
    var target: [Float]
    var classes: [String]
  }

  private func runs(_ text: String, sampleSize: Int, runSize: Int, options: TableOptions = TableOptions())
    throws
    -> Read
  {
    try withTemporaryFolder { folder in
      try writeFile(text, to: folder + "/t.csv")
      var sample: TableSample?
      var columns: [[Float]] = []
      var target: [Float] = []
      let classes = try readTableRuns(
        path: folder + "/t.csv", target: "label", options: options, sampleSize: sampleSize, runSize: runSize,
        seed: 3,
        begin: {
          sample = $0
          columns = [[Float]](repeating: [], count: $0.table.features.count)
        },
        body: { run in
          #expect(run.firstRow == target.count)
          for feature in columns.indices { columns[feature] += run.features.column(feature) }
          target += run.target
        })
      return Read(sample: try #require(sample), columns: columns, target: target, classes: classes)
    }
  }

  @Test(arguments: [7, 60, 1000]) func runsAreTheTable(runSize: Int) throws {
    let table = try TableReadingTests.read(Self.text, target: "label")
    let read = try runs(Self.text, sampleSize: 1000, runSize: runSize)
    #expect(read.sample.table.features.names == table.features.names)
    #expect(read.sample.table.features.kinds == table.features.kinds)
    #expect(read.sample.table.target == table.target && read.sample.table.readings == table.readings)
    #expect(read.sample.rowCount == 60 && read.sample.rows == (0..<60).filter { $0 != 11 })
    #expect(table.features.names.contains("when.month"))
    guard case .classes(let labels, let names) = table.target else {
      Issue.record("the target is no class")
      return
    }
    #expect(read.classes == names)
    let known = read.target.indices.filter { !read.target[$0].isNaN }
    #expect(known == read.sample.rows)
    #expect(known.map { Int(read.target[$0]) } == labels)
    for feature in read.columns.indices {
      let own = known.map { read.columns[feature][$0].bitPattern }
      #expect(own == table.features.column(feature).map(\.bitPattern), "\(table.features.names[feature])")
    }
  }

  /// What the sampled rows do not show: a category is past the known ones, a class comes after the others.
  @Test func whatTheSampleDoesNotHold() throws {
    var lines = ["kind,x,label"] + (0..<2000).map { "\($0 % 2 == 0 ? "a" : "b"),\($0 % 17),\($0 % 3 == 0)" }
    lines[1234] = "rare,5,maybe"
    let read = try runs(lines.joined(separator: "\n"), sampleSize: 100, runSize: 300)
    try #require(!read.sample.rows.contains(1233))
    #expect(read.sample.table.features.kinds == [.categorical(["a", "b"]), .numeric])
    #expect(read.columns[0][1233] == 2 && read.columns[1][1233] == 5)
    #expect(read.classes == ["False", "True", "maybe"] || read.classes == ["false", "true", "maybe"])
    #expect(read.target[1233] == 2)
  }

  @Test func textAmongNumbersThatTheSampleDidNotShow() throws {
    var lines = ["x,label"] + (0..<2000).map { "\($0 % 17),\($0 % 2 == 0 ? "u" : "v")" }
    lines[1234] = "seven,u"
    let text = lines.joined(separator: "\n")
    #expect(throws: TableError.wrongKind(feature: "x", wantsNumbers: true)) {
      try runs(text, sampleSize: 100, runSize: 300)
    }
  }

  @Test func aColumnThatIsMissingInARun() throws {
    let lines =
      ["kind,x,label"] + (0..<400).map { "\($0 < 200 ? "" : $0 % 2 == 0 ? "a" : "b"),\($0),\($0 % 3)" }
    let read = try runs(lines.joined(separator: "\n"), sampleSize: 400, runSize: 100)
    #expect(read.columns[0][..<200].allSatisfy { $0.isNaN })
    #expect(read.columns[0][200] == 0 && read.columns[0][201] == 1)
  }

  @Test func brokenRowsAreNamedByTheirLine() throws {
    let lines = ["x,z,label"] + (0..<500).map { $0 == 321 ? "1,2" : "\($0),1,\($0 % 2)" }
    #expect(throws: TableError.self) { try runs(lines.joined(separator: "\n"), sampleSize: 100, runSize: 50) }
    do {
      _ = try runs(lines.joined(separator: "\n"), sampleSize: 100, runSize: 50)
    } catch TableError.raggedRow(_, let line, let cells, let expected) {
      #expect(line == 323 && cells == 2 && expected == 3)
    }
  }
}
