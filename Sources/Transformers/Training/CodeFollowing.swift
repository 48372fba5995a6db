// Codes as moving averages of what they stand for, in place of codes that learn by their gradient.

import Tensors

extension Trainer {
  /// Takes codes out of a gradient.
  func leaveCodes(_ gradient: inout Tensor) {
    gradient.withMutableValues { values in
      for table in codeUses.tables {
        for index in table.offset..<table.offset + table.shape.reduce(1, *) { values[index] = 0 }
      }
    }
  }

  /// Moves codes towards the means of the inputs they stood for in the last batch: as far as if every use moved a code
  /// by `rate` of the way (van den Oord, Vinyals & Kavukcuoglu 2017, arXiv 1711.00937, appendix A.1, with time counted in
  /// uses).
  mutating func moveCodes(by rate: Double) {
    var uses = CodeUses(layout)
    for part in parts { part.count(into: &uses) }
    for (index, table) in uses.tables.enumerated() {
      guard let shape = shape(of: table) else { continue }
      var sums = Tensor(zeros: table.shape)
      for part in parts { add(part.codeBatch(table), to: &sums, shape) }
      let counts = uses.counts(table: index)
      let width = table.shape[1]
      parameters.withMutableValues { parameters in
        sums.withValues { sums in
          for (code, count) in counts.enumerated() where count > 0 {
            let share = Float(1 - power(1 - rate, Double(count)))
            for column in code * width..<(code + 1) * width {
              parameters[table.offset + column] +=
                share * (sums[column] / count - parameters[table.offset + column])
            }
          }
        }
      }
    }
  }
}
