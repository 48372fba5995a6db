// The operations that scikit-learn's models become, on float32 tensors. Shapes come from a file, so every one is checked.

import Files
import NeuralNetworks
import FoundationEssentials
import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// One node, applied to its inputs.
struct ONNXOperation {
  let node: ONNXGraph.Node
  let inputs: [Tensor]
  /// Shapes come from the file, and may be absurd.
  private static var limit: Int { Limit.elements.value }

  private func problem(_ text: String) -> ModelProblem { .malformed("\(node.operation): \(text)") }

  private func input(_ index: Int) throws(ModelProblem) -> Tensor {
    guard inputs.indices.contains(index) else { throw problem("input \(index) is absent") }
    return inputs[index]
  }

  /// The input as `[rows, columns]`.
  private func matrix(_ index: Int) throws(ModelProblem) -> Tensor {
    let value = try input(index)
    switch value.rank {
    case 1: return value.reshaped([1, value.count])
    case 2: return value
    default: throw problem("input \(index) has shape \(value.shape)")
    }
  }

  /// The names of all operations that can be run.
  static let supported: Set<String> = [
    "MatMul", "Gemm", "Add", "Sub", "Mul", "Div", "Relu", "Sigmoid", "Tanh", "Exp", "Log", "Neg", "Abs",
    "Sqrt",
    "Softmax", "Identity", "Cast", "Reshape", "Flatten", "Concat", "FeatureVectorizer",
    "ArrayFeatureExtractor",
    "Scaler", "Normalizer", "Imputer", "LinearClassifier", "LinearRegressor", "ArgMax", "Constant",
  ]

  func result() throws(ModelProblem) -> Tensor {
    switch node.operation {
    case "MatMul": return try product(try matrix(0), try matrix(1), transposingB: false)
    case "Gemm": return try generalProduct()
    case "Add": return try broadcast { $0 + $1 }
    case "Sub": return try broadcast { $0 - $1 }
    case "Mul": return try broadcast { $0 * $1 }
    case "Div": return try broadcast { $0 / $1 }
    case "Relu": return try input(0).rectified()
    case "Sigmoid": return try map { Float(1 / (1 + exp(-Double($0)))) }
    case "Tanh": return try map { Float(tanh(Double($0))) }
    case "Exp": return try map { Float(exp(Double($0))) }
    case "Log": return try map { Float(log(Double($0))) }
    case "Neg": return try map { -$0 }
    case "Abs": return try map { abs($0) }
    case "Sqrt": return try map { $0.squareRoot() }
    case "Softmax": return try matrix(0).softmaxOfRows()
    case "Identity": return try input(0)
    case "Cast": return try cast()
    case "Reshape", "Flatten": return try reshape()
    case "Concat", "FeatureVectorizer": return try concatenate()
    case "ArrayFeatureExtractor": return try extract()
    case "Scaler": return try scale()
    case "Normalizer": return try normalise()
    case "Imputer": return try impute()
    case "LinearClassifier", "LinearRegressor": return try linear()
    case "ArgMax": return try largestIndex()
    case "Constant":
      guard let value = node.attributes["value"]?.tensor?.values else { throw problem("no value") }
      return value
    case let other: throw .unsupported("the operation \(other)")
    }
  }

  private func map(_ function: (Float) -> Float) throws(ModelProblem) -> Tensor {
    let value = try input(0)
    return Tensor(value.values.map(function), shape: value.shape)
  }

  private func product(_ a: Tensor, _ b: Tensor, transposingB: Bool) throws(ModelProblem) -> Tensor {
    guard a.shape[1] == b.shape[transposingB ? 1 : 0] else { throw problem("\(a.shape) times \(b.shape)") }
    return matrixProduct(a, b, transposingB: transposingB)
  }

  private func generalProduct() throws(ModelProblem) -> Tensor {
    guard node.attributes["transA"]?.integer ?? 0 == 0 else { throw .unsupported("Gemm with transA") }
    let transposed = node.attributes["transB"]?.integer ?? 0 != 0
    let result = try product(try matrix(0), try matrix(1), transposingB: transposed)
      .scaled(by: node.attributes["alpha"]?.float ?? 1)
    guard inputs.count > 2 else { return result }
    let added = try input(2).scaled(by: node.attributes["beta"]?.float ?? 1)
    return try ONNXOperation(node: node, inputs: [result, added]).broadcast { $0 + $1 }
  }

