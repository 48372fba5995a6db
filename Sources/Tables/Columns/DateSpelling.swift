// Dates and times as people and programs write them.

/// How a column writes its dates.
public struct DateSpelling: Sendable, Equatable, Hashable {
  /// The order of day, month and year.
  public enum Order: String, Sendable, Hashable, CaseIterable {
    /// 2024-03-31
    case yearMonthDay
    /// 31/03/2024
    case dayMonthYear
    /// 03/31/2024
    case monthDayYear
  }

  /// The order of the three numbers.
  public var order: Order
  /// What stands between them.
  public var mark: Character
  /// Whether the month is written by its name.
  public var hasMonthName = false

  /// A spelling.
  public init(order: Order, mark: Character, hasMonthName: Bool = false) {
    self.order = order
    self.mark = mark
    self.hasMonthName = hasMonthName
  }

  /// A moment read from a text.
  struct Moment: Equatable {
    /// Days since 1970-01-01; nil where there is only a time of day.
    var days: Int?
    /// Seconds since midnight (of Greenwich where a zone is given); nil where there is only a date.
    var seconds: Double?

    /// Seconds since 1970-01-01 00:00, or since midnight.
    var total: Double { Double(days ?? 0) * 86_400 + (seconds ?? 0) }
  }

  static let monthNames = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
  ]
  private static let longMonthNames = [
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
    "november", "december",
  ]

  /// Reads a date, with or without a time, in this spelling; nil where the text is none.
  func moment(_ text: String) -> Moment? {
    let bytes = Array(text.utf8)
    guard bytes.count >= 6, bytes.count <= 40 else { return nil }
    guard let (days, end) = date(bytes) else { return nil }
    if end == bytes.count { return Moment(days: days, seconds: nil) }
    // After the date a blank or a T, and a time.
    guard bytes[end] == 0x20 || bytes[end] | 0x20 == UInt8(ascii: "t") else { return nil }
    var start = end + 1
    while start < bytes.count, bytes[start] == 0x20 { start += 1 }
    guard let seconds = Self.time(bytes[start...]) else { return nil }
    return Moment(days: days, seconds: seconds)
  }

  /// The day a text begins with, and where it ends.
  private func date(_ bytes: [UInt8]) -> (days: Int, end: Int)? {
    var parts: [(value: Int, width: Int, isName: Bool)] = []
    var at = 0
    while parts.count < 3 {
      let start = at
      if at < bytes.count, Self.isLetter(bytes[at]) {
        while at < bytes.count, Self.isLetter(bytes[at]) { at += 1 }
        let word = String(decoding: bytes[start..<at], as: UTF8.self).lowercased()
        guard let month = Self.monthNames.firstIndex(of: word) ?? Self.longMonthNames.firstIndex(of: word)
        else { return nil }
        parts.append((month + 1, at - start, true))
      } else {
        var value = 0
        while at < bytes.count, bytes[at] &- 48 <= 9, at - start < 5 {
          value = value * 10 + Int(bytes[at] - 48)
          at += 1
        }
        guard at > start else { return nil }
        parts.append((value, at - start, false))
      }
      guard parts.count < 3 else { break }
      if hasMonthName {
        // "3 March 2024", "3-Mar-2024", "March 3, 2024": a mark, a comma, blanks.
        let gap = at
        while at < bytes.count,
          bytes[at] == 0x20 || bytes[at] == 0x2c || bytes[at] == 0x2e || bytes[at] == 0x2d
            || bytes[at] == 0x2f
        {
          at += 1
        }
        guard at > gap else { return nil }
      } else {
        guard at < bytes.count, Character(Unicode.Scalar(bytes[at])) == mark else { return nil }
        at += 1
      }
    }
    let places =
      switch order {
      case .yearMonthDay: (0, 1, 2)
      case .dayMonthYear: (2, 1, 0)
      case .monthDayYear: (2, 0, 1)
      }
    let (year, month, day) = (parts[places.0], parts[places.1], parts[places.2])
    guard month.isName == hasMonthName, !year.isName, !day.isName, day.width <= 2,
      month.isName || month.width <= 2
    else { return nil }
    var number = year.value
    switch year.width {
    case 4: break
    // Two digits: 69 to 99 are of the last century, as POSIX has it.
    case 2: number += number < 69 ? 2000 : 1900
    default: return nil
    }
    guard let date = CivilDate(year: number, month: month.value, day: day.value) else { return nil }
    return (date.daysSince1970, at)
  }

  private static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 97 < 26 }

  /// A time of day: `7:05`, `07:05:30`, `07:05:30.25`, `7:05 PM`, with Z or an offset such as `+02:00`.
  static func time(_ bytes: ArraySlice<UInt8>) -> Double? {
    var at = bytes.startIndex
    func number(_ most: Int) -> Int? {
      let start = at
      var value = 0
      while at < bytes.endIndex, bytes[at] &- 48 <= 9, at - start < most {
        value = value * 10 + Int(bytes[at] - 48)
        at += 1
      }
      return at > start ? value : nil
    }
    func take(_ byte: UInt8) -> Bool {
      guard at < bytes.endIndex, bytes[at] == byte else { return false }
      at += 1
      return true
    }
    guard var hour = number(2), hour <= 24, take(UInt8(ascii: ":")), let minute = number(2), minute < 60
    else {
      return nil
    }
    var seconds = 0.0
    if take(UInt8(ascii: ":")) {
      guard let whole = number(2), whole <= 60 else { return nil }
      seconds = Double(whole)
      if take(UInt8(ascii: ".")) || take(UInt8(ascii: ",")) {
        var scale = 1.0
        var fraction = 0.0
        let start = at
        while at < bytes.endIndex, bytes[at] &- 48 <= 9 {
          fraction = fraction * 10 + Double(bytes[at] - 48)
          scale *= 10
          at += 1
        }
        guard at > start else { return nil }
        seconds += fraction / scale
      }
    }
    while take(0x20) {}
    if at + 1 < bytes.endIndex, bytes[at + 1] | 0x20 == UInt8(ascii: "m"), hour <= 12 {
      let half = bytes[at] | 0x20
      guard half == UInt8(ascii: "a") || half == UInt8(ascii: "p") else { return nil }
      hour = hour % 12 + (half == UInt8(ascii: "p") ? 12 : 0)
      at += 2
    }
    var total = Double(hour) * 3600 + Double(minute) * 60 + seconds
    if at < bytes.endIndex {
      if bytes[at] | 0x20 == UInt8(ascii: "z") {
        at += 1
      } else if bytes[at] == UInt8(ascii: "+") || bytes[at] == UInt8(ascii: "-") {
        let sign = bytes[at] == UInt8(ascii: "-") ? -1.0 : 1.0
        at += 1
        guard let hours = number(2) else { return nil }
        _ = take(UInt8(ascii: ":"))
        total -= sign * (Double(hours) * 3600 + Double(number(2) ?? 0) * 60)
      }
    }
    return at == bytes.endIndex ? total : nil
  }

  /// The spellings that are tried. A year of four digits cannot be mistaken for a day; of two it hardly ever stands first:
  /// 22-May-15 and 22.05.15 begin with the day.
  static let all: [DateSpelling] =
    ["/", ".", "-"].flatMap {
      [DateSpelling(order: .monthDayYear, mark: $0), DateSpelling(order: .dayMonthYear, mark: $0)]
    }
    + ["-", "/", "."].map { DateSpelling(order: .yearMonthDay, mark: $0) }
    + [Order.dayMonthYear, .monthDayYear, .yearMonthDay].map {
      DateSpelling(order: $0, mark: " ", hasMonthName: true)
    }

  // MARK: - Writing

  private static func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }

  /// A day in this spelling.
  public func text(days: Double) -> String {
    guard days.isFinite, abs(days) < 3_000_000 else { return plainText(days) }
    let date = CivilDate(daysSince1970: Int(days.rounded(.down)))
    let year = String(repeating: "0", count: max(0, 4 - "\(date.year)".count)) + "\(date.year)"
    let day = Self.two(date.day)
    guard !hasMonthName else {
      let name = Self.monthNames[date.month - 1]
      return "\(day) \(name.prefix(1).uppercased())\(name.dropFirst()) \(year)"
    }
    let month = Self.two(date.month)
    switch order {
    case .yearMonthDay: return "\(year)\(mark)\(month)\(mark)\(day)"
    case .dayMonthYear: return "\(day)\(mark)\(month)\(mark)\(year)"
    case .monthDayYear: return "\(month)\(mark)\(day)\(mark)\(year)"
    }
  }

  /// A moment in this spelling, with its time of day.
  public func text(seconds: Double) -> String {
    guard seconds.isFinite, abs(seconds) < 2.6e11 else { return plainText(seconds) }
    let days = (seconds / 86_400).rounded(.down)
    return text(days: days) + " " + Self.timeText(seconds: seconds - days * 86_400)
  }

  /// A time of day: `07:05`, or `07:05:30` where there are seconds.
  public static func timeText(seconds: Double) -> String {
    guard seconds.isFinite, abs(seconds) < 1e9 else { return plainText(seconds) }
    let whole = Int(seconds.rounded(.down))
    let text = "\(two(whole / 3600)):\(two(whole / 60 % 60))"
    let rest = seconds - Double(whole)
    if rest > 0 {
      let micro = Int((rest * 1e6).rounded())
      let digits = String(repeating: "0", count: max(0, 6 - "\(micro)".count)) + "\(micro)"
      return text + ":\(two(whole % 60)).\(digits)"
    }
    return whole % 60 == 0 ? text : text + ":\(two(whole % 60))"
  }
}
