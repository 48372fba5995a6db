// A file as features, or as features and a target.

import Files

extension Features {
  /// Reads every column of a CSV or TSV file (gzip or not) as a feature.
  /// - Throws: `FileError`, or `TableError` naming line and column.
  public init(readingFrom path: String, options: TableOptions = TableOptions()) throws {
    let columns = try readColumns(path: path, target: nil, options: options)
    self.init(names: columns.names, kinds: columns.kinds, rowCount: columns.rowCount, values: columns.values)
  }
}

extension Table {
  /// Reads a CSV or TSV file, gzip or not, with one column as the target.
  ///
  /// Rows whose target is missing are left out. Text becomes categories; columns of more different texts than
  /// `options.categoryLimit` are taken for identifiers and left out.
  /// - Parameter target: the target column's name; nil for the last column.
  /// - Throws: `FileError`, or `TableError` naming line and column.
  public init(readingFrom path: String, target: String? = nil, options: TableOptions = TableOptions()) throws
  {
    var columns = try readColumns(path: path, target: target, options: options)
    guard let place = target.map({ columns.names.firstIndex(of: $0) }) ?? columns.names.indices.last else {
      throw TableError.noSuchColumn(
        path: path, name: target ?? "", nearest: target.flatMap { nearestColumn($0, columns.names) })
    }
    guard columns.names.count > 1 else { throw TableError.noFeatures(path: path) }
    let rowCount = columns.rowCount
    let cells = Array(columns.values[place * rowCount..<(place + 1) * rowCount])
    columns.values.removeSubrange(place * rowCount..<(place + 1) * rowCount)
    let kind = columns.kinds.remove(at: place)
    let name = columns.names.remove(at: place)
    var features = Features(
      names: columns.names, kinds: columns.kinds, rowCount: rowCount, values: columns.values)
    let known = cells.indices.filter { !cells[$0].isNaN }
    guard !known.isEmpty else { throw TableError.targetMissing(path: path, name: name) }
    if known.count < rowCount { features = features.selecting(rows: known) }
    let target = try Target(
      cells: known.count < rowCount ? known.map { cells[$0] } : cells, kind: kind, task: options.task,
      path: path, name: name)
    self.init(
      features: features, target: target, targetName: name, rowsWithoutTarget: rowCount - known.count,
      identifierColumns: columns.identifiers, repeatedNames: columns.repeatedNames)
    returnFreedMemory()
  }
}

extension Target {
  /// A target from a column without missing cells.
  init(cells: [Float], kind: FeatureKind, task: TableOptions.Task, path: String, name: String)
    throws(TableError)
  {
    if case .categorical(let names) = kind {
      guard task != .regression else { throw .targetNotNumeric(path: path, name: name) }
      // A category of which no row has kept its target is no class.
      self = .classes(cells.map { Int($0) }, names: names)
      return
    }
    let distinct = Set(cells).sorted()
    let areWhole = distinct.allSatisfy { $0 == $0.rounded() }
    switch task {
    case .regression: self = .values(cells)
    case .detected where !areWhole || distinct.count > 20: self = .values(cells)
    case .detected, .classification:
      guard distinct.count <= 1000 else { throw .tooManyClasses(path: path, name: name, limit: 1000) }
      let places = Dictionary(zip(distinct, 0...), uniquingKeysWith: { first, _ in first })
      self = .classes(cells.map { places[$0] ?? 0 }, names: distinct.map(className))
    }
  }
}

/// A class that is a number, as text: `3` rather than `3.0`.
private func className(_ value: Float) -> String {
  value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
}
