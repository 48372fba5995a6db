// ai.onnx.ml: encoders, scalers, linear models and support vector machines.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

extension ONNXOperation {
  /// The result of an operation of ai.onnx.ml; nil where the node is none.
  func learnerResult() throws(ModelProblem) -> ONNXValue? {
    switch node.operation {
    case "Scaler": return try scale()
    case "Normalizer": return try normalise()
    case "Imputer": return try impute()
    case "Binarizer":
      let threshold = number("threshold", 0)
      return try map { $0 > threshold ? 1 : 0 }
    case "LinearClassifier", "LinearRegressor": return try linear()
    case "OneHotEncoder": return try oneHot()
    case "LabelEncoder", "CategoryMapper": return try encodeLabels()
    case "SVMClassifier", "SVMRegressor": return try ONNXSupportVectors(self).scores(try matrix(0))
    default: return nil
    }
  }

  /// A list attribute of one number a column, or of one number for all.
  private func row(_ name: String, columns: Int, otherwise: Double) throws(ModelProblem) -> [Double] {
    let attribute = node.attributes[name]
    let values = (attribute?.floats ?? []).map { Double($0) }
    switch values.count {
    case 0: return [Double](repeating: otherwise, count: columns)
    case 1: return [Double](repeating: values[0], count: columns)
    case columns: return values
    default: throw problem("\"\(name)\" holds \(values.count) numbers for \(columns) columns")
    }
  }

  private func scale() throws(ModelProblem) -> ONNXValue {
    let value = try matrix(0)
    let width = value.shape[1]
    let offset = try row("offset", columns: width, otherwise: 0)
    let scale = try row("scale", columns: width, otherwise: 1)
    let numbers = value.numbers.enumerated().map { place, number in
      let difference = number - offset[place % width]
      return (value.type == .double ? difference : Double(Float(difference))) * scale[place % width]
    }
    return ONNXValue(numbers, shape: value.shape, type: .float)
  }

  private func normalise() throws(ModelProblem) -> ONNXValue {
    let value = try matrix(0)
    let width = value.shape[1]
    let norm = node.attributes["norm"]?.text ?? "MAX"
    var cells = value.numbers
    for start in stride(from: 0, to: cells.count, by: max(1, width)) {
      let line = cells[start..<start + width]
      let length: Double
      switch norm {
      case "L1": length = line.reduce(0) { $0 + abs($1) }
      case "L2": length = line.reduce(0) { $0 + $1 * $1 }.squareRoot()
      case "MAX": length = line.max() ?? 0
      default: throw .unsupported("Normalizer with the norm \(norm)")
      }
      guard length != 0 else { continue }
      for place in start..<start + width { cells[place] /= length }
    }
    return ONNXValue(cells, shape: value.shape, type: .float)
  }

  private func impute() throws(ModelProblem) -> ONNXValue {
    let value = try matrix(0)
    let width = value.shape[1]
    let isWhole = value.type == .int64
    let filler: [Double]
    if isWhole {
      let values = (node.attributes["imputed_value_int64s"]?.integers ?? []).map { Double($0) }
      guard values.count == width || values.count == 1 else {
        throw problem("\(values.count) fillers for \(width) columns")
      }
      filler = values.count == 1 ? [Double](repeating: values[0], count: width) : values
    } else {
      filler = try row("imputed_value_floats", columns: width, otherwise: 0)
    }
    let replaced =
      isWhole
      ? Double(integer("replaced_value_int64", 0))
      : node.attributes["replaced_value_float"]?.float.map { Double($0) } ?? .nan
    let numbers = value.numbers.enumerated().map { place, number in
      (replaced.isNaN ? number.isNaN : number == replaced) ? filler[place % width] : number
    }
    return ONNXValue(numbers, shape: value.shape, type: value.type)
  }

  private func linear() throws(ModelProblem) -> ONNXValue {
    let value = try matrix(0)
    let coefficients = (node.attributes["coefficients"]?.floats ?? []).map { Double($0) }
    let width = value.shape[1]
    guard width > 0, coefficients.count % width == 0, !coefficients.isEmpty else {
      throw problem("\(coefficients.count) coefficients for \(width) features")
    }
    let targets = coefficients.count / width
    let intercepts = try row("intercepts", columns: targets, otherwise: 0)
    let weights = ONNXKernels.transposed(ONNXValue(coefficients, shape: [targets, width], type: .float))
    let input = value.type == .double ? value : ONNXValue(value.numbers, shape: value.shape, type: .float)
    let scores = ONNXKernels.product(input, weights).enumerated().map { $1 + intercepts[$0 % targets] }
    let transform = node.attributes["post_transform"]?.text ?? "NONE"
    let rows = value.shape[0]
    if node.operation == "LinearClassifier", targets == 1 {
      // One score for two classes: the second's, and its complement.
      switch transform {
      case "LOGISTIC":
        return ONNXValue(
          scores.flatMap { score in
            let p = 1 / (1 + exp(-score))
            return [1 - p, p]
          }, shape: [rows, 2], type: .float)
      default: throw .unsupported("a LinearClassifier of one score without LOGISTIC")
      }
    }
    return ONNXValue(
      try ONNXTransform.apply(transform, scores, width: targets), shape: [rows, targets], type: .float)
  }

