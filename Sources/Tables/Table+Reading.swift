// A file as features, or as features and a target.

import Files

extension Features {
  /// Reads every column of a file as a feature, identifiers too; parts of dates only where they are named.
  /// - Throws: `FileError`, or `TableError` naming line and column.
  public init(readingFrom path: String, options: TableOptions = TableOptions()) throws {
    var options = options
    options.identifiers = .kept
    if options.dates == .withParts { options.dates = .asNumbers }
    self.init(try readColumns(path: path, target: .none, options: options))
  }

  init(_ columns: ParsedColumns) {
    self.init(
      names: columns.names, kinds: columns.kinds, rowCount: columns.rowCount, values: columns.values,
      forms: columns.forms, scales: columns.scales)
  }
}

/// The names of a file's columns, in order; nothing else is read.
/// - Throws: `FileError`, or `TableError`.
public func columnNames(readingFrom path: String, options: TableOptions = TableOptions()) throws -> [String] {
  try withTableText(path: path, options: options) { text, _ throws(TableError) in
    try ColumnPlan(text, target: nil, options: options).names
  }
}

extension Table {
  /// Reads a table from a file, with one column as the target.
  ///
  /// Read are lines of cells (CSV, TSV, with semicolons, bars or blanks), ARFF, libsvm and JSON records, gzip or zip or
  /// plain, in UTF-8, UTF-16 or Latin-1. Rows whose target is missing are left out. Text becomes categories; what tells
  /// every row from every other is left out, see `TableOptions.identifiers`.
  /// - Parameter target: the target column's name; nil for the last column.
  /// - Throws: `FileError`, or `TableError` naming line and column.
  public init(readingFrom path: String, target: String? = nil, options: TableOptions = TableOptions()) throws
  {
    let columns = try readColumns(path: path, target: target.map { .named($0) } ?? .last, options: options)
    try self.init(columns, path: path, target: target, options: options)
  }

  /// A table from a file's columns, one of which is the target.
  init(
    _ parsed: consuming ParsedColumns, path: String, target: String?, options: TableOptions
  ) throws(TableError) {
    var columns = parsed
    let name = target ?? columns.readings.last { $0.content != .leftOut(.excluded) }?.name
    guard let name, let place = columns.names.firstIndex(of: name) else {
      throw TableError.noSuchColumn(
        path: path, name: target ?? "",
        nearest: target.flatMap { nearestColumn($0, columns.readings.map(\.name)) })
    }
    guard columns.names.count > 1 else {
      let left = columns.readings.filter { $0.name != name }.map(\.name)
      throw left.isEmpty ? TableError.noFeatures(path: path) : .everythingLeftOut(path: path, columns: left)
    }
    if case .categories(let count)? = columns.readings.first(where: { $0.name == name })?.content,
      count > options.categoryLimit
    {
      throw TableError.tooManyClasses(path: path, name: name, limit: options.categoryLimit)
    }
    let rowCount = columns.rowCount
    let cells = Array(columns.values[place * rowCount..<(place + 1) * rowCount])
    let scale = columns.scales[place]
    let kind = columns.removeColumn(place)
    var features = Features(columns)
    let known = cells.indices.filter { !cells[$0].isNaN }
    guard !known.isEmpty else { throw TableError.targetMissing(path: path, name: name) }
    if known.count < rowCount { features = features.selecting(rows: known) }
    // Classes are named by the values that stood in the file.
    let values = known.map { scale?.value(of: cells[$0]) ?? decimalValue(cells[$0]) }
    let target = try Target(
      cells: known.map { cells[$0] }, values: values, kind: kind, task: options.task, path: path, name: name)
    self.init(
      features: features, target: target, targetName: name, rowsWithoutTarget: rowCount - known.count,
      repeatedNames: columns.repeatedNames, readings: columns.readings, layout: TableLayout(columns))
    returnFreedMemory()
  }
}

extension ParsedColumns {
  /// Takes a column out.
  /// - Returns: what its cells are.
  fileprivate mutating func removeColumn(_ place: Int) -> FeatureKind {
    values.removeSubrange(place * rowCount..<(place + 1) * rowCount)
    names.remove(at: place)
    let others = (0...names.count).filter { $0 != place }
    forms = Features.moved(forms, to: others)
    scales = Features.moved(scales, to: others)
    return kinds.remove(at: place)
  }
}

extension Target {
  /// A target from a column without missing cells.
  init(
    cells: [Float], values: [Double], kind: FeatureKind, task: TableOptions.Task, path: String, name: String
  )
    throws(TableError)
  {
    if case .categorical(let names) = kind {
      guard task != .regression else { throw .targetNotNumeric(path: path, name: name) }
      // A category of which no row has kept its target is no class.
      self = .classes(cells.map { Int($0) }, names: names)
      return
    }
    let distinct = Set(values).sorted()
    let areWhole = distinct.allSatisfy { $0 == $0.rounded() }
    switch task {
    case .regression: self = .values(values.map { Float($0) })
    case .detected where !areWhole || distinct.count > 20: self = .values(values.map { Float($0) })
    case .detected, .classification:
      guard distinct.count <= 1000 else { throw .tooManyClasses(path: path, name: name, limit: 1000) }
      let places = Dictionary(zip(distinct, 0...), uniquingKeysWith: { first, _ in first })
      self = .classes(values.map { places[$0] ?? 0 }, names: distinct.map(plainText))
    }
  }
}
