// One node of an ONNX graph applied to its inputs: the operations that scikit-learn's models become.

import Tables

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// One node, applied to its inputs.
struct ONNXOperation {
  let node: ONNXGraph.Node
  /// The inputs by place; nil where an optional one is left out.
  let inputs: [ONNXValue?]

  func problem(_ text: String) -> ModelProblem { .malformed("\(node.operation): \(text)") }

  func input(_ index: Int) throws(ModelProblem) -> ONNXValue {
    guard inputs.indices.contains(index), let value = inputs[index] else {
      throw problem("input \(index) is absent")
    }
    return value
  }

  func optionalInput(_ index: Int) -> ONNXValue? { inputs.indices.contains(index) ? inputs[index] : nil }

  /// An input of numbers.
  func numeric(_ index: Int) throws(ModelProblem) -> ONNXValue {
    let value = try input(index)
    guard value.type != .text else { throw problem("input \(index) holds texts") }
    return value
  }

  /// An input of numbers as `[rows, columns]`.
  func matrix(_ index: Int) throws(ModelProblem) -> ONNXValue {
    let value = try numeric(index)
    switch value.rank {
    case 0: return value.reshaped([1, 1])
    case 1: return value.reshaped([1, value.count])
    case 2: return value
    default: throw problem("input \(index) has shape \(value.shape)")
    }
  }

  func integer(_ name: String, _ otherwise: Int) -> Int { node.attributes[name]?.integer ?? otherwise }
  func number(_ name: String, _ otherwise: Double) -> Double {
    node.attributes[name]?.float.map { Double($0) } ?? otherwise
  }

  /// Whole numbers given as an attribute or, in later versions, as an input.
  func wholeNumbers(_ name: String, input index: Int) throws(ModelProblem) -> [Int]? {
    if let value = optionalInput(index) {
      guard let numbers = value.wholeNumbers else { throw problem("input \(index) holds no whole numbers") }
      return numbers
    }
    guard let attribute = node.attributes[name] else { return nil }
    return attribute.integers.isEmpty ? attribute.integer.map { [$0] } : attribute.integers
  }

  /// An axis counted from the front.
  func axis(_ axis: Int, rank: Int) throws(ModelProblem) -> Int {
    let place = axis < 0 ? axis + rank : axis
    guard (0..<rank).contains(place) else { throw problem("axis \(axis) of \(rank)") }
    return place
  }

  /// The names of all operations that can be run, but for trees, `ZipMap` and `Scan`.
  static let supported: Set<String> = [
    "MatMul", "Gemm", "Add", "Sub", "Mul", "Div", "Pow", "Mod", "Relu", "LeakyRelu", "Sigmoid", "Tanh", "Exp",
    "Log",
    "Neg", "Abs", "Sqrt", "Reciprocal", "Sign", "Floor", "Ceil", "Round", "Erf", "Softplus", "Clip", "IsNaN",
    "Softmax",
    "LogSoftmax", "Identity", "Cast", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Concat",
    "Slice",
    "Gather", "GatherElements", "Expand", "Tile", "Split", "Shape", "Size", "ConstantOfShape", "Constant",
    "Where",
    "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "And", "Or", "Xor", "Not", "Max", "Min",
    "Sum", "Mean",
    "ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2",
    "ReduceSumSquare",
    "ReduceLogSum", "ReduceLogSumExp", "ArgMax", "ArgMin", "TopK", "CumSum", "CDist", "OneHot",
    "FeatureVectorizer",
    "ArrayFeatureExtractor", "Scaler", "Normalizer", "Imputer", "Binarizer", "LinearClassifier",
    "LinearRegressor",
    "SVMClassifier", "SVMRegressor", "OneHotEncoder", "LabelEncoder", "CategoryMapper",
  ]

  /// The node's outputs, in order; classifiers give their scores alone, as the last.
  func results() throws(ModelProblem) -> [ONNXValue] {
    switch node.operation {
    case "TopK": return try topK()
    case "Split": return try split()
    default: return [try result()]
    }
  }

