// The kinds of circuits that are planted. X is the right answer (or the word it is looked up by), Y the wrong one.

import Files
import Tensors

extension PlantedCircuit {
  private static var words: [Int] { PlantedWords.contentIDs }

  /// After a word that stood before, the word that followed it (Elhage et al. 2021; Olsson et al. 2022).
  static func induction(_ random: inout SeededGenerator) -> PlantedCircuit {
    let sharpness = sharpness(&random)
    return PlantedCircuit(
      name: "induction", summary: "After a word that stood before, the word that followed it",
      heads: [
        .previousToken(layer: 0, words: words, context: PlantedModel.context, sharpness: sharpness),
        PlantedHead(
          role: "induction", layer: 1,
          scores: PlantedScore.matches(
            words, 2 * sharpness, PlantedDirection.token, PlantedDirection.previous) + [.rest(sharpness)],
          moves: PlantedMove.words(words, to: PlantedDirection.answer)),
      ],
      task: spec(
        slots: ["A", "X", "B", "Y"], copies: ["S": "A"],
        templates: [
          "So {A} {X} {f} {B} {Y} {g} {S}", "So {f} {B} {Y} {g} {A} {X} {h} {S}",
          "So {B} {Y} {f} {g} {A} {X} {S}", "So {f} {A} {X} {B} {Y} {g} {h} {S}",
        ], negative: ["A": "{B}", "B": "{A}"]))
  }

  /// Of two words, the one that is not repeated: duplicate token, inhibition, mover (Wang et al. 2022).
  static func mover(_ random: inout SeededGenerator) -> PlantedCircuit {
    let sharpness = sharpness(&random)
    let end = PlantedDirection.token(PlantedWords.id("tell"))
    let all = words.map(PlantedDirection.token)
    // A match with the own place is taken back.
    let elsewhere = (0..<PlantedModel.context).map {
      PlantedScore(.at(.position($0), -2 * sharpness), .at(.position($0)))
    }
    let same = PlantedScore.matches(words, 2 * sharpness, PlantedDirection.token, PlantedDirection.token)
    let unwanted = PlantedScore.matches(
      words, -1.5 * sharpness, PlantedDirection.inhibited, PlantedDirection.token)
    return PlantedCircuit(
      name: "mover", summary: "Of two words, the one that is not repeated",
      heads: [
        PlantedHead(
          role: "duplicate token", layer: 0, scores: same + elsewhere + [.rest(sharpness)],
          moves: [PlantedMove(.sum(of: all), .at(.repeated))]),
        PlantedHead(
          role: "inhibition", layer: 1,
          scores: [PlantedScore(.at(end, 2 * sharpness), .at(.repeated)), .rest(sharpness)],
          moves: PlantedMove.words(words, to: PlantedDirection.inhibited)),
        PlantedHead(
          role: "mover", layer: 2,
          scores: [PlantedScore(.at(end, 2 * sharpness), .sum(of: all)), .rest(sharpness)] + unwanted,
          moves: PlantedMove.words(words, to: PlantedDirection.answer)),
      ],
      task: spec(
        slots: ["X", "Y", "C"], copies: ["S": "Y"],
        templates: [
          "So {X} {f} {Y} {g} {S} {h} tell", "So {f} {Y} {g} {X} {S} {h} tell",
          "So {Y} {X} {f} {g} {S} tell", "So {f} {X} {g} {Y} {h} {S} tell",
        ], negative: ["S": "{C}"]))
  }

