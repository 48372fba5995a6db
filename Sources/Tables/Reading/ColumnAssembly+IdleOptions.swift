// Options that name a column and change nothing about it.

extension ColumnAssembly {
  /// The first option about a column that has no effect on it, as an error; nil where each has one.
  func optionWithoutEffect(_ values: [Float], target: TargetColumn) -> TableError? {
    guard !options.declaresColumns else { return nil }
    func idle(_ option: String, _ column: String, _ reason: String) -> TableError {
      .optionWithoutEffect(path: text.path, option: option, column: column, reason: reason)
    }
    let targetName: String? =
      switch target {
      case .none: nil
      case .last: plan.kept.last.map { plan.names[$0] }
      case .named(let name): name
      }
    let named = [("keep", options.keptColumns), ("categorical", options.categoricalColumns)]
    for (option, columns) in named {
      if let column = columns.intersection(options.excludedColumns).min() {
        return idle(option, column, "is left out by another option")
      }
    }
    for column in plan.kept {
      let name = plan.names[column]
      if options.keptColumns.contains(name) {
        if name == targetName { return idle("keep", name, "is the target") }
        if reason(column, values) == nil { return idle("keep", name, "is kept anyway") }
      }
      if options.categoricalColumns.contains(name), name != targetName, areTextsAnyway(column, values) {
        return idle("categorical", name, "holds text, which is read as categories anyway")
      }
    }
    return nil
  }

  /// Whether a column that is declared to be categories would be read as such without that.
  private func areTextsAnyway(_ column: Int, _ values: [Float]) -> Bool {
    guard let names = categories[column], !names.isEmpty, names.count <= options.categoryLimit,
      names.allSatisfy({ NumberSpelling.parts($0) == nil }), SpellingGuess(names, plan.hints) == nil
    else { return false }
    let known = self.values(column, values).count { !$0.isNaN }
    // Texts that are nearly all different would be left out.
    return options.identifiers == .kept || known < 40 || names.count * 2 <= known
  }
}
