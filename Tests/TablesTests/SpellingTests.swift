// Tables as people write them: numbers and dates in national spellings, encodings, separators, containers.

import Files
import Foundation
import Tensors
import TestSupport
import Testing

@testable import Tables

@Suite struct SpellingTests {
  static func read(
    _ text: String, options: TableOptions = TableOptions(), target: String? = nil
  ) throws -> Table {
    try TableReadingTests.read(text, target: target, options: options)
  }

  /// One column of cells beside another, as numbers.
  static func column(_ cells: [String], separator: String = ";") throws -> [Float] {
    let rows = cells.map { "\"\($0)\"\(separator)\($0.count % 3)" }
    var options = TableOptions()
    options.identifiers = .kept
    options.dates = .asNumbers
    let table = try read("x\(separator)y\n" + rows.joined(separator: "\n"), options: options, target: "y")
    #expect(table.features.kinds == [.numeric], "\(cells): \(table.readings[0])")
    return table.features.column(0)
  }

  @Test(arguments: [
    (["1,5", "2,25", "-3,125", "4"], [1.5, 2.25, -3.125, 4] as [Float]),
    (["1.234,5", "2.000.000", "12,75"], [1234.5, 2_000_000, 12.75]),
    (["1 234,50", "99,25", "1 000 000"], [1234.5, 99.25, 1_000_000]),
    (["1 234,50 €", "99,25 €", "1.000,00 €"].map { $0 }, [1234.5, 99.25, 1000]),
    (["1'234.50", "99.25", "1’000"], [1234.5, 99.25, 1000]),
    (["$1,234.50", "$99.25", "-$3"], [1234.5, 99.25, -3]),
    (["US$ 1,234", "US$ 99.5", "US$ 7"], [1234, 99.5, 7]),
    (["1,23,456.5", "99.25", "10,00,000.0"], [123_456.5, 99.25, 1_000_000]),
    (["12 %", "7.5%", "100 %"], [12, 7.5, 100]),
    (["(1,250.00)", "99.25", "(3)"], [-1250, 99.25, -3]),
    (["5-", "7", "12.5-"], [-5, 7, -12.5]),
    (["−5", "7", "12.5"], [-5, 7, 12.5]),
    (["2,500 kr", "12,5 kr", "3 kr"], [2.5, 12.5, 3]),
    (["CHF 12.50", "CHF 1'000.00", "CHF 3"], [12.5, 1000, 3]),
  ])
  func numbersOfManyCountries(cells: [String], expected: [Float]) throws {
    #expect(try Self.column(cells) == expected)
  }

  @Test func whetherACommaIsDecimalIsDecidedByTheTable() throws {
    // Before three digits it could be either: commas part these cells, so that it is a mark of thousands.
    let thousands = try Self.read("x,y\n\"1,234\",a\n\"5,678\",b\n\"9,012\",a\n", target: "y")
    #expect(thousands.features.column(0) == [1234, 5678, 9012])
    #expect(thousands.readings[0].remarks.contains(.ambiguousCommas(readAsDecimal: false)))
    // Another column with decimal commas decides it.
    let decimals = try Self.read("x;z;y\n1,234;0,5;a\n5,678;1,25;b\n9,012;7,5;a\n", target: "y")
    #expect(decimals.features.column(0) == [1.234, 5.678, 9.012])
    // There, points before three digits are marks of thousands.
    let points = try Self.read("x;z;y\n1.234;0,5;a\n5.678;1,25;b\n9.012;7,5;a\n", target: "y")
    #expect(points.features.column(0) == [1234, 5678, 9012])
  }

  @Test func whatIsNoNumberStaysText() throws {
    for cells in [
      ["12 kg", "7 kg", "3 kg"], ["$5", "€7", "$9"], ["1-2", "3-4", "5-6"], ["1.2.3", "4.5", "6"],
    ] {
      let table = try Self.read("x;y\n" + cells.map { "\($0);a" }.joined(separator: "\n"), target: "y")
      guard case .categorical = table.features.kinds[0] else {
        Issue.record("\(cells) became \(table.features.column(0))")
        continue
      }
    }
  }