  private func result() throws(ModelProblem) -> ONNXValue {
    switch node.operation {
    case "MatMul": return try product(try numeric(0), try numeric(1))
    case "Gemm": return try generalProduct()
    case "Add": return try broadcast { $0 + $1 }
    case "Sub": return try broadcast { $0 - $1 }
    case "Mul": return try broadcast { $0 * $1 }
    case "Div": return try divide()
    case "Pow": return try broadcast { pow($0, $1) }
    case "Mod":
      return try broadcast { integer("fmod", 0) != 0 ? fmod($0, $1) : $0 - $1 * ($0 / $1).rounded(.down) }
    case "Relu": return try map { max($0, 0) }
    case "LeakyRelu":
      let slope = number("alpha", 0.01)
      return try map { $0 < 0 ? slope * $0 : $0 }
    case "Sigmoid": return try map { 1 / (1 + exp(-$0)) }
    case "Tanh": return try map { tanh($0) }
    case "Exp": return try map { exp($0) }
    case "Log": return try map { log($0) }
    case "Neg": return try map { -$0 }
    case "Abs": return try map { abs($0) }
    case "Sqrt": return try map { $0.squareRoot() }
    case "Reciprocal": return try map { 1 / $0 }
    case "Sign": return try map { $0 > 0 ? 1 : $0 < 0 ? -1 : 0 }
    case "Floor": return try map { $0.rounded(.down) }
    case "Ceil": return try map { $0.rounded(.up) }
    case "Round": return try map { $0.rounded(.toNearestOrEven) }
    case "Erf": return try map { erf($0) }
    case "Softplus": return try map { log(1 + exp($0)) }
    case "Clip": return try clip()
    case "IsNaN":
      let value = try numeric(0)
      return ONNXValue(value.numbers.map { $0.isNaN ? 1 : 0 }, shape: value.shape, type: .truth)
    case "Softmax", "LogSoftmax": return try softmax()
    case "Identity": return try input(0)
    case "Cast": return try cast()
    case "Where": return try chosen()
    case "Equal": return try equal()
    case "Greater": return try compare { $0 > $1 }
    case "GreaterOrEqual": return try compare { $0 >= $1 }
    case "Less": return try compare { $0 < $1 }
    case "LessOrEqual": return try compare { $0 <= $1 }
    case "And": return try compare { $0 != 0 && $1 != 0 }
    case "Or": return try compare { $0 != 0 || $1 != 0 }
    case "Xor": return try compare { ($0 != 0) != ($1 != 0) }
    case "Not":
      let value = try numeric(0)
      return ONNXValue(value.numbers.map { $0 == 0 ? 1 : 0 }, shape: value.shape, type: .truth)
    case "Max": return try fold { max($0, $1) }
    case "Min": return try fold { min($0, $1) }
    case "Sum": return try fold { $0 + $1 }
    case "Mean":
      let sum = try fold { $0 + $1 }
      let count = Double(max(1, inputs.count))
      return ONNXValue(sum.numbers.map { $0 / count }, shape: sum.shape, type: sum.type)
    default:
      if let shaped = try shapeResult() { return shaped }
      if let reduced = try reductionResult() { return reduced }
      if let learned = try learnerResult() { return learned }
      throw .unsupported("the operation \(node.operation)")
    }
  }

  // MARK: - Cell by cell

  func map(_ function: (Double) -> Double) throws(ModelProblem) -> ONNXValue {
    let value = try numeric(0)
    return ONNXValue(value.numbers.map(function), shape: value.shape, type: value.type)
  }

  private func clip() throws(ModelProblem) -> ONNXValue {
    let low =
      optionalInput(1)?.numbers.first ?? node.attributes["min"]?.float.map { Double($0) } ?? -.infinity
    let high =
      optionalInput(2)?.numbers.first ?? node.attributes["max"]?.float.map { Double($0) } ?? .infinity
    return try map { min(max($0, low), high) }
  }

  private func divide() throws(ModelProblem) -> ONNXValue {
    let isWhole = try numeric(0).type.isWhole
    return try broadcast { isWhole ? ($1 == 0 ? 0 : ($0 / $1).rounded(.towardZero)) : $0 / $1 }
  }

