// Directions of probes as tokens, and the columns by which tables say where.

import Probes
import Reports

/// Directions of probes in tokens.
struct ProbeDirections {
  struct Row {
    var place: Place
    var className: String
    var raises: String
    var lowers: String
  }

  var rows: [Row]
  var isEmpty: Bool { rows.isEmpty }

  /// kind, layer, head, position, class, raises, lowers.
  func table() -> CSVDocument {
    var document = CSVDocument(header: Place.header + ["class", "raises", "lowers"])
    for row in rows {
      document.append(row.place.cells + [.text(row.className), .text(row.raises), .text(row.lowers)])
    }
    return document
  }

  /// Those of some places for a terminal.
  func lines(of probes: [PlaceProbe]) -> [String] {
    probes.flatMap { probe in
      rows.filter { $0.place == probe.place }.prefix(3).map { row in
        "\(row.place.name), \(row.className): raises \(row.raises); lowers \(row.lowers)"
      }
    }
  }
}

extension Place {
  /// The columns that say where.
  static let header = ["kind", "layer", "head", "position"]

  /// A row's cells under them.
  var cells: [CSVCell] {
    [
      .text(kind.rawValue), .integer(layer), head.map { .integer($0) } ?? .empty,
      position.map { .integer($0) } ?? .empty,
    ]
  }
}
