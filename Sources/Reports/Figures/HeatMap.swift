// A table of numbers as coloured cells, in SVG.

/// Numbers by row and column, drawn as cells: blue below zero, orange above, white at zero.
public struct HeatMap: Figure {
  /// What the picture shows.
  public var title: String
  /// What the rows are.
  public var rowTitle: String
  /// What the columns are.
  public var columnTitle: String
  /// Names of rows, from the top.
  public var rows: [String]
  /// Names of columns, from the left.
  public var columns: [String]
  /// `[row][column]`; nil for an empty cell.
  public var values: [[Double?]]
  /// Cells to be outlined.
  public var outlined: Set<[Int]> = []

  /// A heat map.
  public init(
    title: String, rowTitle: String, columnTitle: String, rows: [String], columns: [String],
    values: [[Double?]], outlined: Set<[Int]> = []
  ) {
    precondition(values.count == rows.count && values.allSatisfy { $0.count == columns.count })
    self.title = title
    self.rowTitle = rowTitle
    self.columnTitle = columnTitle
    self.rows = rows
    self.columns = columns
    self.values = values
    self.outlined = outlined
  }

  /// The picture; every cell says its value when pointed at.
  public var svg: String {
    let cell = 34.0
    let (left, top) = (90.0, 58.0)
    let largest = values.flatMap { $0 }.compactMap { $0 }.map(abs).max() ?? 0
    let legend = "\(columnTitle) across, \(rowTitle) down; the deepest colour is \(rounded(largest))"
    let width = max(
      left + cell * Double(columns.count) + 20, 8 + textWidth(title, size: 14),
      left + textWidth(legend, size: 11))
    let height = top + cell * Double(rows.count) + 44
    var text = """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(short(width))" height="\(short(height))" \
      viewBox="0 0 \(short(width)) \(short(height))" font-family="sans-serif" font-size="11" role="img" \
      aria-label="\(escaped(title))">
      <rect class="page" width="100%" height="100%" fill="#ffffff"/>
      <text class="ink" x="8" y="18" font-size="14" fill="#1a1a1a">\(escaped(title))</text>

      """
    for (column, name) in columns.enumerated() {
      let x = left + cell * (Double(column) + 0.5)
      text +=
        "<text class=\"ink\" x=\"\(short(x))\" y=\"\(short(top - 6))\" text-anchor=\"middle\" fill=\"#333333\">"
        + "\(escaped(name))</text>\n"
    }
    for (row, name) in rows.enumerated() {
      let y = top + cell * Double(row)
      text +=
        "<text class=\"ink\" x=\"\(short(left - 8))\" y=\"\(short(y + cell / 2 + 4))\" text-anchor=\"end\" "
        + "fill=\"#333333\">\(escaped(name))</text>\n"
      for (column, value) in values[row].enumerated() {
        guard let value else { continue }
        let x = left + cell * Double(column)
        let share = largest > 0 ? value / largest : 0
        let edge = outlined.contains([row, column])
        text +=
          "<rect class=\"cell\" tabindex=\"0\" x=\"\(short(x))\" y=\"\(short(y))\" width=\"\(short(cell - 1))\" "
          + "height=\"\(short(cell - 1))\" fill=\"\(colour(share))\" stroke=\"\(edge ? "#000000" : "#d0d0d0")\" "
          + "stroke-width=\"\(edge ? "2" : "0.5")\"><title>\(escaped(rowTitle)) \(escaped(name)), "
          + "\(escaped(columnTitle)) \(escaped(columns[column])): \(rounded(value))</title></rect>\n"
        text +=
          "<text x=\"\(short(x + cell / 2))\" y=\"\(short(y + cell / 2 + 3))\" text-anchor=\"middle\" "
          + "font-size=\"9\" fill=\"\(abs(share) > 0.6 ? "#ffffff" : "#333333")\" pointer-events=\"none\">"
          + "\(brief(value))</text>\n"
      }
    }
    text +=
      "<text class=\"ink\" x=\"\(short(left))\" y=\"\(short(height - 14))\" fill=\"#555555\">\(escaped(legend))</text>\n</svg>\n"
    return text
  }

  /// White at 0, orange at 1, blue at −1: told apart by colour-blind readers.
  private func colour(_ share: Double) -> String {
    let (red, green, blue) = share >= 0 ? (213.0, 94.0, 0.0) : (0.0, 90.0, 156.0)
    let weight = min(1, abs(share))
    func channel(_ value: Double) -> String {
      let level = Int((255 + (value - 255) * weight).rounded())
      let digits = String(level, radix: 16)
      return digits.count == 1 ? "0" + digits : digits
    }
    return "#" + channel(red) + channel(green) + channel(blue)
  }

  private func rounded(_ value: Double) -> String { "\((value * 1e4).rounded() / 1e4)" }

  private func brief(_ value: Double) -> String {
    let text = "\((value * 100).rounded() / 100)"
    return text.hasPrefix("0.")
      ? String(text.dropFirst()) : text.hasPrefix("-0.") ? "−" + text.dropFirst(2) : text
  }
}
