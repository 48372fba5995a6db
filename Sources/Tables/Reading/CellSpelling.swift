// Cells that are numbers or moments without looking like a program's numbers, and how a column's spelling is guessed.

/// How the cells of a column that are no plain numbers are read as numbers.
enum CellSpelling: Sendable, Equatable {
  case number(NumberSpelling)
  case date(DateSpelling, hasTime: Bool)
  case time

  /// The number a cell holds; nil where it is not written so.
  func value(_ text: String) -> Double? {
    switch self {
    case .number(let spelling): return spelling.value(text)
    case .date(let spelling, let hasTime):
      guard let moment = spelling.moment(text) else { return nil }
      if hasTime { return moment.total }
      return moment.seconds == nil ? moment.days.map(Double.init) : nil
    case .time: return DateSpelling.time(Array(text.utf8)[...])
    }
  }

  /// How the column's numbers are to be written.
  var form: NumberForm {
    switch self {
    case .number(let spelling): spelling.unit.map { .unit($0) } ?? .number
    case .date(let spelling, let hasTime): hasTime ? .dateTime(spelling) : .date(spelling)
    case .time: .time
    }
  }
}

/// What is known of a table when a column's spelling is guessed.
struct SpellingHints {
  /// Whether some column can only be read with decimal commas.
  var hasDecimalCommas = false
  /// Whether cells are separated by semicolons, as where commas are decimal marks.
  var isSeparatedBySemicolons = false
  /// Whether dates of this table have been seen to put the day first.
  var dayIsFirst = false

  fileprivate var prefersCommas: Bool { hasDecimalCommas || isSeparatedBySemicolons }
}

/// A guess at a column's spelling.
struct SpellingGuess {
  var spelling: CellSpelling
  /// Whether another reading fits as well.
  var isAmbiguous = false

  /// The spelling in which all of `texts` can be read; nil where there is none.
  init?(_ texts: [String], _ hints: SpellingHints) {
    guard !texts.isEmpty else { return nil }
    if let found = Self.number(texts, hints) ?? Self.moment(texts, hints) { self = found } else { return nil }
  }

  private init(_ spelling: CellSpelling, isAmbiguous: Bool = false) {
    self.spelling = spelling
    self.isAmbiguous = isAmbiguous
  }

  private static func number(_ texts: [String], _ hints: SpellingHints) -> SpellingGuess? {
    var spelling = NumberSpelling()
    var (points, commas, eitherPoints, eitherCommas) = (0, 0, 0, 0)
    for text in texts {
      guard let parts = NumberSpelling.parts(text) else { return nil }
      if let unit = parts.unit {
        guard spelling.unit == nil || spelling.unit == unit else { return nil }
        spelling.unit = unit
      }
      if parts.isBracketed { spelling.hasBrackets = true }
      if parts.digits.contains(UInt8(ascii: "'")) { spelling.hasGroups = true }
      switch NumberSpelling.evidence(parts.digits) {
      case .point:
        points += 1
        if parts.digits.contains(0x2c) { spelling.hasGroups = true }
      case .comma:
        commas += 1
        if parts.digits.contains(0x2e) { spelling.hasGroups = true }
      case .either: if parts.digits.contains(0x2c) { eitherCommas += 1 } else { eitherPoints += 1 }
      case .neither: break
      }
    }
    guard points == 0 || commas == 0 else { return nil }
    let isAmbiguous = points == 0 && commas == 0 && eitherCommas + eitherPoints > 0
    if commas > 0 || (isAmbiguous && hints.prefersCommas) {
      spelling.decimal = .comma
      // A single point before three digits is a mark of thousands here; a column of such points alone says nothing.
      spelling.hasGroups = spelling.hasGroups || eitherPoints > 0
    } else {
      spelling.hasGroups = spelling.hasGroups || eitherCommas > 0
    }
    guard texts.allSatisfy({ spelling.value($0) != nil }) else { return nil }
    return SpellingGuess(.number(spelling), isAmbiguous: isAmbiguous && eitherCommas > 0)
  }

  private static func moment(_ texts: [String], _ hints: SpellingHints) -> SpellingGuess? {
    if texts.allSatisfy({ DateSpelling.time(Array($0.utf8)[...]) != nil }) { return SpellingGuess(.time) }
    var fitting: [(DateSpelling, Bool)] = []
    for spelling in DateSpelling.all {
      let moments = texts.map { spelling.moment($0) }
      guard moments.allSatisfy({ $0 != nil }) else { continue }
      fitting.append((spelling, moments.contains { $0?.seconds != nil }))
    }
    guard var chosen = fitting.first else { return nil }
    // 03/04/2024 is read with the month first, 03.04.2024 and 03-04-2024 with the day first, as most who write so.
    let dayFirst = fitting.first { $0.0.order == .dayMonthYear }
    let isAmbiguous = chosen.0.order == .monthDayYear && dayFirst != nil && !chosen.0.hasMonthName
    if isAmbiguous, let dayFirst, hints.dayIsFirst || chosen.0.mark != "/" { chosen = dayFirst }
    return SpellingGuess(.date(chosen.0, hasTime: chosen.1), isAmbiguous: isAmbiguous)
  }
}
