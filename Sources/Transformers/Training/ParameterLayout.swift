// Where each parameter lies: all of them share one tensor, so that optimiser, clipping and checkpoints are one pass.

import Tensors

/// A parameter's place in the tensor of all parameters.
public struct ParameterSlice: Sendable, Equatable {
  /// TransformerLens's name, except for the joint `attn.W_QKV` and `attn.b_QKV`.
  public var name: String
  /// Index of its first element.
  public var offset: Int
  /// Its shape; matrices are `[in, out]`.
  public var shape: [Int]

  /// The number of its elements.
  public var count: Int { shape.reduce(1, *) }
  /// Its place as a vector.
  public var vector: VectorWindow { VectorWindow(offset: offset, count: count) }
  /// Its place as a matrix.
  var matrix: MatrixWindow { MatrixWindow(offset: offset, rows: shape[0], columns: shape[1]) }
}

/// A product's place among parameters: weight `[in, out]` and, perhaps, bias `[out]`.
struct LinearWindows: Sendable, Equatable {
  var weight: MatrixWindow
  var bias: VectorWindow?
}

/// A block's place among parameters.
struct BlockWindows: Sendable, Equatable {
  var norm1: LayerNormWindows?
  /// `[d_model, 3 · heads · d_head]`: all queries, all keys, all values.
  var queryKeyValue: LinearWindows
  /// `[heads · d_head, d_model]`.
  var output: LinearWindows
  var norm2: LayerNormWindows?
  var mlpIn: LinearWindows?
  var mlpOut: LinearWindows?
}

/// The places of all parameters of an architecture.
public struct ParameterLayout: Sendable, Equatable {
  /// What the parameters belong to.
  public let architecture: TrainableArchitecture
  /// Every parameter, in the order they lie.
  public private(set) var slices: [ParameterSlice] = []
  /// The length of the tensor that holds all parameters; slices start on multiples of 16.
  public private(set) var count = 0
  /// `[vocabulary, d_model]`.
  let embedding: MatrixWindow
  /// `[context, d_model]`.
  let positions: MatrixWindow?
  let blocks: [BlockWindows]
  let finalNorm: LayerNormWindows?
  /// `[d_model, vocabulary]`; nil where tied.
  let unembedding: MatrixWindow?
  let unembeddingBias: VectorWindow?

  /// Lays out the parameters of an architecture.
  public init(_ architecture: TrainableArchitecture) {
    var builder = LayoutBuilder(architecture: architecture)
    let width = architecture.modelWidth
    embedding = builder.add("embed.W_E", [architecture.vocabulary, width]).matrix
    positions =
      architecture.hasPositions
      ? builder.add("pos_embed.W_pos", [architecture.context, width]).matrix : nil
    blocks = (0..<architecture.layers).map { builder.addBlock($0) }
    finalNorm = builder.addNorm("ln_final")
    unembedding =
      architecture.tiesUnembedding
      ? nil : builder.add("unembed.W_U", [width, architecture.vocabulary]).matrix
    unembeddingBias =
      architecture.hasUnembeddingBias ? builder.add("unembed.b_U", [architecture.vocabulary]).vector : nil
    self.architecture = architecture
    slices = builder.slices
    count = builder.count
  }

  /// The unembedding as it is used, `[d_model, vocabulary]`.
  var unembeddingInUse: MatrixWindow { unembedding ?? embedding.transpose }

  /// The matrices, which weight decay reaches; biases and norms it leaves alone.
  public var decaying: [VectorWindow] { slices.filter { $0.shape.count > 1 }.map(\.vector) }
  /// Biases and norms.
  public var notDecaying: [VectorWindow] { slices.filter { $0.shape.count == 1 }.map(\.vector) }

  /// The slice of a name.
  public subscript(name: String) -> ParameterSlice? { slices.first { $0.name == name } }
}

private struct LayoutBuilder {
  let architecture: TrainableArchitecture
  var slices: [ParameterSlice] = []
  var count = 0

  mutating func add(_ name: String, _ shape: [Int]) -> ParameterSlice {
    let slice = ParameterSlice(name: name, offset: count, shape: shape)
    slices.append(slice)
    count = (count + slice.count + 15) / 16 * 16
    return slice
  }

  mutating func addNorm(_ name: String) -> LayerNormWindows? {
    guard architecture.normEpsilon != nil else { return nil }
    let weight = add(name + ".w", [architecture.modelWidth]).vector
    return LayerNormWindows(weight: weight, bias: add(name + ".b", [architecture.modelWidth]).vector)
  }

  mutating func addLinear(_ weight: String, _ bias: String, _ shape: [Int]) -> LinearWindows {
    let matrix = add(weight, shape).matrix
    return LinearWindows(
      weight: matrix, bias: architecture.hasBiases ? add(bias, [shape[1]]).vector : nil)
  }

  mutating func addBlock(_ layer: Int) -> BlockWindows {
    let name = "blocks.\(layer)."
    let (width, heads) = (architecture.modelWidth, architecture.headsWidth)
    var block = BlockWindows(
      norm1: addNorm(name + "ln1"),
      queryKeyValue: addLinear(name + "attn.W_QKV", name + "attn.b_QKV", [width, 3 * heads]),
      output: addLinear(name + "attn.W_O", name + "attn.b_O", [heads, width]))
    if let mlp = architecture.mlp {
      block.norm2 = addNorm(name + "ln2")
      block.mlpIn = addLinear(name + "mlp.W_in", name + "mlp.b_in", [width, mlp.width])
      block.mlpOut = addLinear(name + "mlp.W_out", name + "mlp.b_out", [mlp.width, width])
    }
    return block
  }
}
