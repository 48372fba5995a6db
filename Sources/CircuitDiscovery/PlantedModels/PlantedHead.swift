// Heads with weights set by hand: where they look, and what they move.

import Tensors

/// A direction of the residual stream that a planted circuit uses, before the stream is rotated.
enum PlantedDirection: Hashable, Sendable {
  /// The token that stands here.
  case token(Int)
  /// The place in the prompt.
  case position(Int)
  /// The token one place back.
  case previous(Int)
  /// That the token here stood before.
  case repeated
  /// A token that an earlier head brought here.
  case carried(Int)
  /// A token that an MLP is to turn into an answer.
  case found(Int)
  /// A token that is not to be said.
  case inhibited(Int)
  /// A token that is to be said: what the unembedding reads.
  case answer(Int)
  /// What nobody reads.
  case idle(Int)
}

/// A linear reading of the stream, or a vector to be added to it, with a constant where a bias serves.
struct PlantedVector: Sendable {
  var parts: [PlantedDirection: Float] = [:]
  var constant: Float = 0

  static func at(_ direction: PlantedDirection, _ size: Float = 1) -> PlantedVector {
    PlantedVector(parts: [direction: size])
  }

  static func constant(_ value: Float) -> PlantedVector { PlantedVector(constant: value) }

  /// The sum of directions.
  static func sum(of directions: [PlantedDirection], _ size: Float = 1) -> PlantedVector {
    PlantedVector(parts: Dictionary(directions.map { ($0, size) }) { $1 })
  }
}

/// A product that a head's scores are made of.
struct PlantedScore: Sendable {
  var query: PlantedVector
  var key: PlantedVector

  init(_ query: PlantedVector, _ key: PlantedVector) {
    self.query = query
    self.key = key
  }

  /// A score for each word: where the query has it and the key has it too.
  static func matches(
    _ words: [Int], _ strength: Float, _ query: (Int) -> PlantedDirection, _ key: (Int) -> PlantedDirection
  ) -> [PlantedScore] {
    words.map { PlantedScore(.at(query($0), strength), .at(key($0))) }
  }

  /// The score of the first position, where heads look that have nothing to do.
  static func rest(_ strength: Float) -> PlantedScore {
    PlantedScore(.constant(strength), .at(.position(0)))
  }
}

/// What a head reads at one place and writes at another.
struct PlantedMove: Sendable {
  var read: PlantedVector
  var write: PlantedVector

  init(_ read: PlantedVector, _ write: PlantedVector) {
    self.read = read
    self.write = write
  }

  /// Words, from one kind of direction to another.
  static func words(
    _ words: [Int], to write: (Int) -> PlantedDirection, _ size: Float = 1
  ) -> [PlantedMove] {
    words.map { PlantedMove(.at(.token($0)), .at(write($0), size)) }
  }
}

/// One head: its scores are sums of products query · key, its output a sum of what it reads times what it writes.
struct PlantedHead: Sendable {
  /// What it does, as in truths.
  var role: String
  /// Its layer.
  var layer: Int
  /// One dimension of queries and keys each.
  var scores: [PlantedScore]
  /// One dimension of values each.
  var moves: [PlantedMove]

  /// A head that looks at the token before.
  static func previousToken(layer: Int, words: [Int], context: Int, sharpness: Float) -> PlantedHead {
    PlantedHead(
      role: "previous token", layer: layer,
      scores: (1..<context).map { PlantedScore(.at(.position($0), 2 * sharpness), .at(.position($0 - 1))) },
      moves: PlantedMove.words(words, to: PlantedDirection.previous))
  }
}
