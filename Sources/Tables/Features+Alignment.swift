// A model's features found in another table: columns by name, categories by name.

import Files

extension Features {
  /// The columns called `names`, in that order, with categories counted as in `kinds`.
  ///
  /// Columns that are not asked for are left out. A category that `kinds` does not know becomes the first index past
  /// the known ones, which every tree treats as "not in the set".
  /// - Throws: `TableError.missingFeature` where a column is not there, `.wrongKind` where it holds text but numbers
  ///   are needed or the other way round.
  public func aligned(to names: [String], kinds: [FeatureKind]) throws(TableError) -> Features {
    if self.names == names, self.kinds == kinds { return self }
    var places: [String: Int] = [:]
    for (place, name) in self.names.enumerated() where places[name] == nil { places[name] = place }
    var columns: [Int] = []
    for name in names {
      guard let place = places[name] else {
        throw .missingFeature(name, nearest: nearestWord(to: name, among: self.names))
      }
      columns.append(place)
    }
    var values: [Float] = []
    values.reserveCapacity(names.count * rowCount)
    for (index, column) in columns.enumerated() {
      switch (self.kinds[column], kinds[index]) {
      case (.numeric, .numeric): values += self.column(column)
      case (.categorical(let own), .categorical(let wanted)):
        if own == wanted {
          values += self.column(column)
        } else {
          let codes = Dictionary(zip(wanted, 0...), uniquingKeysWith: { first, _ in first })
          let moved = own.map { Float(codes[$0] ?? wanted.count) }
          values += self.column(column).lazy.map { $0.isNaN ? .nan : moved[Int($0)] }
        }
      case (.categorical, .numeric): throw .wrongKind(feature: names[index], wantsNumbers: true)
      case (.numeric, .categorical): throw .wrongKind(feature: names[index], wantsNumbers: false)
      }
    }
    return Features(names: names, kinds: kinds, rowCount: rowCount, values: values)
  }
}
