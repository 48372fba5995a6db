// What an ONNX file holds: a graph of named values and the nodes between them.

import Files
import Tensors

/// An ONNX model's graph, as far as it is needed to run it.
struct ONNXGraph: Sendable {
  /// One operation.
  struct Node: Sendable {
    let operation: String
    let inputs: [String]
    let outputs: [String]
    let attributes: [String: Attribute]
  }

  /// A named setting of an operation.
  struct Attribute: Sendable {
    var float: Float?
    var integer: Int?
    var text: String?
    var tensor: Constant?
    var floats: [Float] = []
    var integers: [Int] = []
    var texts: [String] = []
  }

  /// A stored value.
  struct Constant: Sendable {
    let values: Tensor
    /// The same in double precision, where stored so.
    let doubles: [Double]?
  }

  /// A value that the graph takes or gives.
  struct Port: Sendable {
    let name: String
    /// TensorProto's number of the element type: 1 float, 11 double, 7 int64, 8 text; 0 where it is no tensor.
    let elementType: Int
    /// −1 for lengths that are not fixed.
    let shape: [Int]
  }

  let nodes: [Node]
  let constants: [String: Constant]
  let inputs: [Port]
  let outputs: [Port]

  /// Reads the bytes of a model file.
  init(_ bytes: [UInt8]) throws(ModelProblem) {
    let model = try ProtobufMessage(bytes[...])
    guard let graph = try model.message(7) else { throw .malformed("there is no graph") }
    var constants: [String: Constant] = [:]
    for tensor in try graph.messages(5) { constants[try tensor.text(8)] = try Constant(tensor) }
    var nodes: [Node] = []
    for node in try graph.messages(1) {
      var attributes: [String: Attribute] = [:]
      for attribute in try node.messages(5) { attributes[try attribute.text(1)] = try Attribute(attribute) }
      nodes.append(
        Node(
          operation: try node.text(4), inputs: try node.texts(1), outputs: try node.texts(2),
          attributes: attributes))
    }
    self.nodes = nodes
    self.constants = constants
    var inputs: [Port] = []
    for input in try graph.messages(11) where constants[try input.text(1)] == nil {
      inputs.append(try Port(input))
    }
    var outputs: [Port] = []
    for output in try graph.messages(12) { outputs.append(try Port(output)) }
    self.inputs = inputs
    self.outputs = outputs
    guard !outputs.isEmpty, !nodes.isEmpty else { throw .malformed("the graph has no nodes or no outputs") }
  }

  /// The node that makes a value.
  func producer(of value: String) -> Node? { nodes.first { $0.outputs.contains(value) } }
}

extension ONNXGraph.Port {
  fileprivate init(_ message: ProtobufMessage) throws(ModelProblem) {
    name = try message.text(1)
    guard let tensor = try message.message(2)?.message(1) else {
      (elementType, shape) = (0, [])
      return
    }
    elementType = try tensor.integers(1).last ?? 0
    var lengths: [Int] = []
    for dimension in try tensor.message(2)?.messages(1) ?? [] {
      lengths.append(try dimension.integers(1).last ?? -1)
    }
    shape = lengths
  }
}

extension ONNXGraph.Attribute {
  fileprivate init(_ message: ProtobufMessage) throws(ModelProblem) {
    float = try message.floats(2).last
    integer = try message.integers(3).last
    text = try message.texts(4).last
    floats = try message.floats(7)
    integers = try message.integers(8)
    texts = try message.texts(9)
    if let stored = try message.message(5) { tensor = try ONNXGraph.Constant(stored) }
  }
}

extension ONNXGraph.Constant {
  fileprivate init(_ message: ProtobufMessage) throws(ModelProblem) {
    let shape = try message.integers(1)
    var count = 1
    for length in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: length)
      guard length >= 0, !overflow, product <= Limit.elements.value else {
        throw .malformed("a tensor of shape \(shape)")
      }
      count = product
    }
    let raw = try message.byteStrings(9).last ?? []
    var reader = ProtobufReader(raw)
    var doubles: [Double] = []
    switch try message.integers(2).last ?? 0 {
    case 1:
      doubles = try message.floats(4).map(Double.init)
      while !reader.isAtEnd {
        doubles.append(Double(Float(bitPattern: UInt32(truncatingIfNeeded: try reader.little(4)))))
      }
    case 11:
      doubles = try message.doubles(10)
      while !reader.isAtEnd { doubles.append(Double(bitPattern: try reader.little(8))) }
    case 7:
      doubles = try message.integers(7).map(Double.init)
      while !reader.isAtEnd { doubles.append(Double(Int64(bitPattern: try reader.little(8)))) }
    case 6:
      doubles = try message.integers(5).map { Double(Int32(truncatingIfNeeded: $0)) }
      while !reader.isAtEnd { doubles.append(Double(Int32(truncatingIfNeeded: try reader.little(4)))) }
    case 9:
      doubles = try message.integers(5).map { $0 == 0 ? 0 : 1 }
      while !reader.isAtEnd { doubles.append(try reader.little(1) == 0 ? 0 : 1) }
    case 8:
      // Texts only name classes, which the classifiers' attributes do too.
      doubles = (0..<(try message.byteStrings(6).count)).map { Double($0) }
    case let type: throw .unsupported("tensors of element type \(type)")
    }
    guard doubles.count == count else {
      throw .malformed("a tensor of shape \(shape) holds \(doubles.count) elements")
    }
    values = Tensor(doubles.map { Float($0) }, shape: shape)
    self.doubles = doubles
  }
}