  /// NumPy's broadcasting: shapes are aligned at their ends, lengths of 1 are repeated.
  private func broadcast(_ combine: (Float, Float) -> Float) throws(ModelProblem) -> Tensor {
    let (a, b) = (try input(0), try input(1))
    let rank = max(a.rank, b.rank)
    func padded(_ shape: [Int]) -> [Int] { [Int](repeating: 1, count: rank - shape.count) + shape }
    let (left, right) = (padded(a.shape), padded(b.shape))
    var shape: [Int] = []
    for (x, y) in zip(left, right) {
      guard x == y || x == 1 || y == 1 else { throw problem("\(a.shape) with \(b.shape)") }
      shape.append(x == 1 ? y : x)
    }
    let count = shape.reduce(1.0) { $0 * Double($1) }
    guard count < Double(Self.limit) else { throw problem("a result of shape \(shape)") }
    let (x, y) = (a.values, b.values)
    var result: [Float] = []
    result.reserveCapacity(Int(count))
    var place = [Int](repeating: 0, count: rank)
    for _ in 0..<Int(count) {
      var (i, j) = (0, 0)
      for axis in 0..<rank {
        i = i * left[axis] + (left[axis] == 1 ? 0 : place[axis])
        j = j * right[axis] + (right[axis] == 1 ? 0 : place[axis])
      }
      result.append(combine(x[i], y[j]))
      for axis in stride(from: rank - 1, through: 0, by: -1) {
        place[axis] += 1
        if place[axis] < shape[axis] { break }
        place[axis] = 0
      }
    }
    return Tensor(result, shape: shape)
  }

  private func cast() throws(ModelProblem) -> Tensor {
    switch node.attributes["to"]?.integer ?? 1 {
    case 1, 10, 11, 16: return try input(0)
    case 9: return try map { $0 == 0 ? 0 : 1 }
    case 2...7, 12, 13: return try map { $0.rounded(.towardZero) }
    case let type: throw .unsupported("a cast to element type \(type)")
    }
  }

  private func reshape() throws(ModelProblem) -> Tensor {
    let value = try input(0)
    var wanted: [Int] = [0, -1]
    if node.operation == "Reshape" {
      wanted = try input(1).values.map { abs($0) < Float(Self.limit) ? Int($0) : -2 }
    }
    for (axis, length) in wanted.enumerated() where length == 0 {
      guard axis < value.rank else { throw problem("shape \(wanted) of \(value.shape)") }
      wanted[axis] = value.shape[axis]
    }
    if let free = wanted.firstIndex(of: -1) {
      let others = wanted.enumerated().reduce(1.0) { $1.offset == free ? $0 : $0 * Double($1.element) }
      guard others > 0, let length = Int(exactly: Double(value.count) / others) else {
        throw problem("shape \(wanted) of \(value.shape)")
      }
      wanted[free] = length
    }
    guard wanted.allSatisfy({ $0 >= 0 }), wanted.reduce(1.0, { $0 * Double($1) }) == Double(value.count)
    else {
      throw problem("shape \(wanted) of \(value.shape)")
    }
    return value.reshaped(wanted)
  }

  private func concatenate() throws(ModelProblem) -> Tensor {
    let axis = node.operation == "Concat" ? node.attributes["axis"]?.integer ?? 1 : 1
    guard !inputs.isEmpty, axis == 1 || axis == -1 else {
      throw .unsupported("\(node.operation) along axis \(axis)")
    }
    var result = try matrix(0)
    for index in inputs.indices.dropFirst() {
      let next = try matrix(index)
      guard next.shape[0] == result.shape[0], next.count + result.count < Self.limit else {
        throw problem("\(result.shape) beside \(next.shape)")
      }
      result = result.beside(next)
    }
    return result
  }

  private func extract() throws(ModelProblem) -> Tensor {
    let value = try matrix(0)
    var columns: [Int] = []
    for number in try input(1).values {
      guard number >= 0, number < Float(value.shape[1]) else {
        throw problem("column \(number) of \(value.shape)")
      }
      columns.append(Int(number))
    }
    guard value.shape[0] * columns.count < Self.limit else { throw problem("\(columns.count) columns") }
    return value.gatheringColumns(columns)
  }

