// Which columns become features, of what kind, and what was understood of each.

extension ColumnAssembly {
  /// The columns with their kinds; those that are no features are taken out.
  func finished(
    _ values: [Float], target: TargetColumn, encoding: TextEncoding, separator: UInt8
  ) -> ParsedColumns {
    let targetColumn: Int? =
      switch target {
      case .none: nil
      case .last: plan.kept.last
      case .named(let name): plan.names.firstIndex(of: name)
      }
    var reasons: [Int: ColumnReading.Reason] = [:]
    for column in plan.kept where column != targetColumn && !options.keptColumns.contains(plan.names[column])
    {
      reasons[column] = reason(column, values)
    }
    let others = plan.kept.filter { $0 != targetColumn }
    if others.allSatisfy({ reasons[$0] != nil }) {
      // A table of nothing but row numbers is one of numbers.
      for column in others where reasons[column] == .rowNumbers || reasons[column] == .identifier {
        reasons[column] = nil
      }
    }
    let kept = plan.kept.filter { reasons[$0] == nil }
    var parsed = ParsedColumns(
      names: [], kinds: [], rowCount: rowCount, values: [], forms: [:], scales: [:],
      repeatedNames: plan.renamed, readings: [], encoding: encoding, separator: separator,
      hasHeader: plan.firstDataRow > 0)
    if kept == plan.kept {
      parsed.values = values
    } else {
      parsed.values.reserveCapacity(kept.count * rowCount)
    }
    for column in kept {
      let place = parsed.names.count
      parsed.names.append(plan.names[column])
      parsed.kinds.append(categories[column].map { .categorical($0) } ?? .numeric)
      if let form = form(column), form != .number { parsed.forms[place] = form }
      parsed.scales[place] = scales[column]
      if kept != plan.kept { parsed.values += self.values(column, values) }
    }
    var parts: [Int: [String]] = [:]
    if options.dates != .asNumbers {
      for column in kept where column != targetColumn { parts[column] = addParts(column, values, &parsed) }
    }
    for (column, name) in plan.names.enumerated()
    where !(plan.hasTrailingSeparators && column == plan.names.count - 1) {
      parsed.readings.append(reading(name, column, values, reasons[column], parts[column] ?? []))
    }
    return parsed
  }

  private func form(_ column: Int) -> NumberForm? {
    categories[column] == nil ? plan.spellings[column].map(\.form) : nil
  }

  func values(_ column: Int, _ values: [Float]) -> ArraySlice<Float> {
    values[plan.slots[column] * rowCount..<(plan.slots[column] + 1) * rowCount]
  }

  /// Why a column tells rows apart and says nothing of them; nil where it may say something.
  func reason(_ column: Int, _ values: [Float]) -> ColumnReading.Reason? {
    let cells = self.values(column, values)
    let known = cells.count { !$0.isNaN }
    if known == 0 { return rowCount > 1 && options.identifiers == .leftOut ? .empty : nil }
    if let names = categories[column] {
      if overfull.contains(column) { return .uniqueTexts(different: names.count, cells: known) }
      guard options.identifiers == .leftOut, !plan.declared.contains(column) else { return nil }
      return known >= 40 && names.count * 2 > known ? .uniqueTexts(different: names.count, cells: known) : nil
    }
    guard options.identifiers == .leftOut, known == rowCount, rowCount >= 20, form(column) == nil else {
      return nil
    }
    let exact = scales[column]
    guard
      cells.allSatisfy({ cell in
        (exact.map { $0.value(of: cell) } ?? Double(cell)).truncatingRemainder(dividingBy: 1) == 0
      })
    else { return nil }
    if areRowNumbers(cells) { return .rowNumbers }
    guard Set(cells).count == rowCount else { return nil }
    if plan.unnamed.contains(column) || plan.names[column].hasPrefix("Unnamed: ") { return .rowNumbers }
    return namesIdentifiers(plan.names[column]) ? .identifier : nil
  }

  /// Adds month, day of the week and hour of a moment as columns of their own: where they vary, or as they are named.
  private func addParts(_ column: Int, _ values: [Float], _ parsed: inout ParsedColumns) -> [String] {
    guard let form = form(column), form.isMoment else { return [] }
    let scale = scales[column]
    let seconds = self.values(column, values).map { cell -> Double in
      let value = scale.map { $0.value(of: cell) } ?? Double(cell)
      if case .date = form { return value * 86_400 }
      return value
    }
    var added: [String] = []
    for part in DatePart.allCases {
      if case .time = form, part != .hour { continue }
      if case .date = form, part == .hour { continue }
      let cells = seconds.map { part.cell(seconds: $0) }
      let name = "\(plan.names[column]).\(part.rawValue)"
      guard isWanted(name, cells), !parsed.names.contains(name) else { continue }
      parsed.forms[parsed.names.count] = .part(part, of: plan.names[column])
      parsed.names.append(name)
      parsed.kinds.append(part.kind)
      parsed.values += cells
      added.append(name)
    }
    return added
  }

  private func isWanted(_ part: String, _ cells: [Float]) -> Bool {
    switch options.dates {
    case .asNumbers: false
    case .withParts: Set(cells.filter { !$0.isNaN }).count > 1
    case .partsNamed(let names): names.contains(part)
    }
  }

  private func reading(
    _ name: String, _ column: Int, _ values: [Float], _ reason: ColumnReading.Reason?, _ parts: [String]
  ) -> ColumnReading {
    guard plan.slots[column] >= 0 else {
      return ColumnReading(name: name, content: .leftOut(.excluded), missing: 0)
    }
    var remarks = remarks[column] ?? []
    if categories[column] == nil, let spelling = plan.spellings[column] {
      switch spelling {
      case .number(let number):
        if plan.ambiguous.contains(column) {
          remarks.append(.ambiguousCommas(readAsDecimal: number.decimal == .comma))
        } else if number.decimal == .comma {
          remarks.append(.decimalCommas)
        }
        if number.hasGroups { remarks.append(.groups) }
        if number.hasBrackets { remarks.append(.brackets) }
      case .date(let date, _):
        if plan.ambiguous.contains(column) {
          remarks.append(.ambiguousDates(dayIsFirst: date.order == .dayMonthYear))
        }
      case .time: break
      }
    }
    if !parts.isEmpty { remarks.append(.parts(parts)) }
    let content: ColumnReading.Content =
      reason.map { .leftOut($0) } ?? categories[column].map { .categories($0.count) }
      ?? .numbers(form(column) ?? .number)
    return ColumnReading(
      name: name, content: content, missing: self.values(column, values).count { $0.isNaN }, remarks: remarks)
  }
}