  /// The word behind a marker.
  static func marked(_ random: inout SeededGenerator) -> PlantedCircuit {
    let sharpness = sharpness(&random)
    let marker = PlantedWords.id("key")
    return PlantedCircuit(
      name: "marked", summary: "The word behind a marker",
      heads: [
        .previousToken(layer: 0, words: [marker], context: PlantedModel.context, sharpness: sharpness),
        PlantedHead(
          role: "copy", layer: 1,
          scores: [
            PlantedScore(.at(.token(PlantedWords.id("tell")), 2 * sharpness), .at(.previous(marker))),
            .rest(sharpness),
          ],
          moves: PlantedMove.words(words, to: PlantedDirection.answer)),
      ],
      task: spec(
        slots: ["X", "Y"], copies: [:], markers: ["M": "key", "N": "bag"],
        templates: [
          "So {f} {M} {X} {g} {N} {Y} tell", "So {N} {Y} {f} {g} {M} {X} {h} tell",
          "So {M} {X} {N} {Y} {f} {g} tell", "So {f} {N} {Y} {M} {X} tell",
        ], negative: ["M": "{N}", "N": "{M}"]))
  }

  /// Two steps of association: A goes with B, B with X.
  static func twoSteps(_ random: inout SeededGenerator) -> PlantedCircuit {
    let sharpness = sharpness(&random)
    let all = words.map(PlantedDirection.token)
    func step(
      _ role: String, _ layer: Int, from query: (Int) -> PlantedDirection, to write: (Int) -> PlantedDirection
    )
      -> PlantedHead
    {
      // A word behind the one looked for counts twice; any other word, or a stop behind it, once.
      PlantedHead(
        role: role, layer: layer,
        scores: PlantedScore.matches(words, 2 * sharpness, query, PlantedDirection.previous) + [
          PlantedScore(.constant(2 * sharpness), .sum(of: all)), .rest(3 * sharpness),
        ],
        moves: PlantedMove.words(words, to: write))
    }
    return PlantedCircuit(
      name: "two-steps", summary: "What goes with what goes with a word",
      heads: [
        .previousToken(layer: 0, words: words, context: PlantedModel.context, sharpness: sharpness),
        step("first step", 1, from: PlantedDirection.token, to: PlantedDirection.carried),
        step("second step", 2, from: PlantedDirection.carried, to: PlantedDirection.answer),
      ],
      task: spec(
        slots: ["A", "B", "X", "C", "D", "Y"], copies: ["Q": "B", "R": "D", "S": "A"],
        templates: [
          "So {A} {B} stop {Q} {X} stop {C} {D} stop {R} {Y} stop {S}",
          "So {C} {D} stop {Q} {X} stop {R} {Y} stop {A} {B} stop {S}",
          "So {R} {Y} stop {A} {B} stop {C} {D} stop {Q} {X} stop {S}",
        ], negative: ["A": "{C}", "C": "{A}"]))
  }

  /// The fields of a spec.
  private static func spec(
    slots: [String], copies: [String: String], markers: [String: String] = [:], templates: [String],
    negative: [String: String]
  ) -> [JSONMember] {
    func texts(_ values: [String]) -> JSONValue { .array(values.map { .string($0) }) }
    func drawn(_ list: String) -> JSONValue { .object([JSONMember("from", .string(list))]) }
    let inOrder = copies.sorted { $0.key < $1.key }
    let marking = markers.sorted { $0.key < $1.key }
    return [
      JSONMember(
        "lists",
        .object(
          [
            JSONMember("word", texts(PlantedWords.content)), JSONMember("filler", texts(PlantedWords.filler)),
          ] + marking.map { JSONMember($0.value, texts([$0.value])) })),
      JSONMember(
        "slots",
        .object(
          slots.map { JSONMember($0, drawn("word")) }
            + inOrder.map { JSONMember($0.key, .object([JSONMember("copy", .string($0.value))])) }
            + ["f", "g", "h"].map { JSONMember($0, drawn("filler")) }
            + marking.map { JSONMember($0.key, drawn($0.value)) })),
      JSONMember("templates", texts(templates)),
      JSONMember("one_token", texts(slots)),
      JSONMember("distinct", .array([texts(slots), texts(["f", "g", "h"])])),
      JSONMember("answer", .string(" {X}")), JSONMember("wrong", texts([" {Y}"])),
      JSONMember("positions", .object([JSONMember("end", .string("last"))])),
      JSONMember(
        "negative",
        .object(negative.sorted { $0.key < $1.key }.map { JSONMember($0.key, .string($0.value)) })),
    ]
  }
}