  private func broadcast(_ combine: (Double, Double) -> Double) throws(ModelProblem) -> ONNXValue {
    try broadcast(try numeric(0), try numeric(1), as: try numeric(0).type, combine)
  }

  private func compare(_ combine: (Double, Double) -> Bool) throws(ModelProblem) -> ONNXValue {
    try broadcast(try numeric(0), try numeric(1), as: .truth) { combine($0, $1) ? 1 : 0 }
  }

  private func fold(_ combine: (Double, Double) -> Double) throws(ModelProblem) -> ONNXValue {
    var result = try numeric(0)
    for index in inputs.indices.dropFirst() {
      result = try broadcast(result, try numeric(index), as: result.type, combine)
    }
    return result
  }

  private func equal() throws(ModelProblem) -> ONNXValue {
    let (a, b) = (try input(0), try input(1))
    guard a.type == .text, b.type == .text else { return try compare { $0 == $1 } }
    let (shape, left, right) = try places(a.shape, b.shape)
    return ONNXValue(zip(left, right).map { a.texts[$0] == b.texts[$1] ? 1 : 0 }, shape: shape, type: .truth)
  }

  private func chosen() throws(ModelProblem) -> ONNXValue {
    let (condition, yes, no) = (try numeric(0), try input(1), try input(2))
    guard (yes.type == .text) == (no.type == .text) else { throw problem("texts beside numbers") }
    let (between, _, _) = try places(condition.shape, yes.shape)
    let (shape, _, noPlaces) = try places(between, no.shape)
    let conditions = try places(shape, condition.shape).right
    let yesPlaces = try places(shape, yes.shape).right
    if yes.type == .text {
      return ONNXValue(
        conditions.indices.map {
          condition.numbers[conditions[$0]] != 0 ? yes.texts[yesPlaces[$0]] : no.texts[noPlaces[$0]]
        }, shape: shape)
    }
    return ONNXValue(
      conditions.indices.map {
        condition.numbers[conditions[$0]] != 0 ? yes.numbers[yesPlaces[$0]] : no.numbers[noPlaces[$0]]
      }, shape: shape, type: yes.type)
  }

  /// NumPy's broadcasting: shapes are aligned at their ends, lengths of 1 are repeated.
  func broadcast(
    _ a: ONNXValue, _ b: ONNXValue, as type: ONNXValue.ElementType, _ combine: (Double, Double) -> Double
  ) throws(ModelProblem) -> ONNXValue {
    if a.shape == b.shape {
      return ONNXValue(zip(a.numbers, b.numbers).map(combine), shape: a.shape, type: type)
    }
    if b.count == 1, b.rank <= a.rank {
      let other = b.numbers[0]
      return ONNXValue(a.numbers.map { combine($0, other) }, shape: a.shape, type: type)
    }
    let (shape, left, right) = try places(a.shape, b.shape)
    return ONNXValue(zip(left, right).map { combine(a.numbers[$0], b.numbers[$1]) }, shape: shape, type: type)
  }

  /// The shape of two values' broadcast, and where each element's operands lie.
  func places(_ a: [Int], _ b: [Int]) throws(ModelProblem) -> (shape: [Int], left: [Int], right: [Int]) {
    let rank = max(a.count, b.count)
    func padded(_ shape: [Int]) -> [Int] { [Int](repeating: 1, count: rank - shape.count) + shape }
    let (left, right) = (padded(a), padded(b))
    var shape: [Int] = []
    for (x, y) in zip(left, right) {
      guard x == y || x == 1 || y == 1 else { throw problem("\(a) with \(b)") }
      shape.append(x == 1 ? y : x)
    }
    let count = shape.reduce(1.0) { $0 * Double($1) }
    guard count < Double(ONNXValue.limit) else { throw problem("a result of shape \(shape)") }
    func strides(_ own: [Int]) -> [Int] {
      var strides = [Int](repeating: 0, count: rank)
      var step = 1
      for axis in stride(from: rank - 1, through: 0, by: -1) {
        strides[axis] = own[axis] == 1 ? 0 : step
        step *= own[axis]
      }
      return strides
    }
    let (leftStrides, rightStrides) = (strides(left), strides(right))
    var (leftPlaces, rightPlaces): ([Int], [Int]) = ([], [])
    leftPlaces.reserveCapacity(Int(count))
    rightPlaces.reserveCapacity(Int(count))
    var place = [Int](repeating: 0, count: rank)
    var (i, j) = (0, 0)
    for _ in 0..<Int(count) {
      leftPlaces.append(i)
      rightPlaces.append(j)
      for axis in stride(from: rank - 1, through: 0, by: -1) {
        place[axis] += 1
        i += leftStrides[axis]
        j += rightStrides[axis]
        if place[axis] < shape[axis] { break }
        i -= leftStrides[axis] * shape[axis]
        j -= rightStrides[axis] * shape[axis]
        place[axis] = 0
      }
    }
    return (shape, leftPlaces, rightPlaces)
  }

