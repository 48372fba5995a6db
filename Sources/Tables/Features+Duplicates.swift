// Which rows are copies of one another.

extension Features {
  /// A number per row: rows with equal cells (missing equals missing, −0 equals 0) have the same number, counted from
  /// 0 in order of appearance.
  ///
  /// Rows are hashed column by column to 64 bits, and rows of equal hash are compared cell by cell.
  public func duplicateGroups() -> [Int] {
    let hashes = rowHashes()
    var groups = [Int](repeating: 0, count: rowCount)
    var representatives: [UInt64: [(row: Int, group: Int)]] = [:]
    representatives.reserveCapacity(rowCount)
    var count = 0
    for row in 0..<rowCount {
      let known = representatives[hashes[row], default: []].first { rowsAreEqual($0.row, row) }
      if let known {
        groups[row] = known.group
      } else {
        representatives[hashes[row], default: []].append((row, count))
        groups[row] = count
        count += 1
      }
    }
    return groups
  }

  private func rowsAreEqual(_ left: Int, _ right: Int) -> Bool {
    values.withUnsafeBufferPointer { values in
      for feature in 0..<count {
        let (a, b) = (values[feature * rowCount + left], values[feature * rowCount + right])
        if a != b && !(a.isNaN && b.isNaN) { return false }
      }
      return true
    }
  }

  private func rowHashes() -> [UInt64] {
    [UInt64](unsafeUninitializedCapacity: rowCount) { hashes, initialized in
      hashes.initialize(repeating: 0x9e37_79b9_7f4a_7c15)
      values.withUnsafeBufferPointer { values in
        for feature in 0..<count {
          let column = UnsafeBufferPointer(rebasing: values[feature * rowCount..<(feature + 1) * rowCount])
          for row in 0..<rowCount {
            let value = column[row]
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
