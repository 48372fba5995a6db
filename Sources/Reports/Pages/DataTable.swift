// Tables that sort and filter.

import Files

/// A table of cells with headings.
public struct DataTable: Sendable {
  /// A cell: what is shown, and the number that it sorts by.
  public struct Cell: Sendable {
    var text: String
    var value: Double?

    /// Text.
    public init(_ text: String) { self.text = text }

    /// A number, shown with so many decimals.
    public init(_ value: Double?, decimals: Int = 3) {
      text = value.map { $0.isFinite ? $0.text(decimals: decimals) : "\($0)" } ?? ""
      self.value = value
    }

    /// A whole number.
    public init(_ value: Int) {
      text = "\(value)"
      self.value = Double(value)
    }

    /// What is shown, sorted by a number that is not.
    public init(_ text: String, by value: Double) {
      self.text = text
      self.value = value
    }
  }

  /// The id of the table in its page.
  public var id: String
  /// What the rows are.
  public var caption: String
  /// The headings.
  public var header: [String]
  /// The rows, each as long as the headings.
  public var rows: [[Cell]]

  /// A table.
  public init(id: String, caption: String, header: [String], rows: [[Cell]]) {
    precondition(rows.allSatisfy { $0.count == header.count }, "rows of another length than \(header)")
    self.id = id
    self.caption = caption
    self.header = header
    self.rows = rows
  }

  /// The table, with a field to filter it by where it is long.
  public var html: HTML {
    let isNumber = header.indices.map { column in rows.contains { $0[column].value != nil } }
    func kind(_ column: Int) -> String { isNumber[column] ? "n" : "t" }
    let heads = header.enumerated().map { column, name in
      HTML.element(
        "th", ["scope": "col", "class": kind(column)], [.element("button", ["type": "button"], name)])
    }
    let body = rows.map { row in
      HTML.element(
        "tr",
        row.enumerated().map { column, cell in
          guard let value = cell.value, value.isFinite else {
            return .element("td", ["class": kind(column)], cell.text)
          }
          return .element("td", ["class": kind(column), "data-value": "\(value)"], cell.text)
        })
    }
    let table = HTML.element(
      "table", ["class": "data", "id": id],
      [
        .element("caption", caption), .element("thead", [.element("tr", heads)]), .element("tbody", body),
      ])
    let filter =
      rows.count > 12
      ? [
        HTML.element(
          "label",
          [
            HTML("Show rows with "),
            HTML(trusted: "<input type=\"search\" data-filter=\"\(escaped(id))\">"),
          ])
      ] : []
    return HTML(
      filter + [
        .element("div", ["class": "rows", "tabindex": "0", "role": "group", "aria-label": caption], [table])
      ])
  }
}
