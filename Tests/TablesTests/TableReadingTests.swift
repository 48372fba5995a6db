// What the reader makes of texts, good and bad.

import Files
import Foundation
import Tensors
import TestSupport
import Testing

@testable import Tables

@Suite struct TableReadingTests {
  /// Reads `text` as a file of its own.
  static func read(
    _ text: String, target: String? = nil, options: TableOptions = TableOptions(), name: String = "t.csv"
  ) throws -> Table {
    try withTemporaryFolder { folder in
      try writeFile(text, to: folder + "/" + name)
      return try Table(readingFrom: folder + "/" + name, target: target, options: options)
    }
  }

  @Test func quotesLineBreaksMissingAndByteOrderMark() throws {
    let table = try Self.read(
      "\u{feff}a,\"b \"\"x\"\"\",c,y\r\n1,\"two, or\nthree\",?,no\r\n\r\n 2.5 ,four,NA,yes\r\n,four,7,no")
    #expect(table.features.names == ["a", "b \"x\"", "c"])
    #expect(table.features.kinds == [.numeric, .categorical(["four", "two, or\nthree"]), .numeric])
    #expect(table.target == .classes([0, 1, 0], names: ["no", "yes"]))
    #expect(table.features.values[0..<2] == [1, 2.5] && table.features.values[2].isNaN)
    #expect(table.features.column(1) == [1, 0, 0])
    #expect(table.features[0, 2].isNaN && table.features[1, 2].isNaN && table.features[2, 2] == 7)
  }

  @Test(arguments: [("t", "\t"), ("s", ";")])
  func separatorsAreDetected(column: String, separator: String) throws {
    let rows = ["\(column),x", "1", "2"].map { $0.replacingOccurrences(of: ",", with: separator) }
    let table = try Self.read("\(rows[0])\n1\(separator)1,5\n2\(separator)a\n")
    #expect(table.features.names == [column])
    #expect(table.target.count == 2)
  }

  @Test func headersAreDetected() throws {
    #expect(try Self.read("5.1,3.5,a\n4.9,3.0,b\n").features.names == ["column1", "column2"])
    #expect(try Self.read("5.1,3.5,a\n4.9,3.0,b\n").rowCount == 2)
    #expect(try Self.read("0,1,2\n4.9,3.0,b\n7,7,c\n").features.names == ["0", "1"])
    #expect(try Self.read("name,2019,y\nu,3,b\nv,4,c\n").rowCount == 3)
    #expect(try Self.read("n,2019,y\n1,3,b\n2,4,c\n").features.names == ["n", "2019"])
    var options = TableOptions()
    options.header = .absent
    #expect(try Self.read("p,q\nx,y\n", options: options).rowCount == 2)
  }

  @Test func oldMacLineEnds() throws {
    #expect(try Self.read("a,y\r1,u\r2,v\r").features.values == [1, 2])
  }

  /// Against the language's own correctly rounded conversion.
  @Test func decimalsAreCorrectlyRounded() throws {
    var generator = SeededGenerator(seed: 5)
    var spellings = [
      "1e-3", "+.5", "1E5", "-0", "5.", "00012", "1e22", "1e-22", "16777217", "16777219.0", "0.1",
      "3.4028235e38",
      "1.17549435e-38", "1e-45", "7e-46", "9007199254740993", "123456789012345678901234567890", "1e+0010",
      "8388608.5000000001", "8388609.5", "0.000000000000000000001", "-.25e1",
    ]
    for _ in 0..<20_000 {
      let digits = (0..<(1 + generator.index(below: 19))).map { _ in "\(generator.index(below: 10))" }
        .joined()
      let point = generator.index(below: digits.count + 1)
      var text = digits.prefix(point) + "." + digits.dropFirst(point)
      if generator.index(below: 3) == 0 { text += "e\(generator.index(below: 40) - 25)" }
      if Float(text.first == "." ? "0" + text : text)?.isFinite == true { spellings.append(String(text)) }
    }
    // Decimals that lie almost exactly between two floats.
    for _ in 0..<2000 {
      let x = Float(generator.uniform())
      spellings.append("\((Double(x) + Double(x.nextUp)) / 2)")
    }
    let table = try Self.read("x,y\n" + spellings.map { "\($0),1" }.joined(separator: "\n"), target: "x")
    guard case .values(let values) = table.target else {
      Issue.record("the target is not numeric")
      return
    }
    for (text, value) in zip(spellings, values) {
      var plain = text.hasPrefix("+") ? String(text.dropFirst()) : text
      if plain.hasPrefix(".") { plain = "0" + plain }
      if plain.hasPrefix("-.") { plain = "-0" + plain.dropFirst() }
      if plain.hasSuffix(".") { plain += "0" }
      plain = plain.replacingOccurrences(of: ".e", with: ".0e")
      // Where the column's doubles are kept, the float of the double: decimals between two floats may round twice.
      #expect(Float(plain) == value || Double(plain).map { Float($0) } == value, "\(text)")
    }
  }

