// What a column's numbers stand for: how they were written in the file, and so how they are written in texts.

/// How the numbers of a column are written.
public enum NumberForm: Sendable, Equatable {
  /// As numbers.
  case number
  /// As numbers with a unit before or after them: `$`, `€`, `%`.
  case unit(String)
  /// As dates; cells are days since 1970-01-01.
  case date(DateSpelling)
  /// As dates with a time of day; cells are seconds since 1970-01-01 00:00.
  case dateTime(DateSpelling)
  /// As times of day; cells are seconds since midnight.
  case time
  /// A part of the date or time in another column.
  case part(DatePart, of: String)

  /// Whether a cell is a moment rather than a quantity.
  public var isMoment: Bool {
    switch self {
    case .date, .dateTime, .time: true
    case .number, .unit, .part: false
    }
  }

  /// A value as a reader would write it.
  public func text(_ value: Double) -> String {
    switch self {
    case .number, .part: plainText(value)
    case .unit("%"): plainText(value) + " %"
    case .unit(let unit): unit.count == 1 ? unit + plainText(value) : plainText(value) + " " + unit
    case .date(let spelling): spelling.text(days: value)
    case .dateTime(let spelling): spelling.text(seconds: value)
    case .time: DateSpelling.timeText(seconds: value)
    }
  }
}

/// A number without an exponent where it has at most 17 digits, and without a needless ".0".
public func plainText(_ value: Double) -> String {
  guard value.isFinite else { return value.isNaN ? "missing" : value < 0 ? "−∞" : "∞" }
  if value == value.rounded(), abs(value) < 1e17 { return "\(Int(value))" }
  let text = "\(value)"
  guard text.contains("e-"), abs(value) >= 1e-7, let mark = text.firstIndex(of: "e") else { return text }
  // 2.5e-05 as 0.000025
  guard let exponent = Int(text[text.index(after: mark)...]) else { return text }
  let digits = text[..<mark].filter { $0 != "." && $0 != "-" }
  let trimmed = digits.hasSuffix("0") && digits.count > 1 ? String(digits.dropLast()) : String(digits)
  return (value < 0 ? "-" : "") + "0." + String(repeating: "0", count: -exponent - 1) + trimmed
}

/// A part of a date or time that may matter by itself.
public enum DatePart: String, Sendable, Equatable, CaseIterable {
  /// The month, 1 to 12.
  case month
  /// The day of the week, Monday to Sunday.
  case weekday
  /// The hour of the day, 0 to 23.
  case hour

  /// The names of the days of the week, Monday first.
  public static let weekdays = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

  /// The column whose part has a name; nil for other names.
  public static func column(ofPart name: String) -> String? {
    allCases.lazy.compactMap { part in
      name.hasSuffix("." + part.rawValue) ? String(name.dropLast(part.rawValue.count + 1)) : nil
    }.first
  }

  /// How the part's cells are to be read.
  public var kind: FeatureKind { self == .weekday ? .categorical(Self.weekdays) : .numeric }

  /// The part of a moment in seconds since 1970-01-01 00:00; NaN stays.
  public func cell(seconds: Double) -> Float {
    guard seconds.isFinite, abs(seconds) < 1e14 else { return .nan }
    let days = Int((seconds / 86_400).rounded(.down))
    switch self {
    case .month: return Float(CivilDate(daysSince1970: days).month)
    // 1970-01-01 was a Thursday.
    case .weekday: return Float(((days + 3) % 7 + 7) % 7)
    case .hour: return Float(Int(seconds - Double(days) * 86_400) / 3600)
    }
  }
}
