// A value in an ONNX graph: numbers or texts with a shape. Shapes come from a file, so every one is checked.

import Files
import Tensors

/// Numbers or texts with a shape.
///
/// Numbers are held as doubles whatever their type; those of a narrower type are rounded to it after every operation.
struct ONNXValue: Sendable, Equatable {
  /// TensorProto's number of an element type.
  enum ElementType: Int, Sendable {
    case float = 1
    case uint8 = 2
    case int8 = 3
    case uint16 = 4
    case int16 = 5
    case int32 = 6
    case int64 = 7
    case text = 8
    case truth = 9
    case half = 10
    case double = 11
    case uint32 = 12
    case uint64 = 13

    var isWhole: Bool {
      switch self {
      case .float, .double, .half, .text: false
      default: true
      }
    }
  }

  /// Shapes come from the file, and may be absurd.
  static var limit: Int { Limit.elements.value }

  let shape: [Int]
  let type: ElementType
  /// The elements, row-major; empty for texts.
  let numbers: [Double]
  /// The elements, row-major; empty for numbers.
  let texts: [String]

  /// Numbers, rounded to the type.
  init(_ numbers: [Double], shape: [Int], type: ElementType) {
    precondition(shape.reduce(1, *) == numbers.count, "\(numbers.count) numbers of shape \(shape)")
    self.shape = shape
    self.type = type
    texts = []
    switch type {
    case .float, .half: self.numbers = numbers.map { Double(Float($0)) }
    case .double: self.numbers = numbers
    case .truth: self.numbers = numbers.map { $0 == 0 ? 0 : 1 }
    default: self.numbers = numbers.map { $0.rounded(.towardZero) }
    }
  }

  /// Texts.
  init(_ texts: [String], shape: [Int]) {
    precondition(shape.reduce(1, *) == texts.count, "\(texts.count) texts of shape \(shape)")
    self.shape = shape
    type = .text
    numbers = []
    self.texts = texts
  }

  /// A matrix of float32.
  init(_ tensor: Tensor) { self.init(tensor.values.map(Double.init), shape: tensor.shape, type: .float) }

  var count: Int { shape.reduce(1, *) }
  var rank: Int { shape.count }

  /// The same elements in another shape of as many.
  func reshaped(_ shape: [Int]) -> ONNXValue {
    type == .text ? ONNXValue(texts, shape: shape) : ONNXValue(numbers, shape: shape, type: type)
  }

  /// The elements at some places, in another shape of as many.
  func gathering(_ places: [Int], shape: [Int]) -> ONNXValue {
    type == .text
      ? ONNXValue(places.map { texts[$0] }, shape: shape)
      : ONNXValue(places.map { numbers[$0] }, shape: shape, type: type)
  }

  /// The elements as whole numbers; nil where some are not or are too large.
  var wholeNumbers: [Int]? {
    var result: [Int] = []
    for number in numbers {
      guard let whole = Int(exactly: number), abs(whole) < 1 << 40 else { return nil }
      result.append(whole)
    }
    return type == .text ? nil : result
  }

  /// As a matrix of float32.
  func tensor(_ shape: [Int]) -> Tensor { Tensor(numbers.map { Float($0) }, shape: shape) }
}