  private func cast() throws(ModelProblem) -> ONNXValue {
    let value = try input(0)
    let number = integer("to", 1)
    guard let type = ONNXValue.ElementType(rawValue: number) else {
      throw .unsupported("a cast to element type \(number)")
    }
    if type == .text {
      if value.type == .text { return value }
      let isWhole = value.type.isWhole
      return ONNXValue(value.numbers.map { isWhole ? plainText($0) : "\(Float($0))" }, shape: value.shape)
    }
    if value.type == .text {
      return ONNXValue(value.texts.map { Double($0) ?? .nan }, shape: value.shape, type: type)
    }
    return ONNXValue(
      type.isWhole && type != .truth ? value.numbers.map { $0.isFinite ? $0 : 0 } : value.numbers,
      shape: value.shape,
      type: type)
  }

  // MARK: - Products

  /// NumPy's product: vectors are rows on the left and columns on the right, and are taken away from the result.
  private func product(_ a: ONNXValue, _ b: ONNXValue) throws(ModelProblem) -> ONNXValue {
    let left = a.rank == 1 ? a.reshaped([1, a.count]) : a
    let right = b.rank == 1 ? b.reshaped([b.count, 1]) : b
    guard left.rank == 2, right.rank == 2, left.shape[1] == right.shape[0] else {
      throw problem("\(a.shape) times \(b.shape)")
    }
    var shape = [left.shape[0], right.shape[1]]
    let numbers = ONNXKernels.product(left, right)
    if b.rank == 1 { shape.removeLast() }
    if a.rank == 1 { shape.removeFirst() }
    return ONNXValue(numbers, shape: shape, type: a.type)
  }

  private func generalProduct() throws(ModelProblem) -> ONNXValue {
    func side(_ index: Int, _ name: String) throws(ModelProblem) -> ONNXValue {
      let value = try matrix(index)
      return integer(name, 0) == 0 ? value : ONNXKernels.transposed(value)
    }
    let (a, b) = (try side(0, "transA"), try side(1, "transB"))
    guard a.shape[1] == b.shape[0] else { throw problem("\(a.shape) times \(b.shape)") }
    let alpha = number("alpha", 1)
    let result = ONNXValue(
      ONNXKernels.product(a, b).map { $0 * alpha }, shape: [a.shape[0], b.shape[1]], type: a.type)
    guard let added = optionalInput(2) else { return result }
    let beta = number("beta", 1)
    return try broadcast(result, added, as: result.type) { $0 + beta * $1 }
  }

  private func softmax() throws(ModelProblem) -> ONNXValue {
    let value = try numeric(0)
    let axis = try axis(integer("axis", -1), rank: value.rank)
    guard axis == value.rank - 1 || value.rank == 2 && axis == 1 else {
      throw .unsupported("\(node.operation) along axis \(axis)")
    }
    let width = max(1, value.shape.last ?? 1)
    var numbers = value.numbers
    for start in stride(from: 0, to: numbers.count, by: width) {
      let line = numbers[start..<start + width]
      let largest = line.max() ?? 0
      let sum = line.reduce(0) { $0 + exp($1 - largest) }
      for place in start..<start + width {
        let power = exp(numbers[place] - largest) / sum
        numbers[place] = node.operation == "Softmax" ? power : log(power)
      }
    }
    return ONNXValue(numbers, shape: value.shape, type: value.type)
  }
}