  @Test func textFarDownBecomesACategoryOrAMissingCell() throws {
    // Few different texts: a category after all, counted over the whole column.
    var lines = (0..<3000).map { "\($0 % 7),\($0 % 2)" }
    lines[2900] = "x,1"
    let table = try Self.read("a,y\n" + lines.joined(separator: "\n"))
    #expect(table.features.kinds == [.categorical(["0", "1", "2", "3", "4", "5", "6", "x"])])
    #expect(table.features[2900, 0] == 7 && table.features[2901, 0] == Float(2901 % 7))
    // Many different numbers and a slip: missing, and said so with its line.
    lines = (0..<3000).map { "\($0 * 7 % 3001),\($0 % 2)" }
    lines[2900] = "x,1"
    let slip = try Self.read("a,y\n" + lines.joined(separator: "\n"))
    #expect(slip.features.kinds == [.numeric] && slip.features[2900, 0].isNaN && slip.features[2, 0] == 14)
    #expect(slip.readings[0].remarks == [.strays(["x"], cells: 1, line: 2902)])
    // Many numbers and many texts: categories, and said so.
    lines = (0..<3000).map { $0 % 2 == 0 ? "\($0 % 120),\($0 % 2)" : "t\($0 % 90),\($0 % 2)" }
    let mixed = try Self.read("a,y\n" + lines.joined(separator: "\n"))
    guard case .categorical(let names) = mixed.features.kinds[0] else {
      Issue.record("not categories")
      return
    }
    #expect(names.count == 105)
    guard case .mixed? = mixed.readings[0].remarks.first else {
      Issue.record("\(mixed.readings[0])")
      return
    }
  }

