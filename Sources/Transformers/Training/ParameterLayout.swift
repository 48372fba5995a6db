// Where each parameter lies: all of them share one tensor, so that optimiser, clipping and checkpoints are one pass.

import Checkpoints
import Tensors

/// A parameter's place in the tensor of all parameters.
public struct ParameterSlice: Sendable, Equatable {
  /// Which parameter it is.
  public var parameter: Parameter
  /// Index of its first element.
  public var offset: Int
  /// Its shape, as the model stores it; matrices of new models are `[in, out]`.
  public var shape: [Int]

  /// TransformerLens's name, except for the joint `attn.W_QKV` and `attn.b_QKV`.
  public var name: String { parameter.description }
  /// The number of its elements.
  public var count: Int { shape.reduce(1, *) }
  /// Its place as a vector.
  public var vector: VectorWindow { VectorWindow(offset: offset, count: count) }
  /// Its place as a matrix.
  var matrix: MatrixWindow { MatrixWindow(offset: offset, rows: shape[0], columns: shape[1]) }
}

/// The places of all parameters of a model, whatever its family.
public struct ParameterLayout: Sendable {
  /// The model whose parameters are laid out; its own values do not count.
  public private(set) var model: Transformer
  /// Every parameter, in the order they lie.
  public let slices: [ParameterSlice]
  /// The length of the tensor that holds all parameters; slices start on multiples of 16.
  public let count: Int
  private let places: [Parameter: Int]

  /// Lays out the parameters of a model.
  public init(_ model: Transformer) {
    var slices: [ParameterSlice] = []
    var count = 0
    for parameter in Parameter.all(layers: model.configuration.layers) {
      guard let weight = model.weights[parameter] else { continue }
      slices.append(ParameterSlice(parameter: parameter, offset: count, shape: weight.shape))
      count = (count + weight.shape.reduce(1, *) + 15) / 16 * 16
    }
    self.model = model
    self.slices = slices
    self.count = count
    places = Dictionary(uniqueKeysWithValues: slices.indices.map { (slices[$0].parameter, $0) })
  }

  /// The same places in a model of which so many codes are active; nothing changes without codebooks.
  func withActiveCodes(_ active: Int) -> ParameterLayout {
    guard let codebooks = model.configuration.codebooks, codebooks.active != active else { return self }
    var configuration = model.configuration
    configuration.codebooks?.active = active
    var layout = self
    layout.model = Transformer(configuration: configuration, weights: model.weights)
    return layout
  }

  /// Where a parameter lies; nil where the model has none.
  public func place(of parameter: Parameter) -> ParameterSlice? {
    places[parameter].map { slices[$0] }
  }

  /// The matrices, which weight decay reaches; biases and norms it leaves alone.
  public var decaying: [VectorWindow] { slices.filter { $0.shape.count > 1 }.map(\.vector) }
  /// Biases and norms.
  public var notDecaying: [VectorWindow] { slices.filter { $0.shape.count == 1 }.map(\.vector) }

  /// The slice of a name.
  public subscript(name: String) -> ParameterSlice? { slices.first { $0.name == name } }

  /// The part of `parameters` that a slice names, in its shape; nothing is copied.
  public func tensor(_ slice: ParameterSlice, of parameters: Tensor) -> Tensor {
    parameters.rows(slice.offset..<slice.offset + slice.count).reshaped(slice.shape)
  }
}

extension ParameterLayout {
  /// The model's own parameters, in this layout.
  /// - Throws: `CheckpointError.notFinite` where a stored weight cannot be widened.
  public func parameters() throws -> Tensor {
    var values = [Float](repeating: 0, count: count)
    for slice in slices {
      guard let weight = model.weights[slice.parameter] else { continue }
      values.replaceSubrange(slice.offset..<slice.offset + slice.count, with: try weight.tensor().values)
    }
    return Tensor(values)
  }

  /// The model with these parameters; they are shared, not copied.
  public func transformer(_ parameters: Tensor) -> Transformer {
    precondition(parameters.count == count, "parameters of shape \(parameters.shape)")
    var model = model
    for slice in slices { model.weights[slice.parameter] = Weight(tensor(slice, of: parameters)) }
    return model
  }
}
