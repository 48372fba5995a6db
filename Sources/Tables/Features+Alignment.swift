// A model's features found in another table: columns by name, categories by name.

extension Features {
  /// The columns called `names`, in that order, with categories counted as in `kinds`.
  ///
  /// Columns that are not asked for are left out; for names that differ in blanks or marks see `FeatureMatches`. A
  /// category that `kinds` does not know becomes the first index past the known ones, which every tree treats as "not
  /// in the set". True and false are 1 and 0 where numbers are needed; numbers are the categories of their value where
  /// categories are needed that are called by numbers.
  /// - Throws: `TableError.missingFeature` where a column is not there, `.wrongKind` where it holds text but numbers
  ///   are needed or the other way round.
  public func aligned(to names: [String], kinds: [FeatureKind]) throws(TableError) -> Features {
    if self.names == names, self.kinds == kinds { return self }
    let columns = try FeatureMatches(names, among: self.names).places
    var values: [Float] = []
    values.reserveCapacity(names.count * rowCount)
    for (index, column) in columns.enumerated() {
      guard let cells = recoded(self.column(column), of: column, as: kinds[index]) else {
        throw .wrongKind(feature: names[index], wantsNumbers: kinds[index] == .numeric)
      }
      values += cells
    }
    return Features(
      names: names, kinds: kinds, rowCount: rowCount, values: values, forms: Self.moved(forms, to: columns),
      scales: Self.moved(scales, to: columns))
  }

  /// Cells of a feature as a model counts them; nil where they cannot be: texts where numbers are needed.
  public func recoded(_ cells: [Float], of feature: Int, as wanted: FeatureKind) -> [Float]? {
    // A column of which nothing is known here is of any kind.
    if cells.allSatisfy(\.isNaN) { return cells }
    switch (kinds[feature], wanted) {
    case (.numeric, .numeric): return cells
    case (.categorical(let own), .categorical(let names)):
      if own == names { return cells }
      let codes = CategoryCodes(names)
      let moved = own.map { Float(codes[$0] ?? names.count) }
      return cells.map { cell in
        cell.isNaN ? .nan : moved.indices.contains(Int(cell)) ? moved[Int(cell)] : Float(names.count)
      }
    case (.categorical(let own), .numeric):
      guard let moved = Self.truths(own) else { return nil }
      return cells.map { cell in
        cell.isNaN ? .nan : moved.indices.contains(Int(cell)) ? moved[Int(cell)] : .nan
      }
    case (.numeric, .categorical(let names)):
      let codes = CategoryCodes(names)
      guard codes.areNumbers else { return nil }
      return cells.map { cell in
        cell.isNaN ? .nan : Float(codes[exactValue(cell, of: feature)] ?? names.count)
      }
    }
  }

  /// 1 for true and 0 for false; nil where categories are called anything else.
  private static func truths(_ names: [String]) -> [Float]? {
    var numbers: [Float] = []
    for name in names {
      switch name.lowercased() {
      case "true": numbers.append(1)
      case "false": numbers.append(0)
      default: return nil
      }
    }
    return numbers
  }
}

/// The codes of a model's categories, found by name or by the number that a name is.
public struct CategoryCodes {
  private var byName: [String: Int] = [:]
  private var byNumber: [Double: Int] = [:]
  private let count: Int

  init(_ names: [String]) {
    count = names.count
    for (code, name) in names.enumerated() {
      if byName[name] == nil { byName[name] = code }
      if let number = Self.number(name), byNumber[number] == nil { byNumber[number] = code }
    }
  }

  /// Whether every category is called by a number of its own.
  var areNumbers: Bool { byNumber.count == count }

  /// The number that a name is. True and false are 1 and 0: pandas keeps such categories as truth values.
  public static func number(_ name: String) -> Double? {
    switch name {
    case "True", "true": 1
    case "False", "false": 0
    default: Double(name)
    }
  }

  subscript(_ name: String) -> Int? { byName[name] ?? Self.number(name).flatMap { byNumber[$0] } }
  subscript(_ number: Double) -> Int? { byNumber[number] }
}
