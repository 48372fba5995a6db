// A transformer around a planted circuit, with heads beside it that are busy with nothing.

import Tensors
import Transformers

/// A model whose circuit is known by construction.
struct PlantedModel: Sendable {
  /// The longest prompt.
  static let context = 16
  /// Directions that are written and never read.
  static let idleDirections = 24

  /// The circuit.
  let circuit: PlantedCircuit
  /// The model.
  let model: Transformer
  /// Heads that act, by role, in the circuit's order.
  let acting: [GroundTruth.Group]
  /// Heads that act where another is gone.
  let backups: [HeadIndex]

  /// Places the circuit's heads at random among busy ones and turns the stream's basis at random.
  /// - Parameter headsPerLayer: at least as many as the circuit has in a layer.
  init(_ circuit: PlantedCircuit, headsPerLayer: Int, random: inout SeededGenerator) {
    self.circuit = circuit
    let stream = PlantedStream(random: &random)
    let all = circuit.heads + circuit.backups
    let layers = (all.map(\.layer).max() ?? 0) + 1
    let headWidth = all.map { max($0.scores.count, $0.moves.count) }.max() ?? 1
    let lookUpWidth = circuit.lookUp == nil ? 0 : PlantedWords.content.count
    var blueprint = TransformerBlueprint(
      vocabulary: PlantedWords.all.count, context: Self.context, layers: layers, heads: headsPerLayer,
      dModel: stream.width, dHead: headWidth, mlpWidth: lookUpWidth, activation: .relu, normEpsilon: nil)
    blueprint.configuration.attention = Array(
      repeating: AttentionConfiguration(rule: AttentionRule(scale: 1)), count: layers)
    blueprint.hasBiases = true
    var free = (0..<layers).map { _ in random.permutation(of: headsPerLayer) }
    var placed: [HeadIndex: PlantedHead] = [:]
    var groups: [GroundTruth.Group] = []
    var standIns: [HeadIndex] = []
    for (number, head) in all.enumerated() {
      let place = HeadIndex(layer: head.layer, head: free[head.layer].removeLast())
      placed[place] = head
      if number >= circuit.heads.count {
        standIns.append(place)
      } else if let known = groups.firstIndex(where: { $0.role == head.role }) {
        groups[known].heads.append(place)
      } else {
        groups.append(GroundTruth.Group(role: head.role, heads: [place]))
      }
    }
    for (layer, heads) in free.enumerated() {
      for head in heads {
        placed[HeadIndex(layer: layer, head: head)] = .busy(layer: layer, width: headWidth, random: &random)
      }
    }
    acting = groups
    backups = standIns
    var made = blueprint.transformer()
    made.weights.tokenEmbedding = Weight(stream.rows((0..<PlantedWords.all.count).map { .at(.token($0)) }))
    made.weights.positionEmbedding = stream.rows((0..<Self.context).map { .at(.position($0)) })
    for layer in 0..<layers {
      let heads = (0..<headsPerLayer).map { placed[HeadIndex(layer: layer, head: $0)] }
      made.weights.blocks[layer].attention = stream.attention(heads, width: headWidth)
      if let lookUp = circuit.lookUp {
        made.weights.blocks[layer].mlp = stream.lookUp(
          layer == lookUp.layer ? lookUp.answers : [:], width: lookUpWidth)
      }
    }
    made.weights.unembedding = stream.unembedding(sharpness: 6)
    model = made
  }
}

extension PlantedHead {
  /// A head that looks at words of its own liking and writes much, where nobody reads.
  static func busy(layer: Int, width: Int, random: inout SeededGenerator) -> PlantedHead {
    var liking = PlantedVector()
    for word in PlantedWords.all.indices { liking.parts[.token(word)] = 3 * Float(random.normal()) }
    // Every other one looks at what stands before, or at the same word, as heads of circuits do.
    let scores: [PlantedScore] =
      switch random.index(below: 3) {
      case 0: [PlantedScore(.constant(1), liking)]
      case 1:
        (1..<min(PlantedModel.context, width)).map {
          PlantedScore(.at(.position($0), 9), .at(.position($0 - 1)))
        }
      default:
        PlantedScore.matches(
          PlantedWords.contentIDs, 6, PlantedDirection.token, PlantedDirection.token)
      }
    let moves: [PlantedMove] = PlantedWords.contentIDs.prefix(width).map {
      word in
      var write = PlantedVector()
      for _ in 0..<4 {
        write.parts[.idle(random.index(below: PlantedModel.idleDirections))] = 3 * Float(random.normal())
      }
      return PlantedMove(.at(.token(word)), write)
    }
    return PlantedHead(role: "busy", layer: layer, scores: Array(scores.prefix(width)), moves: moves)
  }
}
