// What was understood of a table's columns, in words.

import Tables

/// Sentences about how a file was read.
enum ReadingText {
  /// Lines that a reader of an explanation should see: what was left out, and what was not read as it stands.
  static func notes(_ table: Table) -> [String] {
    var notes = layoutNotes(table.layout)
    notes += leftOutNotes(table.readings)
    notes += spellingNotes(table.readings)
    for reading in table.readings {
      for remark in reading.remarks {
        switch remark {
        case .mixed(let number, let text):
          guard case .categories = reading.content else { continue }
          notes.append(
            "'\(reading.name)' mixes numbers and text (\(number), \(text)): its values are read as categories"
          )
        case .strays(let texts, let cells, let line):
          notes.append(
            "'\(reading.name)': \(count(cells, "cell")) with \(quoted(texts)) (first on line \(line)) read as missing; "
              + "--categorical keeps \(texts.count == 1 ? "it" : "them")")
        default: continue
        }
      }
    }
    return notes
  }

  private static func layoutNotes(_ layout: TableLayout?) -> [String] {
    guard let layout else { return [] }
    var notes: [String] = []
    if layout.encoding != .utf8 { notes.append("read as \(layout.encoding.rawValue) text") }
    if !layout.hasHeader { notes.append("the first row is data; columns are called column1, column2, …") }
    return notes
  }

  private static func leftOutNotes(_ readings: [ColumnReading]) -> [String] {
    func names(_ isOne: (ColumnReading.Reason) -> Bool) -> [String] {
      readings.compactMap { reading in
        if case .leftOut(let reason) = reading.content, isOne(reason) { reading.name } else { nil }
      }
    }
    let kinds: [(String, [String])] = [
      ("row numbers", names { $0 == .rowNumbers }), ("identifiers", names { $0 == .identifier }),
      ("texts that are nearly all different", names { if case .uniqueTexts = $0 { true } else { false } }),
      ("columns without a value", names { $0 == .empty }),
    ]
    return kinds.filter { !$0.1.isEmpty }.map { kind, names in
      let listed = list(names)
      return kind == "columns without a value"
        ? "left out as \(kind): \(listed)" : "left out as \(kind): \(listed); --keep makes them features"
    }
  }

  private static func spellingNotes(_ readings: [ColumnReading]) -> [String] {
    func names(_ isOne: (ColumnReading) -> Bool) -> [String] { readings.filter(isOne).map(\.name) }
    func has(_ remark: ColumnReading.Remark) -> (ColumnReading) -> Bool { { $0.remarks.contains(remark) } }
    func form(_ isOne: @escaping (NumberForm) -> Bool) -> (ColumnReading) -> Bool {
      { if case .numbers(let form) = $0.content { isOne(form) } else { false } }
    }
    let kinds: [(String, [String])] = [
      ("decimal commas", names(has(.decimalCommas))), ("marks between thousands", names(has(.groups))),
      ("brackets for what is below zero", names(has(.brackets))),
      ("percent", names(form { $0 == .unit("%") })),
      ("a currency", names(form { if case .unit(let unit) = $0 { unit != "%" } else { false } })),
    ]
    var notes = kinds.filter { !$0.1.isEmpty }.map { "numbers with \($0.0): \(list($0.1))" }
    let commas = names(has(.ambiguousCommas(readAsDecimal: true)))
    let groups = names(has(.ambiguousCommas(readAsDecimal: false)))
    if !commas.isEmpty {
      notes.append(
        "marks before three digits taken for decimal commas or, where points, thousands: \(list(commas))")
    }
    if !groups.isEmpty {
      notes.append("commas before three digits taken for marks of thousands: \(list(groups))")
    }
    let moments = names(form(\.isMoment))
    if !moments.isEmpty { notes.append("dates or times: \(list(moments))") }
    let day = names(has(.ambiguousDates(dayIsFirst: true)))
    let month = names(has(.ambiguousDates(dayIsFirst: false)))
    if !day.isEmpty {
      notes.append("dates that could put the month first, read with the day first: \(list(day))")
    }
    if !month.isEmpty {
      notes.append("dates that could put the day first, read with the month first: \(list(month))")
    }
    return notes
  }

  /// What a column holds, for a list of columns.
  static func content(_ reading: ColumnReading) -> String {
    switch reading.content {
    case .numbers(.number): "numbers"
    case .numbers(.unit("%")): "numbers in percent"
    case .numbers(.unit(let unit)): "numbers in \(unit)"
    case .numbers(.date): "dates"
    case .numbers(.dateTime): "dates with times"
    case .numbers(.time): "times of day"
    case .numbers(.part): "a part of a date"
    case .categories(let count): "\(count) categories"
    case .leftOut(.excluded): "left out, as asked"
    case .leftOut(.rowNumbers): "left out: row numbers"
    case .leftOut(.identifier): "left out: an identifier"
    case .leftOut(.uniqueTexts(let different, let cells)):
      "left out: \(different) different texts in \(cells) cells"
    case .leftOut(.empty): "left out: no cell holds anything"
    }
  }

  /// A remark as a few words, for a list of columns.
  static func text(_ remark: ColumnReading.Remark) -> String {
    switch remark {
    case .decimalCommas: "decimal commas"
    case .groups: "marks between thousands"
    case .brackets: "brackets for what is below zero"
    case .ambiguousCommas(true):
      "marks before three digits taken for decimal commas or, where points, thousands"
    case .ambiguousCommas(false): "commas before three digits taken for marks of thousands"
    case .ambiguousDates(true): "day and month could be the other way round: read with the day first"
    case .ambiguousDates(false): "day and month could be the other way round: read with the month first"
    case .mixed(let number, let text): "numbers and text mixed (\(number), \(text))"
    case .strays(let texts, let cells, let line):
      "\(count(cells, "cell")) with \(quoted(texts)) read as missing, first on line \(line)"
    case .fine: "more digits than float32 holds: values are kept apart"
    case .parts(let names): "also as \(list(names))"
    }
  }

  /// "1 row", "2 rows".
  static func count(_ count: Int, _ noun: String) -> String { count == 1 ? "1 \(noun)" : "\(count) \(noun)s" }

  private static func quoted(_ texts: [String]) -> String {
    texts.map { "'\($0.prefix(40))'" }.joined(separator: ", ")
  }

  private static func list(_ names: [String]) -> String {
    names.prefix(6).joined(separator: ", ") + (names.count > 6 ? " and \(names.count - 6) more" : "")
  }
}