  @Test(arguments: [
    (["2024-02-29", "1970-01-02", "1969-12-31"], [19_782, 1, -1] as [Float]),
    (["29.02.2024", "02.01.1970", "31.12.1969"], [19_782, 1, -1]),
    (["29/02/2024", "02/01/1970", "31/12/1969"], [19_782, 1, -1]),
    (["02/29/2024", "01/02/1970", "12/31/1969"], [19_782, 1, -1]),
    (["29 Feb 2024", "2 January 1970", "31-Dec-1969"], [19_782, 1, -1]),
    (["Feb 29, 2024", "January 2, 1970", "Dec 31, 1969"], [19_782, 1, -1]),
    (["2024/02/29", "1970/01/02", "1969/12/31"], [19_782, 1, -1]),
    // Years of two digits stand last.
    (["29-Feb-24", "02-Jan-70", "31-Dec-69"], [19_782, 1, -1]),
    (["29.02.24", "02.01.70", "31.12.69"], [19_782, 1, -1]),
    (["2024-Feb-29", "1970-Jan-02", "1969-Dec-31"], [19_782, 1, -1]),
    // Unless they cannot.
    (["24-02-29", "70-01-02", "69-12-31"], [19_782, 1, -1]),
    (["07:05", "23:59:30", "12:00 PM"], [25_500, 86_370, 43_200]),
  ])
  func datesAndTimes(cells: [String], expected: [Float]) throws {
    #expect(try Self.column(cells, separator: ",") == expected)
  }

  @Test func momentsAreSecondsAndComeBackAsWritten() throws {
    let cells = [
      "2024-03-31T23:59:58Z", "2024-03-31 12:00:00", "2024-04-01T01:00:00+02:00", "2024-01-01T00:00:01",
    ]
    let table = try Self.read("when,y\n" + cells.map { "\($0),a" }.joined(separator: "\n"), target: "y")
    let exact = table.features.column(0).map { table.features.exactValue($0, of: 0) }
    #expect(exact == [1_711_929_598, 1_711_886_400, 1_711_926_000, 1_704_067_201])
    let form = try #require(table.features.forms[0])
    #expect(form.text(exact[0]) == "2024-03-31 23:59:58")
    #expect(table.features.names == ["when", "when.month", "when.weekday", "when.hour"])
    #expect(table.features.column(1) == [3, 3, 3, 1])
    #expect(table.features.column(2) == [6, 6, 6, 0])
    #expect(table.features.column(3) == [23, 12, 23, 0])
  }

