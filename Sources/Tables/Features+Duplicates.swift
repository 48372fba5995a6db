// Which rows are copies of one another.

extension Features {
  /// A number per row: rows with equal cells (missing equals missing, −0 equals 0) have the same number, counted from
  /// 0 in order of appearance.
  ///
  /// Rows are hashed column by column to 64 bits, sorted by hash, and rows of equal hash are compared cell by cell.
  public func duplicateGroups() -> [Int32] {
    let hashes = rowHashes()
    let order = (0..<Int32(rowCount)).sorted { (hashes[Int($0)], $0) < (hashes[Int($1)], $1) }
    // The first row that each row is a copy of: itself, as a rule.
    var firsts = Array(0..<Int32(rowCount))
    var start = 0
    while start < rowCount {
      var end = start + 1
      while end < rowCount, hashes[Int(order[end])] == hashes[Int(order[start])] { end += 1 }
      for place in start..<end where end - start > 1 {
        let row = order[place]
        let known = order[start..<place].first { firsts[Int($0)] == $0 && rowsAreEqual(Int($0), Int(row)) }
        if let known { firsts[Int(row)] = known }
      }
      start = end
    }
    var count: Int32 = 0
    for row in firsts.indices {
      let first = Int(firsts[row])
      if first == row {
        firsts[row] = count
        count += 1
      } else {
        firsts[row] = firsts[first]
      }
    }
    return firsts
  }

  private func rowsAreEqual(_ left: Int, _ right: Int) -> Bool {
    (0..<count).allSatisfy { feature in
      let (a, b) = (self[left, feature], self[right, feature])
      return a == b || (a.isNaN && b.isNaN)
    }
  }

  private func rowHashes() -> [UInt64] {
    [UInt64](unsafeUninitializedCapacity: rowCount) { hashes, initialized in
      hashes.initialize(repeating: 0x9e37_79b9_7f4a_7c15)
      withCells { cells in
        for feature in 0..<count {
          for row in 0..<rowCount {
            let value = cells[row, feature]
            // All missing cells alike, and −0 like 0.
            let bits = value.isNaN ? 0x7fc0_0000 : (value + 0).bitPattern
            let mixed = (hashes[row] ^ UInt64(bits)) &* 0xff51_afd7_ed55_8ccd
            hashes[row] = mixed ^ (mixed >> 29)
          }
        }
      }
      initialized = rowCount
    }
  }
}
