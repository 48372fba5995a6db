// Codes that are forced on.

import Tensors
import Transformers

extension Edit {
  /// Makes a code the only active one of its codebook.
  ///
  /// - Parameter positions: for each prompt of the batch where; nil for everywhere.
  public static func forcing(_ code: CodeAddress, at positions: [Int]? = nil) -> Edit {
    Edit { value, batch in
      let active = value.shape.last ?? 1
      let books = code.book.head == nil ? 1 : value.shape[2]
      let book = code.book.head ?? 0
      value.withMutableValues { values in
        for prompt in 0..<batch.count {
          for position in positions.map({ [$0[prompt]] }) ?? Array(0..<batch.lengths[prompt]) {
            let first = ((prompt * batch.width + position) * books + book) * active
            // The sum of active codes is to be this one alone; −1 is no code.
            for place in 0..<active { values[first + place] = place == 0 ? Float(code.number) : -1 }
          }
        }
      }
    }
  }
}