  /// A million rows of ten columns, well-formed and with one text in every row from 900,000 on: one text among so many
  /// numbers is not taken for an identifier.
  @Test func aMillionRows() throws {
    let (rows, from) = (1_000_000, 900_000)
    try withTemporaryFolder { folder in
      for (name, slip) in [("sound.csv", ""), ("late.csv", "oops")] {
        var bytes = Array("a,b,c,d,e,f,g,h,i,y\n".utf8)
        bytes.reserveCapacity(rows * 36)
        let rest = (0..<7).map { row in Array(",1,2.5,\(row),4,,6,7,\(row % 2)\n".utf8) }
        for row in 0..<rows {
          bytes += "\(row).5,".utf8
          bytes += (row >= from && !slip.isEmpty ? slip : "\(row &* 7 % 1_000_003)").utf8
          bytes += rest[row % 7]
        }
        try Data(bytes).write(to: URL(fileURLWithPath: folder + "/" + name))
      }
      let table = try Table(readingFrom: folder + "/sound.csv")
      #expect(table.rowCount == rows && table.features.names == ["a", "b", "c", "d", "e", "f", "h", "i"])
      #expect(
        table.features[999_999, 0] == 999_999.5
          && table.features[999_999, 1] == Float(999_999 * 7 % 1_000_003))
      #expect(table.features[999_999, 4] == Float(999_999 % 7))
      let late = try Table(readingFrom: folder + "/late.csv")
      #expect(late.readings[1].remarks == [.strays(["oops"], cells: rows - from, line: from + 2)])
      #expect(late.features[from, 1].isNaN && late.features[from - 1, 1] == Float((from - 1) * 7 % 1_000_003))
    }
  }

  /// What is named as categories is categories, many numbers and a text or not.
  @Test func declaredCategoriesAreBelieved() throws {
    var options = TableOptions()
    options.categoricalColumns = ["a"]
    let lines = (0..<400).map { "\($0 == 300 ? "x" : "\($0 % 80)"),\($0 % 2)" }
    let table = try Self.read("a,y\n" + lines.joined(separator: "\n"), options: options)
    #expect(table.features.kinds == [.categorical((0..<80).map { "\($0)" }.sorted() + ["x"])])
  }

  @Test func identifiersAreLeftOut() throws {
    let lines = (0..<2000).map { "name\($0),\($0),\($0 % 2)" }
    let table = try Self.read("id,x,y\n" + lines.joined(separator: "\n"))
    #expect(table.identifierColumns == ["id"])
    #expect(table.features.names == ["x"])
    #expect(table.features[1234, 0] == 1234)
  }

  @Test func targets() throws {
    let text = "a,b\n" + (0..<60).map { "\($0),\($0 % 3)" }.joined(separator: "\n")
    #expect(try Self.read(text).target == .classes((0..<60).map { $0 % 3 }, names: ["0", "1", "2"]))
    guard case .values(let values) = try Self.read(text, target: "a").target else {
      Issue.record("not a regression")
      return
    }
    #expect(values == (0..<60).map(Float.init))
    var options = TableOptions()
    options.task = .regression
    #expect(try Self.read(text, options: options).target == .values((0..<60).map { Float($0 % 3) }))
    let gaps = try Self.read("a,y\n1,u\n2,\n3,v\n")
    #expect(gaps.rowsWithoutTarget == 1 && gaps.features.values == [1, 3])
  }

  @Test(arguments: [
    ("", TableError.empty(path: "t.csv")),
    ("\n\n", .empty(path: "t.csv")),
    ("a,b\n", .noRows(path: "t.csv")),
    ("a,b\n1,2\n3\n", .raggedRow(path: "t.csv", line: 3, cells: 1, expected: 2)),
    ("a,b\n1,2\n3,4,5\n", .raggedRow(path: "t.csv", line: 3, cells: 3, expected: 2)),
    ("a,b\n1,\"x\ny\"\n1,\"oh", .unclosedQuote(line: 4)),
    ("a,b\n1,2\n1e99,3\n", .infiniteNumber(path: "t.csv", line: 3, column: "a")),
    ("a,b\n1,2\n-inf,3\n", .infiniteNumber(path: "t.csv", line: 3, column: "a")),
    ("a\n1\n2\n", .noFeatures(path: "t.csv")),
    ("a,b\n1,\n2,?\n", .targetMissing(path: "t.csv", name: "b")),
  ])
  func badTables(text: String, expected: TableError) throws {
    try withTemporaryFolder { folder in
      try writeFile(text, to: folder + "/t.csv")
      let error = #expect(throws: TableError.self) { try Table(readingFrom: folder + "/t.csv") }
      let plain = error.map { "\($0)".replacingOccurrences(of: folder + "/", with: "") }
      #expect(plain == "\(expected)")
    }
  }

  @Test func repeatedNamesGetEndings() throws {
    let table = try Self.read("a,a.1,a,a,b\n1,2,3,4,5\n")
    #expect(table.features.names == ["a", "a.1", "a.2", "a.3"] && table.repeatedNames == ["a"])
    let error = #expect(throws: TableError.self) { try Self.read("a,b,a\n1,2,3\n", target: "a") }
    guard case .duplicateColumn(_, "a", first: 1, second: 3) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func aMistypedTargetIsGuessed() throws {
    let error = #expect(throws: TableError.self) { try Self.read("size,weight\n1,2\n", target: "wieght") }
    guard case .noSuchColumn(_, "wieght", "weight") = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func unusualTables() throws {
    let one = try Self.read("a,b,y\n1,,u\n")
    #expect(one.rowCount == 1 && one.features[0, 1].isNaN)
    let constant = try Self.read("a,b,y\n1,,u\n1,,v\n")
    #expect(constant.features.names == ["a"])
    #expect(constant.duplicateGroups == [0, 0] && constant.duplicateRowCount == 1)
  }

  @Test func aTruncatedArchiveIsAnError() throws {
    try withTemporaryFolder { folder in
      let plain = "a,y\n" + (0..<5000).map { "\($0),\($0 % 2)" }.joined(separator: "\n")
      try writeFile(plain, to: folder + "/t.csv")
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      process.arguments = ["gzip", folder + "/t.csv"]
      try process.run()
      process.waitUntilExit()
      let path = folder + "/t.csv.gz"
      #expect(try Table(readingFrom: path).rowCount == 5000)
      let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
      try writeFile(bytes.prefix(bytes.count / 2), to: path)
      #expect(throws: FileError.truncated(path: path)) { try Table(readingFrom: path) }
      // Two members one after the other are one text.
      try writeFile(bytes, to: folder + "/again.gz")
      #expect(try gunzip(MappedFile(path: folder + "/again.gz")) == Array(plain.utf8))
      try writeFile(bytes + bytes, to: folder + "/twice.gz")
      #expect(try gunzip(MappedFile(path: folder + "/twice.gz")).count == 2 * plain.utf8.count)
    }
  }

  /// Every cell of a generated table, wide and long enough for several tiles and runs.
  @Test(arguments: [(3000, 7), (70, 3000)])
  func everyCellLandsInItsPlace(rows: Int, columns: Int) throws {
    var text = (0..<columns).map { "c\($0)" }.joined(separator: ",") + ",y\n"
    for row in 0..<rows {
      for column in 0..<columns {
        text += (row + column) % 11 == 0 ? "," : "\(Double(row * 7 + column) / 8),"
      }
      text += "\(row % 3)\n"
    }
    let table = try Self.read(text)
    #expect(table.features.count == columns)
    var wrong = 0
    for row in 0..<rows {
      for column in 0..<columns {
        let cell = table.features[row, column]
        let expected: Float = (row + column) % 11 == 0 ? .nan : Float(row * 7 + column) / 8
        if cell != expected && !(cell.isNaN && expected.isNaN) { wrong += 1 }
      }
    }
    #expect(wrong == 0)
  }
}