  /// `[…]` to `[…, categories]`: 1 at the place of the cell's category, 0 for categories that are not known.
  private func oneHot() throws(ModelProblem) -> ONNXValue {
    let value = try input(0)
    let words = node.attributes["cats_strings"]?.texts ?? []
    let numbers = node.attributes["cats_int64s"]?.integers ?? []
    let width = max(words.count, numbers.count)
    guard width > 0, value.count * width < ONNXValue.limit else { throw problem("\(width) categories") }
    let places: [Int?]
    if value.type == .text {
      let codes = Dictionary(zip(words, 0...), uniquingKeysWith: { first, _ in first })
      places = value.texts.map { codes[$0] }
    } else {
      let codes = Dictionary(zip(numbers.map { Double($0) }, 0...), uniquingKeysWith: { first, _ in first })
      places = value.numbers.map { codes[$0.rounded(.towardZero)] }
    }
    var result = [Double](repeating: 0, count: value.count * width)
    for (index, place) in places.enumerated() { if let place { result[index * width + place] = 1 } }
    return ONNXValue(result, shape: value.shape + [width], type: .float)
  }

  /// Keys to values, texts or numbers on either side.
  private func encodeLabels() throws(ModelProblem) -> ONNXValue {
    let value = try input(0)
    let attributes = node.attributes
    func list(_ side: String) -> (texts: [String], numbers: [Double], isWhole: Bool) {
      if let tensor = attributes[side + "_tensor"]?.tensor {
        return (tensor.texts, tensor.numbers, tensor.type.isWhole)
      }
      let texts = attributes[side + "_strings"]?.texts ?? []
      let integers = attributes[side + "_int64s"]?.integers ?? []
      if !integers.isEmpty { return (texts, integers.map { Double($0) }, true) }
      return (texts, (attributes[side + "_floats"]?.floats ?? []).map { Double($0) }, false)
    }
    var (keys, values) = (list("keys"), list("values"))
    if let classes = attributes["classes_strings"]?.texts ?? attributes["cats_strings"]?.texts,
      !classes.isEmpty
    {
      // The first version: texts and their places, or the numbers beside them.
      let numbers = attributes["cats_int64s"]?.integers ?? Array(classes.indices)
      let words = (texts: classes, numbers: [Double](), isWhole: true)
      let places = (texts: [String](), numbers: numbers.map { Double($0) }, isWhole: true)
      (keys, values) = value.type == .text ? (words, places) : (places, words)
    }
    let count = max(keys.texts.count, keys.numbers.count)
    guard count == (values.texts.isEmpty ? values.numbers.count : values.texts.count) else {
      throw problem("\(count) keys, and other values")
    }
    let places: [Int?]
    if value.type == .text {
      let codes = Dictionary(zip(keys.texts, 0...), uniquingKeysWith: { first, _ in first })
      places = value.texts.map { codes[$0] }
    } else {
      let codes = Dictionary(
        zip(keys.numbers.map(\.bitPattern), 0...), uniquingKeysWith: { first, _ in first })
      let missing = keys.numbers.firstIndex { $0.isNaN }
      places = value.numbers.map { $0.isNaN ? missing : codes[($0 + 0).bitPattern] }
    }
    if !values.texts.isEmpty {
      let otherwise = attributes["default_string"]?.text ?? "_Unused"
      return ONNXValue(places.map { $0.map { values.texts[$0] } ?? otherwise }, shape: value.shape)
    }
    let otherwise =
      attributes["default_tensor"]?.tensor?.numbers.first
      ?? (values.isWhole
        ? Double(attributes["default_int64"]?.integer ?? -1)
        : Double(attributes["default_float"]?.float ?? 0))
    return ONNXValue(
      places.map { $0.map { values.numbers[$0] } ?? otherwise }, shape: value.shape,
      type: values.isWhole ? .int64 : .float)
  }
}

/// What turns scores into answers, row by row.
enum ONNXTransform {
  static func apply(_ name: String, _ scores: [Double], width: Int) throws(ModelProblem) -> [Double] {
    switch name {
    case "NONE", "": return scores
    case "LOGISTIC": return scores.map { 1 / (1 + exp(-$0)) }
    case "SOFTMAX":
      var result = scores
      for start in stride(from: 0, to: scores.count, by: max(1, width)) {
        let line = scores[start..<start + width]
        let largest = line.max() ?? 0
        let sum = line.reduce(0) { $0 + exp($1 - largest) }
        for place in start..<start + width { result[place] = exp(scores[place] - largest) / sum }
      }
      return result
    default: throw .unsupported("scores with the transform \(name)")
    }
  }
}
