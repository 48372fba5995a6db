// Which heads do a task, according to someone.

import Files

/// A head by its layer and its number within the layer, both from 0.
public struct HeadIndex: Hashable, Comparable, Sendable {
  /// The layer.
  public var layer: Int
  /// The number within the layer.
  public var head: Int

  /// A head.
  public init(layer: Int, head: Int) {
    self.layer = layer
    self.head = head
  }

  /// By layer, then by number.
  public static func < (left: HeadIndex, right: HeadIndex) -> Bool {
    (left.layer, left.head) < (right.layer, right.head)
  }
}

/// A set of heads said to do a task in one model, with its source.
public struct GroundTruth: Equatable, Sendable {
  /// A role within the circuit ("name mover") and the heads that play it.
  public struct Group: Equatable, Sendable {
    /// What the heads do; empty where roles were not told apart.
    public var role: String
    /// The heads.
    public var heads: [HeadIndex]

    /// Heads of one role.
    public init(role: String = "", heads: [HeadIndex]) {
      self.role = role
      self.heads = heads
    }
  }

  /// The name it is asked for by.
  public var name: String
  /// The model it was found in.
  public var model: String
  /// The model's number of layers.
  public var layers: Int
  /// The model's number of heads in a layer.
  public var headsPerLayer: Int
  /// Where it comes from: a paper, a table, a file, a command.
  public var source: String
  /// Anything a reader should know before relying on it.
  public var notes: String?
  /// The heads by role; one group without a role where none were told apart.
  public var groups: [Group]
  /// The layers whose MLP belongs to the circuit too.
  public var mlps: [Int]
  /// How each head was measured, where a tool made this truth.
  public var measurement: HeadMeasurement?

  /// A ground truth.
  public init(
    name: String, model: String, layers: Int, headsPerLayer: Int, source: String, notes: String? = nil,
    groups: [Group], mlps: [Int] = [], measurement: HeadMeasurement? = nil
  ) {
    self.name = name
    self.model = model
    self.layers = layers
    self.headsPerLayer = headsPerLayer
    self.source = source
    self.notes = notes
    self.groups = groups
    self.mlps = mlps
    self.measurement = measurement
  }

  /// Refuses a truth of a model with other numbers of layers or heads.
  /// - Parameter path: what is to be compared with it, for the message.
  /// - Throws: `ScoreError.otherModel`.
  public func requireHeads(layers: Int, headsPerLayer: Int, of path: String) throws(ScoreError) {
    guard self.layers == layers, self.headsPerLayer == headsPerLayer else {
      throw .otherModel(
        path: path, layers: layers, heads: headsPerLayer, truth: name, truthLayers: self.layers,
        truthHeads: self.headsPerLayer)
    }
  }

  /// All heads, each once, in order.
  public var heads: [HeadIndex] { Set(groups.flatMap(\.heads)).sorted() }
}

/// A measured effect for every head, and what was called large.
public struct HeadMeasurement: Equatable, Sendable {
  /// One head's effect with its interval.
  public struct Effect: Equatable, Sendable {
    /// The head.
    public var head: HeadIndex
    /// Its effect.
    public var effect: Double
    /// The lower end of the effect's interval.
    public var low: Double
    /// The upper end of the effect's interval.
    public var high: Double

    /// An effect.
    public init(head: HeadIndex, effect: Double, low: Double, high: Double) {
      self.head = head
      self.effect = effect
      self.low = low
      self.high = high
    }
  }

  /// How it was made, as named texts and numbers: model_sha256, seed, prompts, metric, …
  public var madeBy: [JSONMember]
  /// The effect from which on a head belongs to the truth.
  public var threshold: Double
  /// Every head's effect, by layer and head.
  public var effects: [Effect]

  /// A measurement.
  public init(madeBy: [JSONMember], threshold: Double, effects: [Effect]) {
    self.madeBy = madeBy
    self.threshold = threshold
    self.effects = effects
  }
}