  @Test func daysOfTheCalendar() {
    for (year, month, day, number) in [
      (1970, 1, 1, 0), (2000, 2, 29, 11_016), (1600, 12, 31, -134_775), (2100, 3, 1, 47_541),
    ] {
      #expect(CivilDate(year: year, month: month, day: day)?.daysSince1970 == number)
      #expect(CivilDate(daysSince1970: number) == CivilDate(year: year, month: month, day: day))
    }
    for number in stride(from: -200_000, through: 200_000, by: 17) {
      #expect(CivilDate(daysSince1970: number).daysSince1970 == number)
    }
    #expect(
      CivilDate(year: 2023, month: 2, day: 29) == nil && CivilDate(year: 2023, month: 13, day: 1) == nil)
  }

  @Test func missingTextsComeBeforeNumbersAndAreNumbersToo() throws {
    var options = TableOptions()
    options.furtherMissingTexts = ["-999", "unknown"]
    let table = try Self.read(
      "x,c,y\n-999,a,1\n-999.0,unknown,2\n-9.99e2,b,1\n5,-999,2\n7,a,1\n", options: options)
    #expect(table.features.column(0).map(\.isNaN) == [true, true, true, false, false])
    #expect(table.features.column(1).map(\.isNaN) == [false, true, false, true, false])
    options.furtherMissingTexts = ["-998"]
    #expect(throws: TableError.self) { try Self.read("x,y\n-999,1\n5,2\n", options: options) }
    let pandas = try Self.read("x,y\n<NA>,a\n#N/A N/A,a\n-1.#IND,b\nNone,b\n3,a\n1.#QNAN,b\n", target: "y")
    #expect(pandas.features.column(0).map(\.isNaN) == [true, true, true, true, false, true])
  }

  @Test func doublesThatFloatsMergeAreKeptApart() throws {
    let values: [Double] = [1_700_000_001, 1_700_000_002, 1_700_000_003, 1_700_000_130, 1_700_000_129]
    let table = try Self.read(
      "t,money,y\n"
        + values.enumerated().map { "\(Int($1)),\(200_000.01 + Double($0) / 100),a" }.joined(separator: "\n"),
      target: "y")
    let cells = table.features.column(0)
    #expect(Set(cells).count == 5)
    #expect(cells.map { table.features.exactValue($0, of: 0) } == values)
    #expect(cells[3] - cells[0] == 129)
    #expect(Set(table.features.column(1)).count == 5)
    // What float32 holds stays as it is.
    let plain = try Self.read("x,y\n0.1,a\n123456,b\n0.30000001,a\n", target: "y")
    #expect(plain.features.scales.isEmpty)
  }

  @Test func aScaleKeepsOrderAndValues() {
    var generator = SeededGenerator(seed: 3)
    for _ in 0..<200 {
      let base = Double(generator.index(below: 1_000_000_000)) * 17
      let values = (0..<50).map { _ in base + Double(generator.index(below: 300)) / 4 }
      let scale = ExactScale(values)
      for value in values { #expect(scale.value(of: scale.standIn(for: value)) == value) }
      #expect(zip(scale.standIns, scale.standIns.dropFirst()).allSatisfy { $0 < $1 })
      let limit = values[generator.index(below: 50)] + Double(generator.index(below: 3)) / 8
      let threshold = scale.threshold { $0 <= limit }
      for value in values { #expect((scale.standIn(for: value) <= threshold) == (value <= limit)) }
    }
  }

  @Test func separatorsAndTheirEdges() throws {
    for separator in [",", "\t", ";", "|"] {
      let text = "a,b c,y\n1,x y,u\n2,z,v\n3,w,u\n".replacingOccurrences(of: ",", with: separator)
      #expect(try Self.read(text).features.names == ["a", "b c"], "\(separator)")
    }
    let blanks = try Self.read("a  b   y\n 1 2.5  u\n22  3.5 v\n 3 \"q\" u\n")
    #expect(blanks.features.names == ["a", "b"] && blanks.features.column(0) == [1, 22, 3])
    var options = TableOptions()
    options.separator = UInt8(ascii: "^")
    #expect(try Self.read("a^b,c^y\n1^2^u\n3^4^v\n", options: options).features.names == ["a", "b,c"])
    // A separator at the end of every line, and one that only the names have.
    #expect(try Self.read("a,b,y\n1,2,u,\n3,4,v,\n5,6,u,\n").features.names == ["a", "b"])
    #expect(try Self.read("a,b,y,\n1,2,u\n3,4,v\n5,6,u\n").features.names == ["a", "b"])
    #expect(try Self.read("a,b,y,\n1,2,u,\n3,4,v,\n5,6,u,\n", target: "y").features.names == ["a", "b"])
  }

  @Test func commentsAreNotData() throws {
    let table = try Self.read("# made on a Monday\n# by hand\na,b,y\n1,2,u\n# a pause\n3,4,v\n")
    #expect(table.features.names == ["a", "b"] && table.rowCount == 2)
    // Names that begin with the mark are names.
    #expect(try Self.read("#a,b,y\n1,2,u\n3,4,v\n").features.names == ["#a", "b"])
  }

  @Test func aFirstRowOfTextsThatIsData() throws {
    let rows = (0..<30).map {
      "\(["high", "low"][$0 % 2]),\(["nurse", "cook", "clerk"][$0 % 3]),\($0 % 2 == 0 ? "yes" : "no")"
    }
    let table = try Self.read(rows.joined(separator: "\n"))
    #expect(table.rowCount == 30 && table.features.names == ["column1", "column2"])
    #expect(try Self.read("level,job,y\n" + rows.joined(separator: "\n")).rowCount == 30)
  }

  @Test func encodings() throws {
    let text = "größe,beruf,y\n1,Köchin,u\n2,Arzt,v\n3,Köchin,u\n"
    try withTemporaryFolder { folder in
      for (name, encoding) in [
        ("latin1", String.Encoding.isoLatin1), ("utf16", .utf16), ("le", .utf16LittleEndian),
        ("be", .utf16BigEndian),
        ("utf8", .utf8),
      ] {
        let path = folder + "/" + name
        try #require(text.data(using: encoding)).write(to: URL(fileURLWithPath: path))
        let table = try Table(readingFrom: path)
        #expect(table.features.names == ["größe", "beruf"], "\(name)")
        #expect(table.features.kinds[1] == .categorical(["Arzt", "Köchin"]), "\(name)")
      }
    }
  }

  @Test func rowNumbersAndIdentifiersAreLeftOut() throws {
    func table(_ header: String, _ cell: (Int) -> String) throws -> Table {
      try Self.read(
        "\(header),x,y\n" + (0..<60).map { "\(cell($0)),\($0 * 7 % 61),\($0 % 2)" }.joined(separator: "\n"))
    }
    let cases: [(String, (Int) -> String, ColumnReading.Reason?)] = [
      ("", { "\($0)" }, .rowNumbers), ("n", { "\($0 + 1)" }, .rowNumbers),
      ("Unnamed: 0", { "\($0 * 13 % 61)" }, .rowNumbers),
      ("PassengerId", { "\($0 * 13 % 61)" }, .identifier),
      ("customer_id", { "\($0 * 13 % 61)" }, .identifier),
      ("name", { "person \($0)" }, .uniqueTexts(different: 60, cells: 60)),
      ("width", { "\($0 * 13 % 61)" }, nil),
      ("valid", { "\($0 * 13 % 61)" }, nil), ("job", { "job \($0 % 9)" }, nil),
    ]
    for (name, cell, reason) in cases {
      let read = try table(name, cell)
      let content = read.readings[0].content
      if let reason {
        #expect(content == .leftOut(reason), "\(name)")
      } else {
        #expect(read.features.count == 2, "\(name)")
      }
    }
    var options = TableOptions()
    options.keptColumns = ["id"]
    let kept = try Self.read(
      "id,x,y\n" + (0..<60).map { "\($0),\($0 * 7 % 61),a" }.joined(separator: "\n"), options: options)
    #expect(kept.features.names == ["id", "x"])
  }

  /// An option about a column that changes nothing about it is an error.
  @Test func optionsWithoutEffectOnAColumnAreRefused() throws {
    let text =
      "x,word,n,y\n"
      + (0..<60).map { "\($0 * 7 % 61),w\($0 % 5),\($0 % 4),\($0 % 2)" }.joined(separator: "\n")
    func refused(_ change: (inout TableOptions) -> Void) throws -> String? {
      var options = TableOptions()
      change(&options)
      do {
        _ = try Self.read(text, options: options, target: "y")
        return nil
      } catch TableError.optionWithoutEffect(_, let option, let column, _) {
        return "\(option) \(column)"
      }
    }
    #expect(try refused { $0.keptColumns = ["x"] } == "keep x")
    #expect(try refused { $0.keptColumns = ["y"] } == "keep y")
    #expect(try refused { $0.categoricalColumns = ["word"] } == "categorical word")
    #expect(try refused { $0.categoricalColumns = ["n"] } == nil)
    #expect(
      try refused {
        $0.categoricalColumns = ["n"]
        $0.excludedColumns = ["n"]
      } == "categorical n")
  }

  @Test func otherContainers() throws {
    let arff =
      "% a note\n@relation r\n@attribute 'the size' numeric\n@ATTRIBUTE c {'a b',z}\n@attribute y {u,v}\n@data\n1,'a b',u\n2.5,z,v\n?,z,u\n"
    let lines =
      "{\"x\":1,\"c\":\"a, b\",\"y\":\"u\"}\n{\"x\":2.5,\"y\":\"v\",\"c\":null}\n\n{\"x\":3,\"c\":\"z\",\"y\":\"u\"}\n"
    let sparse = "1 1:0.5 3:2\n-1 2:1\n1 1:7\n"
    let a = try Self.read(arff)
    #expect(a.features.names == ["the size", "c"] && a.features.kinds[1] == .categorical(["a b", "z"]))
    #expect(a.features[2, 0].isNaN && a.rowCount == 3)
    let b = try Self.read(lines)
    #expect(b.features.names == ["x", "c"] && b.features[1, 1].isNaN && b.features.column(0) == [1, 2.5, 3])
    let c = try Self.read(sparse)
    #expect(
      c.targetName == "label" && c.features.column(0) == [0.5, 0, 7] && c.features.column(2) == [2, 0, 0])
    for (start, name) in [("PAR1", "Parquet"), ("ARROW1", "Arrow"), ("SQLite format 3\0", "SQLite")] {
      do {
        _ = try Self.read(start + "....")
        Issue.record("\(name) was read")
      } catch TableError.otherFormat(_, let format, let way) {
        #expect(format.contains(name) && !way.isEmpty)
      }
    }
  }

  @Test func namesThatLibrariesChange() throws {
    let columns = ["age group", "income ($)", "x", "Über uns"]
    let matches = try FeatureMatches(["income_($)", "age_group", "x"], among: columns)
    #expect(matches.places == [1, 0, 2] && matches.renamed.map(\.table) == ["income ($)", "age group"])
    #expect(try FeatureMatches(["incomeusd", "X"].suffix(1), among: columns).places == [2])
    #expect(throws: TableError.self) { try FeatureMatches(["a_b"], among: ["a b", "a-b"]) }
  }

  @Test func truthsAndNumbersWhereAModelWantsTheOther() throws {
    let features = Features(
      names: ["t", "g"], kinds: [.categorical(["False", "True"]), .numeric], rowCount: 3,
      values: [0, 1, .nan, 30, 10, 99])
    let aligned = try features.aligned(to: ["t", "g"], kinds: [.numeric, .categorical(["10", "20", "30"])])
    #expect(aligned.column(0)[0...1] == [0, 1] && aligned.column(0)[2].isNaN)
    #expect(aligned.column(1) == [2, 0, 3])
  }
}
