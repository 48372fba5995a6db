// A model's names of features among a table's: libraries change names that they cannot write down.

import Files

/// Which columns of a table a model's names mean.
public struct FeatureMatches: Sendable, Equatable {
  /// For every name asked for, its column.
  public let places: [Int]
  /// Names that the table writes differently: the model's name, and the table's.
  public let renamed: [(model: String, table: String)]

  /// Finds every name: as it is, else the only column that differs in blanks, marks or capitals alone.
  ///
  /// LightGBM makes blanks underscores, and its users often take out all marks, which it does not allow in names.
  /// - Throws: `TableError.missingFeature`.
  public init(_ names: [String], among columns: [String]) throws(TableError) {
    var exact: [String: Int] = [:]
    for (place, name) in columns.enumerated() where exact[name] == nil { exact[name] = place }
    var places: [Int] = []
    var renamed: [(model: String, table: String)] = []
    var looseColumns: [[String: [Int]]]?
    let taken = Set(names)
    for name in names {
      if let place = exact[name] {
        places.append(place)
        continue
      }
      let loose =
        looseColumns
        ?? Self.forms.map { form in
          Dictionary(grouping: columns.indices.filter { !taken.contains(columns[$0]) }) { form(columns[$0]) }
        }
      looseColumns = loose
      let found = zip(Self.forms, loose).lazy.compactMap { form, table -> Int? in
        guard let candidates = table[form(name)], candidates.count == 1, !form(name).isEmpty else {
          return nil
        }
        return candidates[0]
      }.first
      guard let found else {
        throw .missingFeature(name, nearest: nearestWord(to: name, among: columns))
      }
      places.append(found)
      renamed.append((name, columns[found]))
    }
    self.places = places
    self.renamed = renamed
  }

  /// Forms of a name that keep less and less of it.
  private static let forms: [@Sendable (String) -> String] = [
    { String($0.map { $0.isLetter || $0.isNumber ? $0 : "_" }) },
    { String($0.filter { $0.isLetter || $0.isNumber }) },
    { String($0.filter { $0.isLetter || $0.isNumber }).lowercased() },
  ]

  /// Whether both say the same.
  public static func == (left: FeatureMatches, right: FeatureMatches) -> Bool {
    left.places == right.places && left.renamed.elementsEqual(right.renamed) { $0 == $1 }
  }
}
