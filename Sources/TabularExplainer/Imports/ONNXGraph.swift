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
    var tensor: ONNXValue?
    var floats: [Float] = []
    var integers: [Int] = []
    var texts: [String] = []
    /// The graph that an operation repeats, if any.
    var graphs: [ONNXGraph] = []
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
  let constants: [String: ONNXValue]
  let inputs: [Port]
  let outputs: [Port]

  /// Reads the bytes of a model file.
  init(_ bytes: [UInt8]) throws(ModelProblem) {
    let model = try ProtobufMessage(bytes[...])
    guard let graph = try model.message(7) else { throw .malformed("there is no graph") }
    try self.init(graph, depth: 0)
  }

  private init(_ graph: ProtobufMessage, depth: Int) throws(ModelProblem) {
    guard depth < 8 else { throw .malformed("graphs are nested too deeply") }
    var constants: [String: ONNXValue] = [:]
    for tensor in try graph.messages(5) { constants[try tensor.text(8)] = try ONNXValue(tensor) }
    var nodes: [Node] = []
    for node in try graph.messages(1) {
      var attributes: [String: Attribute] = [:]
      for attribute in try node.messages(5) {
        attributes[try attribute.text(1)] = try Attribute(attribute, depth: depth)
      }
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
  fileprivate init(_ message: ProtobufMessage, depth: Int) throws(ModelProblem) {
    float = try message.floats(2).last
    integer = try message.integers(3).last
    text = try message.texts(4).last
    floats = try message.floats(7)
    integers = try message.integers(8)
    texts = try message.texts(9)
    if let stored = try message.message(5) { tensor = try ONNXValue(stored) }
    if let graph = try message.message(6) { graphs = [try ONNXGraph(graph, depth: depth + 1)] }
  }
}

extension ONNXValue {
  /// A stored tensor.
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
    let number = try message.integers(2).last ?? 0
    guard let type = ElementType(rawValue: number) else {
      throw .unsupported("tensors of element type \(number)")
    }
    let raw = try message.byteStrings(9).last ?? []
    var reader = ProtobufReader(raw)
    var doubles: [Double] = []
    switch type {
    case .float:
      doubles = try message.floats(4).map(Double.init)
      while !reader.isAtEnd {
        doubles.append(Double(Float(bitPattern: UInt32(truncatingIfNeeded: try reader.little(4)))))
      }
    case .double:
      doubles = try message.doubles(10)
      while !reader.isAtEnd { doubles.append(Double(bitPattern: try reader.little(8))) }
    case .int64, .uint64:
      doubles = try message.integers(7).map(Double.init)
      while !reader.isAtEnd { doubles.append(Double(Int64(bitPattern: try reader.little(8)))) }
    case .int32, .uint32:
      doubles = try message.integers(5).map { Double(Int32(truncatingIfNeeded: $0)) }
      while !reader.isAtEnd { doubles.append(Double(Int32(truncatingIfNeeded: try reader.little(4)))) }
    case .int16, .uint16:
      doubles = try message.integers(5).map { Double($0) }
      while !reader.isAtEnd { doubles.append(Double(Int16(truncatingIfNeeded: try reader.little(2)))) }
    case .int8, .uint8:
      doubles = try message.integers(5).map { Double($0) }
      while !reader.isAtEnd {
        let byte = try reader.little(1)
        doubles.append(type == .uint8 ? Double(byte) : Double(Int8(truncatingIfNeeded: byte)))
      }
    case .truth:
      doubles = try message.integers(5).map { $0 == 0 ? 0 : 1 }
      while !reader.isAtEnd { doubles.append(try reader.little(1) == 0 ? 0 : 1) }
    case .text:
      let texts = try message.texts(6)
      guard texts.count == count else {
        throw .malformed("a tensor of shape \(shape) holds \(texts.count) elements")
      }
      self.init(texts, shape: shape)
      return
    case .half: throw .unsupported("tensors of float16")
    }
    guard doubles.count == count else {
      throw .malformed("a tensor of shape \(shape) holds \(doubles.count) elements")
    }
    self.init(doubles, shape: shape, type: type)
  }
}
