// The tokens of pieces seen before: words repeat, merges are slow.

import Synchronization

/// A bounded memory of pieces and their tokens, shared by all copies of a tokenizer.
final class PieceCache: Sendable {
  /// Longer pieces seldom come back.
  static let longestPiece = 64
  private static let capacity = 1 << 14

  private let known = Mutex<[[UInt32]: [PieceToken]]>([:])

  /// A busy memory is not waited for.
  subscript(piece: [UInt32]) -> [PieceToken]? {
    get { known.withLockIfAvailable { $0[piece] } ?? nil }
    set {
      known.withLockIfAvailable { known in
        if known.count < Self.capacity { known[piece] = newValue }
      }
    }
  }
}
