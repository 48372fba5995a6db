// Circuits that are known because they were set by hand.

import Files
import Tensors

/// The words of planted models, by what circuits use them for.
enum PlantedWords {
  /// Begins every prompt; heads without work look there.
  static let start = "So"
  /// Words that answers are made of.
  static let content = [
    "Alice", "Ben", "Carol", "Dan", "Emily", "Fred", "George", "Helen", "Ivan", "Jane", "Kate", "Leo", "Mary",
    "Nick", "Olga", "Paul",
  ]
  /// Words that stand between.
  static let filler = ["the", "then", "now", "here", "with", "near", "soon", "still"]
  /// Words that circuits look for.
  static let markers = ["key", "bag", "tell", "stop"]
  /// All words by id; the last stands for all others.
  static let all = [start] + content + filler + markers + ["?"]

  static func id(_ word: String) -> Int { all.firstIndex(of: word) ?? all.count - 1 }
  static let contentIDs = content.map(id)
}

/// A circuit of heads, perhaps with an MLP behind them, and the task it does.
struct PlantedCircuit: Sendable {
  /// Its name, which models are called after.
  var name: String
  /// What it does, in a line.
  var summary: String
  /// The heads that act.
  var heads: [PlantedHead]
  /// Heads that act only where the one they stand in for is gone.
  var backups: [PlantedHead] = []
  /// The layer whose MLP turns each found word into an answer, and the answers by word; nil for none.
  var lookUp: (layer: Int, answers: [Int: Int])?
  /// The slots, templates, answer and negative of its task, as in a spec.
  var task: [JSONMember]

  /// How hard heads look: the score of a match.
  static func sharpness(_ random: inout SeededGenerator) -> Float { 6 + 4 * Float(random.uniform()) }

  /// Adds a head that looks at the word about to be said and says it less.
  mutating func addNegativeHead(sharpness: Float) {
    let words = PlantedWords.contentIDs
    let layer = (heads.map(\.layer).max() ?? 0) + 1
    let matches = PlantedScore.matches(
      words, 2 * sharpness, PlantedDirection.answer, PlantedDirection.token)
    heads.append(
      PlantedHead(
        role: "negative", layer: layer, scores: matches + [.rest(sharpness)],
        moves: PlantedMove.words(words, to: PlantedDirection.answer, -0.4)))
  }

  /// Adds a head that does what the last one does, but rests while anything is about to be said.
  mutating func addBackup(sharpness: Float) {
    guard var copy = heads.last else { return }
    copy.role = "backup"
    copy.layer += 1
    let said = PlantedWords.contentIDs.map(PlantedDirection.answer)
    copy.scores.append(PlantedScore(.sum(of: said, 8 * sharpness), .at(.position(0))))
    backups.append(copy)
  }

  /// Lets heads find words instead of saying them, and an MLP say another word for each.
  mutating func lookUpAnswers(_ random: inout SeededGenerator) {
    let words = PlantedWords.contentIDs
    // A shift by a drawn number leaves no word at its own place.
    let shift = 1 + random.index(below: words.count - 1)
    let answers = Dictionary(
      uniqueKeysWithValues: words.indices.map { (words[$0], words[($0 + shift) % words.count]) })
    for place in heads.indices {
      heads[place].moves = heads[place].moves.map { move in
        var write = PlantedVector()
        for (direction, size) in move.write.parts {
          if case .answer(let word) = direction {
            write.parts[.found(word)] = size
          } else {
            write.parts[direction] = size
          }
        }
        return PlantedMove(move.read, write)
      }
    }
    lookUp = ((heads.map(\.layer).max() ?? 0), answers)
    let said = words.map { JSONValue.string(PlantedWords.all[answers[$0] ?? $0]) }
    task = task.map { member in
      switch (member.key, member.value) {
      case ("lists", .object(let lists)):
        return JSONMember("lists", .object(lists + [JSONMember("said", .array(said))]))
      case ("slots", .object(let slots)):
        let more = ["X", "Y"].map { name in
          JSONMember(
            name + "said",
            .object([JSONMember("look_up", .string(name)), JSONMember("from", .string("said"))]))
        }
        return JSONMember("slots", .object(slots + more))
      case ("answer", _): return JSONMember("answer", .string(" {Xsaid}"))
      case ("wrong", _): return JSONMember("wrong", .array([.string(" {Ysaid}")]))
      default: return member
      }
    }
  }
}
