// Codes that are forced on.

import Tensors
import Transformers

/// Codes that are made the only active ones of their codebooks.
public struct ForcedCodes: Sendable, Equatable {
  /// The numbers of the codes by their codebook, as many as a codebook has active ones at most.
  public var numbers: [CodebookAddress: [Int]]

  /// Codes by their codebook.
  public init(_ numbers: [CodebookAddress: [Int]]) { self.numbers = numbers }

  /// One code of each codebook that is named.
  public init(_ codes: [CodeAddress]) {
    numbers = Dictionary(codes.map { ($0.book, [$0.number]) }, uniquingKeysWith: { first, _ in first })
  }

  /// The edits that force them.
  ///
  /// - Parameter positions: for each prompt of the batch where; nil for everywhere.
  public func edits(at positions: [Int]? = nil) -> [HookPoint: Edit] {
    Dictionary(grouping: numbers.keys) { $0.point }.mapValues { books in
      let chosen = books.map { (book: $0.head ?? 0, numbers: numbers[$0] ?? [], hasHeads: $0.head != nil) }
      return Edit { value, batch in
        let active = value.shape.last ?? 1
        let books = chosen.first?.hasHeads == true ? value.shape[2] : 1
        value.withMutableValues { values in
          for prompt in 0..<batch.count {
            for position in positions.map({ [$0[prompt]] }) ?? Array(0..<batch.lengths[prompt]) {
              for (book, numbers, _) in chosen {
                let first = ((prompt * batch.width + position) * books + book) * active
                // The sum is to be that of these codes alone; −1 is no code.
                for place in 0..<active {
                  values[first + place] = place < numbers.count ? Float(numbers[place]) : -1
                }
              }
            }
          }
        }
      }
    }
  }
}