  /// A list attribute of one number a column, or of one number for all.
  private func row(_ name: String, columns: Int, otherwise: Float) throws(ModelProblem) -> [Float] {
    let values = node.attributes[name]?.floats ?? []
    switch values.count {
    case 0: return [Float](repeating: otherwise, count: columns)
    case 1: return [Float](repeating: values[0], count: columns)
    case columns: return values
    default: throw problem("\"\(name)\" holds \(values.count) numbers for \(columns) columns")
    }
  }

  private func scale() throws(ModelProblem) -> Tensor {
    let value = try matrix(0)
    let offset = try row("offset", columns: value.shape[1], otherwise: 0)
    let scale = try row("scale", columns: value.shape[1], otherwise: 1)
    return value.plusRow(Tensor(offset.map { -$0 })).timesRow(Tensor(scale))
  }

  private func normalise() throws(ModelProblem) -> Tensor {
    let value = try matrix(0)
    let width = value.shape[1]
    let norm = node.attributes["norm"]?.text ?? "MAX"
    var cells = value.values
    for start in stride(from: 0, to: cells.count, by: max(1, width)) {
      let line = cells[start..<start + width].map(Double.init)
      let length: Double
      switch norm {
      case "L1": length = line.reduce(0) { $0 + abs($1) }
      case "L2": length = line.reduce(0) { $0 + $1 * $1 }.squareRoot()
      case "MAX": length = line.max() ?? 0
      default: throw .unsupported("Normalizer with the norm \(norm)")
      }
      guard length != 0 else { continue }
      for (place, cell) in line.enumerated() { cells[start + place] = Float(cell / length) }
    }
    return Tensor(cells, shape: value.shape)
  }

  private func impute() throws(ModelProblem) -> Tensor {
    let value = try matrix(0)
    let width = value.shape[1]
    let filler = try row("imputed_value_floats", columns: width, otherwise: 0)
    let replaced = node.attributes["replaced_value_float"]?.float ?? .nan
    var cells = value.values
    for index in cells.indices where replaced.isNaN ? cells[index].isNaN : cells[index] == replaced {
      cells[index] = filler[index % width]
    }
    return Tensor(cells, shape: value.shape)
  }

  private func linear() throws(ModelProblem) -> Tensor {
    let value = try matrix(0)
    let coefficients = node.attributes["coefficients"]?.floats ?? []
    let width = value.shape[1]
    guard width > 0, coefficients.count % width == 0, !coefficients.isEmpty else {
      throw problem("\(coefficients.count) coefficients for \(width) features")
    }
    let targets = coefficients.count / width
    let scores = matrixProduct(value, Tensor(coefficients, shape: [targets, width]), transposingB: true)
      .plusRow(Tensor(try row("intercepts", columns: targets, otherwise: 0)))
    let transform = node.attributes["post_transform"]?.text ?? "NONE"
    switch (transform, targets, node.operation) {
    case ("NONE", 1, "LinearClassifier"), ("SOFTMAX", 1, "LinearClassifier"):
      throw .unsupported("a LinearClassifier of one score without LOGISTIC")
    case ("NONE", _, _): return scores
    case ("SOFTMAX", _, _): return scores.softmaxOfRows()
    case ("LOGISTIC", 1, "LinearClassifier"):
      let p = scores.values.map { 1 / (1 + exp(-Double($0))) }
      return Tensor(p.flatMap { [Float(1 - $0), Float($0)] }, shape: [value.shape[0], 2])
    case ("LOGISTIC", _, _): return scores.logistic()
    default: throw .unsupported("\(node.operation) with the transform \(transform)")
    }
  }

  private func largestIndex() throws(ModelProblem) -> Tensor {
    let value = try matrix(0)
    let width = value.shape[1]
    guard width > 0 else { throw problem("no columns") }
    let cells = value.values
    let indices = (0..<value.shape[0]).map { row in
      Float((0..<width).max { cells[row * width + $0] < cells[row * width + $1] } ?? 0)
    }
    return Tensor(indices, shape: [value.shape[0], 1])
  }
}
