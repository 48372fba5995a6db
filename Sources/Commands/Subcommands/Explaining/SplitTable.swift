// The table that a command line names, a part of it held out.

import Tables

/// A table and its split into rows to fit to and rows to measure on.
struct SplitTable {
  /// The table, and what is to be said about it.
  let read: ReadTable
  /// The rows to fit to, and those held out.
  let split: Split

  /// The table.
  var table: Table { read.table }

  /// Reads and splits the table that `arguments` name.
  init(_ arguments: ParsedArguments, keepingAside aside: [String] = []) throws {
    let hold = arguments[ExplainingOptions.hold] ?? 0.25
    guard hold > 0, hold < 1 else {
      throw UsageError.badValue(option: "hold", value: "\(hold)", expectation: "a share between 0 and 1")
    }
    var read = try ReadTable(arguments, keepingAside: aside)
    let seed = arguments[ExplainingOptions.seed] ?? 0
    split = try read.table.split(holding: hold, groups: read.groups, seed: seed)
    if case .classes(let labels, let names) = read.table.target {
      let held = Set(split.held.map { labels[$0] })
      if held.count == 1, let only = held.first {
        read.notes.append(
          "all \(split.held.count) held-out rows are '\(names[only])': their measures say little")
      }
    }
    self.read = read
  }
}
