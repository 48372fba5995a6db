// Rows into training and test parts: seeded, stratified by class, groups never torn apart.

import Tensors

/// Two disjoint sets of rows.
public struct Split: Sendable, Equatable {
  /// The rows to fit on, in rising order.
  public var training: [Int]
  /// The rows held out, in rising order.
  public var held: [Int]

  /// A split of rows.
  public init(training: [Int], held: [Int]) {
    self.training = training
    self.held = held
  }
}

extension Table {
  /// `count` splits, each row held out in exactly one; every class is spread evenly over them.
  ///
  /// Copies of a row stay on one side, and so do rows that share a number in `groups` (patients, sites).
  /// - Parameter groups: a number per row, or nil where only copies belong together.
  /// - Throws: `TableError.tooFewGroups`.
  public func folds(_ count: Int, groups: [Int]? = nil, seed: UInt64) throws(TableError) -> [Split] {
    let folds = try foldNumbers(count, groups: groups, seed: seed)
    return (0..<count).map { fold in
      Split(
        training: folds.indices.filter { folds[$0] != fold }, held: folds.indices.filter { folds[$0] == fold }
      )
    }
  }

  /// One split that holds out about `fraction` of every class.
  ///
  /// - Throws: `TableError.tooFewGroups` where there is a single group of rows.
  public func split(
    holding fraction: Double, groups: [Int]? = nil, seed: UInt64
  ) throws(TableError) -> Split {
    precondition(fraction > 0 && fraction < 1, "a share of \(fraction) cannot be held out")
    // Parts of one in twenty, the first of which are held: 0.2 holds four of twenty.
    let parts = min(20, joinedGroups(groups).count)
    let held = min(max(1, Int((fraction * Double(parts)).rounded())), parts - 1)
    let numbers = try foldNumbers(max(2, parts), groups: groups, seed: seed)
    return Split(
      training: numbers.indices.filter { numbers[$0] >= held },
      held: numbers.indices.filter { numbers[$0] < held })
  }

  /// The fold of every row: groups in random order, each to the fold that has fewest rows of its classes.
  private func foldNumbers(_ count: Int, groups: [Int]?, seed: UInt64) throws(TableError) -> [Int] {
    precondition(count >= 2, "\(count) folds")
    let members = joinedGroups(groups)
    guard members.count >= count else { throw .tooFewGroups(groups: members.count, folds: count) }
    let strata = target.strata
    let strataCount = (strata.max() ?? 0) + 1
    var generator = SeededGenerator(seed: seed, stream: "folds")
    let order = generator.permutation(of: members.count)
    // Large groups first, or the last of them would have nowhere even to go.
    let bySize = order.sorted { members.size($0) > members.size($1) }
    var filled = [[Int]](repeating: [Int](repeating: 0, count: strataCount), count: count)
    var sizes = [Int](repeating: 0, count: count)
    var folds = [Int](repeating: 0, count: rowCount)
    for group in bySize {
      let stratum = strata[members[group].first ?? 0]
      let fold = (0..<count).min { (filled[$0][stratum], sizes[$0]) < (filled[$1][stratum], sizes[$1]) } ?? 0
      for row in members[group] {
        folds[row] = fold
        filled[fold][strata[row]] += 1
      }
      sizes[fold] += members.size(group)
    }
    return folds
  }

  /// The rows of every group, after groups that share a copied row are joined.
  private func joinedGroups(_ groups: [Int]?) -> RowGroups {
    var parents = Array(0..<distinctRowCount)
    func root(_ group: Int) -> Int {
      var group = group
      while parents[group] != group {
        parents[group] = parents[parents[group]]
        group = parents[group]
      }
      return group
    }
    if let groups {
      precondition(groups.count == rowCount, "\(groups.count) group numbers for \(rowCount) rows")
      var firstOf: [Int: Int] = [:]
      for (row, group) in groups.enumerated() {
        let own = root(Int(duplicateGroups[row]))
        if let other = firstOf[group] { parents[own] = root(other) } else { firstOf[group] = own }
      }
    }
    // Groups are numbered in the order of their first rows.
    var places = [Int](repeating: -1, count: distinctRowCount)
    var count = 0
    let numbers = (0..<rowCount).map { row in
      let group = root(Int(duplicateGroups[row]))
      if places[group] < 0 {
        places[group] = count
        count += 1
      }
      return places[group]
    }
    return RowGroups(numbers, count: count)
  }
}

/// Rows by group, in one array: a table may have as many groups as rows.
private struct RowGroups {
  private let starts: [Int]
  private let rows: [Int]

  /// Rows by the number of their group, from 0 to `count`.
  init(_ numbers: [Int], count: Int) {
    var starts = [Int](repeating: 0, count: count + 1)
    for number in numbers { starts[number + 1] += 1 }
    for group in 0..<count { starts[group + 1] += starts[group] }
    var next = starts
    var rows = [Int](repeating: 0, count: numbers.count)
    for (row, number) in numbers.enumerated() {
      rows[next[number]] = row
      next[number] += 1
    }
    self.starts = starts
    self.rows = rows
  }

  var count: Int { starts.count - 1 }
  func size(_ group: Int) -> Int { starts[group + 1] - starts[group] }
  subscript(_ group: Int) -> ArraySlice<Int> { rows[starts[group]..<starts[group + 1]] }
}

extension Target {
  /// What splits spread evenly: the class, or the tenth of the range of ranks a quantity lies in.
  fileprivate var strata: [Int] {
    switch self {
    case .classes(let labels, _): return labels
    case .values(let values):
      let order = values.indices.sorted { values[$0] < values[$1] }
      var strata = [Int](repeating: 0, count: values.count)
      for (rank, row) in order.enumerated() { strata[row] = rank * 10 / max(1, values.count) }
      return strata
    }
  }
}

extension Table {
  /// The given rows, in the given order.
  public func selecting(rows: [Int]) -> Table {
    var numbers = [Int32](repeating: -1, count: distinctRowCount)
    var count: Int32 = 0
    let groups = rows.map { row in
      let group = Int(duplicateGroups[row])
      if numbers[group] < 0 {
        numbers[group] = count
        count += 1
      }
      return numbers[group]
    }
    return Table(
      features: features.selecting(rows: rows), target: target.selecting(rows: rows), targetName: targetName,
      duplicateGroups: groups)
  }
}
