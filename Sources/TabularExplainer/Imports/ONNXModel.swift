// From an ONNX graph to a black box: which value holds the prediction, what its classes are called, and the way there.

import Files
import Tables
import Tensors
import Trees

/// An ONNX model of a table: cells in, class probabilities or one quantity out.
///
/// Only the nodes that the prediction needs are run; labels, their casts and maps are left aside.
public struct ONNXBlackBox: BlackBox {
  /// The classes' names, or one name for a regression.
  public let outputNames: [String]
  /// The features' names, in the order of the model's inputs.
  public let featureNames: [String]
  private let model: ONNXModel
  private let path: String
  /// Rows that are run at once: values on the way hold several numbers a row.
  private static let batch = 4096

  init(_ model: ONNXModel, features: [String], outputs: [String], path: String) {
    self.model = model
    featureNames = features
    outputNames = outputs
    self.path = path
  }

  /// Predictions for every row, shape `[rows, outputs]`.
  /// - Throws: `TableError` where a feature is not there or holds text, `ModelFileError` where the graph contradicts
  ///   itself.
  public func predict(_ features: Features) throws -> Tensor {
    let columns = try columns(of: features)
    let rows = features.rowCount
    var values: [Float] = []
    values.reserveCapacity(rows * outputNames.count)
    do {
      for start in stride(from: 0, to: rows, by: Self.batch) {
        let range = start..<min(start + Self.batch, rows)
        values += try model.predict(columns.map { $0.rows(range) }, rows: range.count).numbers.map {
          Float($0)
        }
      }
    } catch {
      throw error.located(path: path, format: .onnx)
    }
    guard values.count == rows * outputNames.count else {
      throw ModelFileError.malformed(
        path: path, format: .onnx, problem: "\(values.count) predictions for \(rows) rows")
    }
    let outputs = Tensor(values, shape: [rows, outputNames.count])
    try requirePredictions(outputs, of: path, areClasses: false)
    return outputs
  }

  /// The table's columns as the model's inputs take them: doubles as they stood in the file, or texts.
  private func columns(of features: Features) throws(TableError) -> [ONNXModel.Column] {
    let places = try FeatureMatches(featureNames, among: features.names).places
    var columns: [ONNXModel.Column] = []
    for (index, place) in places.enumerated() {
      let cells = features.column(place)
      if model.takesText(index) {
        switch features.kinds[place] {
        case .categorical(let names):
          columns.append(.texts(cells.map { $0.isNaN || Int($0) >= names.count ? "" : names[Int($0)] }))
        case .numeric:
          columns.append(.texts(cells.map { $0.isNaN ? "" : plainText(features.exactValue($0, of: place)) }))
        }
      } else {
        guard let numbers = features.recoded(cells, of: place, as: .numeric) else {
          throw .wrongKind(feature: featureNames[index], wantsNumbers: true)
        }
        columns.append(
          .numbers(
            features.kinds[place] == .numeric
              ? numbers.map { features.exactValue($0, of: place) } : numbers.map { Double($0) }))
      }
    }
    return columns
  }
}

/// A graph with its prediction found.
struct ONNXModel: Sendable {
  /// One feature's cells.
  enum Column: Sendable {
    case numbers([Double])
    case texts([String])

    func rows(_ range: Range<Int>) -> Column {
      switch self {
      case .numbers(let numbers): .numbers(Array(numbers[range]))
      case .texts(let texts): .texts(Array(texts[range]))
      }
    }
  }

  private let graph: ONNXGraph
  /// The value that is the prediction.
  private let target: String
  /// The nodes that lead to it, in order.
  private let steps: [ONNXGraph.Node]
  /// The tree operators among them, by the name of the value they make.
  private let trees: [String: TreeEnsemble]
  /// How many columns each of the graph's inputs takes.
  private let widths: [Int]
  let names: ModelNames
  /// Whether the model is one tree operator, and nothing else changes features or scores.
  private let isPlain: Bool

  /// What a graph says of itself, before it is tied to a table.
  static func glance(_ graph: ONNXGraph) throws(ModelProblem) -> ModelNames {
    do throws(ModelProblem) {
      return try ONNXModel(graph, tableFeatureCount: nil).namesWithOutputs()
    } catch {
      // Without a table the width of an input may be unknown, and then nothing can be run.
      guard case .malformed = error, graph.inputs.contains(where: { $0.shape.count != 2 || $0.shape[1] <= 0 })
      else {
        throw error
      }
      let (target, zipLabels) = try prediction(of: graph)
      let labels = zipLabels ?? labels(in: graph)
      let classifies =
        zipLabels != nil || target.lowercased().contains("prob")
        || graph.nodes.contains { $0.operation.hasSuffix("Classifier") }
      return ModelNames(
        features: nil, featureCount: 0, classes: labels, outputCount: labels?.count ?? 1,
        classifies: classifies)
    }
  }

  init(_ graph: ONNXGraph, tableFeatureCount: Int?) throws(ModelProblem) {
    self.graph = graph
    let (target, zipLabels) = try Self.prediction(of: graph)
    self.target = target
    steps = try Self.steps(to: target, in: graph)
    for input in graph.inputs where ONNXValue.ElementType(rawValue: input.elementType) == nil {
      throw .unsupported("the input \(input.name), which holds neither numbers nor texts")
    }
    var read: [String: ONNXTrees] = [:]
    for step in steps where step.operation.hasPrefix("TreeEnsemble") {
      // Classifiers give labels first, then scores.
      if let value = step.outputs.last { read[value] = try ONNXTrees(step, CellScales(), isDouble: false) }
    }
    widths = try Self.inputWidths(graph, trees: read, tableFeatureCount: tableFeatureCount)
    let featureCount = widths.reduce(0, +)
    var ensembles: [String: TreeEnsemble] = [:]
    for (value, trees) in read {
      do throws(TreeError) {
        let width = max(trees.featuresNeeded, featureCount)
        ensembles[value] = try trees.ensemble(
          features: (0..<width).map { String($0) }, outputs: (0..<trees.outputCount).map { String($0) })
      } catch {
        throw error.modelProblem
      }
    }
    self.trees = ensembles
    isPlain =
      steps.allSatisfy { step in
        step.operation.hasPrefix("TreeEnsemble") || step.operation == "Identity"
          || step.operation == "Cast" && step.attributes["to"]?.integer == 1
      } && read.count == 1 && graph.inputs.count == 1
    let labels = zipLabels ?? Self.labels(in: graph)
    let hasProbabilities =
      zipLabels != nil || target.lowercased().contains("prob")
      || steps.contains { $0.operation.hasSuffix("Classifier") }
    names = ModelNames(
      features: graph.inputs.count > 1 ? Self.inputNames(graph, widths) : nil, featureCount: featureCount,
      classes: labels, outputCount: 0, classifies: hasProbabilities)
    try check()
  }

  /// The trees alone, with thresholds for a table's cells, where nothing else changes features or scores.
  func onlyTrees(_ cells: CellScales) throws(ModelProblem) -> ONNXTrees? {
    guard isPlain, let step = steps.first(where: { $0.operation.hasPrefix("TreeEnsemble") }),
      let type = graph.inputs.first?.elementType
    else { return nil }
    let isCast = steps.contains { $0.operation == "Cast" }
    return try ONNXTrees(step, cells, isDouble: type == 11 && !isCast)
  }

  /// Whether a feature's input holds texts.
  func takesText(_ feature: Int) -> Bool {
    var end = 0
    for (input, width) in zip(graph.inputs, widths) {
      end += width
      if feature < end { return input.elementType == ONNXValue.ElementType.text.rawValue }
    }
    return false
  }

  /// Columns of zeros and empty texts.
  private func blank(rows: Int) -> [Column] {
    (0..<names.featureCount).map { feature in
      takesText(feature)
        ? .texts([String](repeating: "", count: rows)) : .numbers([Double](repeating: 0, count: rows))
    }
  }

  /// Runs two rows of zeros, so that what does not fit together is found when the file is read.
  private func check() throws(ModelProblem) {
    let result = try predict(blank(rows: 2), rows: 2)
    guard result.count > 0 else { throw .malformed("the prediction has no columns") }
  }

  /// Names with the number of outputs that a trial run gives.
  func namesWithOutputs() throws(ModelProblem) -> ModelNames {
    var names = names
    names.outputCount = try predict(blank(rows: 1), rows: 1).count
    return names
  }

  /// Predictions, one row after the other, from the features' cells.
  func predict(_ columns: [Column], rows: Int) throws(ModelProblem) -> ONNXValue {
    var values: [String: ONNXValue] = graph.constants
    var start = 0
    for (input, width) in zip(graph.inputs, widths) {
      values[input.name] = try Self.matrix(Array(columns[start..<start + width]), rows: rows, input)
      start += width
    }
    try run(steps, &values)
    guard let result = values[target], result.type != .text, result.count % max(1, rows) == 0 else {
      throw .malformed("the prediction \(target) has no row for every row of the table")
    }
    guard result.rank < 2 || result.shape[0] == rows else {
      throw .malformed("the prediction has shape \(result.shape) for \(rows) rows")
    }
    return result.reshaped([rows, result.count / max(1, rows)])
  }

  private static func matrix(
    _ columns: [Column], rows: Int, _ input: ONNXGraph.Port
  ) throws(ModelProblem) -> ONNXValue {
    let type = ONNXValue.ElementType(rawValue: input.elementType) ?? .float
    let shape = input.shape.count == 1 ? [rows * columns.count] : [rows, columns.count]
    if type == .text {
      let texts = columns.map { column -> [String] in if case .texts(let texts) = column { texts } else { [] }
      }
      return ONNXValue((0..<rows).flatMap { row in texts.map { $0[row] } }, shape: shape)
    }
    let numbers = columns.map { column -> [Double] in
      if case .numbers(let numbers) = column { numbers } else { [] }
    }
    return ONNXValue(
      (0..<rows).flatMap { row in
        numbers.map { type.isWhole && !$0[row].isFinite ? 0 : $0[row] }
      }, shape: shape, type: type)
  }

  /// Runs nodes on values.
  private func run(_ nodes: [ONNXGraph.Node], _ values: inout [String: ONNXValue]) throws(ModelProblem) {
    for step in nodes {
      if let output = step.outputs.last, let ensemble = trees[output] {
        guard let cells = step.inputs.first.flatMap({ values[$0] }), cells.rank == 2, cells.type != .text
        else {
          throw .malformed("\(step.operation) has no matrix to read")
        }
        values[output] = try scores(step, ensemble, cells)
        continue
      }
      if step.operation == "Scan" {
        try scan(step, &values)
        continue
      }
      var inputs: [ONNXValue?] = []
      for name in step.inputs {
        guard !name.isEmpty else {
          inputs.append(nil)
          continue
        }
        guard let value = values[name] else {
          throw .malformed("\(step.operation) needs \(name) before it is there")
        }
        inputs.append(value)
      }
      let results = try ONNXOperation(node: step, inputs: inputs).results()
      // Classifiers give labels first, then scores.
      if results.count == 1 {
        if let output = step.outputs.last { values[output] = results[0] }
      } else {
        for (output, result) in zip(step.outputs, results) { values[output] = result }
      }
    }
  }

  /// Runs a graph once for every element along the first axis of some values, with the others carried along.
  private func scan(_ node: ONNXGraph.Node, _ values: inout [String: ONNXValue]) throws(ModelProblem) {
    guard let body = node.attributes["body"]?.graphs.first,
      let scanned = node.attributes["num_scan_inputs"]?.integer,
      scanned > 0, scanned <= node.inputs.count, body.inputs.count == node.inputs.count,
      node.outputs.count <= body.outputs.count, node.inputs.count - scanned <= body.outputs.count
    else { throw .malformed("Scan: its graph") }
    for key in ["scan_input_axes", "scan_output_axes", "scan_input_directions", "scan_output_directions"] {
      if node.attributes[key]?.integers.contains(where: { $0 != 0 }) ?? false {
        throw .unsupported("Scan with \(key)")
      }
    }
    let states = node.inputs.count - scanned
    var carried: [ONNXValue] = []
    var elements: [ONNXValue] = []
    for (place, name) in node.inputs.enumerated() {
      guard let value = values[name] else { throw .malformed("Scan needs \(name) before it is there") }
      if place < states { carried.append(value) } else { elements.append(value) }
    }
    guard let length = elements.first?.shape.first, elements.allSatisfy({ $0.shape.first == length }) else {
      throw .malformed("Scan: values of different lengths")
    }
    var collected = [[ONNXValue]](repeating: [], count: max(0, body.outputs.count - states))
    for step in 0..<length {
      var own = values
      own.merge(body.constants) { $1 }
      for (place, input) in body.inputs.enumerated() {
        if place < states {
          own[input.name] = carried[place]
        } else {
          let value = elements[place - states]
          let size = value.count / max(1, length)
          own[input.name] = value.gathering(
            Array(step * size..<(step + 1) * size), shape: Array(value.shape.dropFirst()))
        }
      }
      try run(body.nodes, &own)
      for (place, output) in body.outputs.enumerated() {
        guard let value = own[output.name] else { throw .malformed("Scan: no value \(output.name)") }
        if place < states { carried[place] = value } else { collected[place - states].append(value) }
      }
    }
    for (place, name) in node.outputs.enumerated() {
      if place < states {
        values[name] = carried[place]
      } else if let first = collected[place - states].first {
        let parts = collected[place - states]
        guard parts.allSatisfy({ $0.shape == first.shape }), first.type != .text else {
          throw .malformed("Scan: results of different shapes")
        }
        values[name] = ONNXValue(
          parts.flatMap(\.numbers), shape: [parts.count] + first.shape, type: first.type)
      }
    }
  }

  private func scores(
    _ step: ONNXGraph.Node, _ ensemble: TreeEnsemble, _ cells: ONNXValue
  ) throws(ModelProblem) -> ONNXValue {
    let (rows, width) = (cells.shape[0], cells.shape[1])
    let needed = ensemble.featureNames.count
    guard width >= (ensemble.usedFeatures.last ?? -1) + 1 else {
      throw .malformed("trees ask for feature \(needed - 1) of \(width)")
    }
    var values: [Float] = []
    values.reserveCapacity(needed * rows)
    var scales: [Int: ExactScale] = [:]
    for feature in 0..<needed {
      guard feature < width else {
        values += [Float](repeating: .nan, count: rows)
        continue
      }
      let column = (0..<rows).map { cells.numbers[$0 * width + feature] }
      if cells.type == .double {
        let scale = ExactScale(column)
        scales[feature] = scale
        values += column.map { scale.standIn(for: $0) }
      } else {
        values += column.map { Float($0) }
      }
    }
    let features = Features(
      names: ensemble.featureNames, kinds: ensemble.featureKinds, rowCount: rows, values: values,
      scales: scales)
    do {
      // Doubles are compared as doubles: the thresholds are those of these cells.
      let trees =
        scales.isEmpty
        ? ensemble
        : try ONNXTrees(step, CellScales(features, places: Array(0..<needed)), isDouble: true)
          .ensemble(features: ensemble.featureNames, outputs: ensemble.outputNames)
      return ONNXValue(try trees.predict(features))
    } catch let problem as ModelProblem {
      throw problem
    } catch {
      throw .malformed("the trees' features")
    }
  }

  // MARK: - Finding one's way in the graph

  /// The value to predict with, and its classes' names where a map has them.
  private static func prediction(of graph: ONNXGraph) throws(ModelProblem) -> (String, [String]?) {
    for output in graph.outputs {
      if let node = graph.producer(of: output.name), node.operation == "ZipMap", let value = node.inputs.first
      {
        return (value, labels(of: node))
      }
    }
    if let named = graph.outputs.first(where: { $0.name.lowercased().contains("prob") }) {
      return (named.name, nil)
    }
    guard let last = graph.outputs.last(where: { [1, 11].contains($0.elementType) }) else {
      throw .unsupported("a graph without an output of floats")
    }
    return (last.name, nil)
  }

  private static func labels(of node: ONNXGraph.Node) -> [String]? {
    for key in ["classlabels_strings", "classlabels_int64s", "classlabels_ints"] {
      guard let attribute = node.attributes[key] else { continue }
      if !attribute.texts.isEmpty { return attribute.texts }
      if !attribute.integers.isEmpty { return attribute.integers.map { String($0) } }
    }
    return nil
  }

  /// The classes' names: of the node that makes the labels, else the constant that labels are taken from.
  private static func labels(in graph: ONNXGraph) -> [String]? {
    for output in graph.outputs {
      var name = output.name
      // Back through what only changes the labels' shape or type.
      for _ in 0..<6 {
        guard let node = graph.producer(of: name) else { break }
        if let labels = labels(of: node) { return labels }
        if node.operation == "ArrayFeatureExtractor",
          let constant = node.inputs.first.flatMap({ graph.constants[$0] })
        {
          return constant.type == .text ? constant.texts : constant.numbers.map(plainText)
        }
        guard ["Identity", "Reshape", "Cast", "Squeeze", "ZipMap"].contains(node.operation),
          let input = node.inputs.first
        else { break }
        name = input
      }
    }
    return graph.nodes.lazy.compactMap { labels(of: $0) }.first
  }

  /// The nodes that `target` needs, in an order in which each finds its inputs.
  private static func steps(to target: String, in graph: ONNXGraph) throws(ModelProblem) -> [ONNXGraph.Node] {
    var producers: [String: Int] = [:]
    for (index, node) in graph.nodes.enumerated() {
      for output in node.outputs where !output.isEmpty { producers[output] = index }
    }
    var needed: Set<Int> = []
    var pending = [target]
    while let value = pending.popLast() {
      guard let index = producers[value], needed.insert(index).inserted else { continue }
      let node = graph.nodes[index]
      pending += node.inputs
      for body in node.attributes.values.flatMap(\.graphs) { pending += body.nodes.flatMap(\.inputs) }
    }
    let steps = needed.sorted().map { graph.nodes[$0] }
    let trees = ["TreeEnsembleClassifier", "TreeEnsembleRegressor", "TreeEnsemble"]
    func refuse(_ nodes: [ONNXGraph.Node], inside: Bool) throws(ModelProblem) {
      for node in nodes where !ONNXOperation.supported.contains(node.operation) {
        if !inside, trees.contains(node.operation) { continue }
        guard node.operation == "Scan", !inside else { throw .unsupported("the operation \(node.operation)") }
        for body in node.attributes.values.flatMap(\.graphs) { try refuse(body.nodes, inside: true) }
      }
    }
    try refuse(steps, inside: false)
    return steps
  }

  /// How many columns every input takes: what its shape says, or what the table has.
  private static func inputWidths(
    _ graph: ONNXGraph, trees: [String: ONNXTrees], tableFeatureCount: Int?
  ) throws(ModelProblem) -> [Int] {
    guard !graph.inputs.isEmpty else { throw .malformed("the graph has no input") }
    var widths: [Int] = []
    for input in graph.inputs {
      if input.shape.count == 2, input.shape[1] > 0 {
        widths.append(input.shape[1])
      } else if graph.inputs.count > 1 {
        widths.append(1)
      } else if let width = knownWidth(of: input.name, in: graph, depth: 0) {
        widths.append(width)
      } else if let tableFeatureCount {
        widths.append(tableFeatureCount)
      } else {
        widths.append(max(1, trees.values.map(\.featuresNeeded).max() ?? 1))
      }
    }
    guard widths.reduce(0.0, { $0 + Double($1) }) < Double(Limit.columns.value) else {
      throw .malformed("an input of \(widths) columns")
    }
    return widths
  }

  /// How many columns the operations that read a value need; nil where none says.
  private static func knownWidth(of name: String, in graph: ONNXGraph, depth: Int) -> Int? {
    guard depth < 6 else { return nil }
    for node in graph.nodes where node.inputs.contains(name) {
      func count(_ key: String) -> Int {
        let attribute = node.attributes[key]
        return max(attribute?.floats.count ?? 0, attribute?.integers.count ?? 0)
      }
      var width: Int?
      switch node.operation {
      case "MatMul", "Gemm":
        let isTransposed = node.attributes["transB"]?.integer ?? 0 != 0
        if node.inputs.first == name, node.inputs.count > 1, let constant = graph.constants[node.inputs[1]] {
          width = isTransposed ? constant.shape.last : constant.shape.first
        }
      case "Scaler": width = max(count("offset"), count("scale"))
      case "Imputer": width = max(count("imputed_value_floats"), count("imputed_value_int64s"))
      case "Add", "Sub", "Mul", "Div":
        width = node.inputs.lazy.filter { $0 != name }.compactMap { graph.constants[$0]?.shape.last }.first
      case "LinearClassifier":
        let classes = max(1, count("intercepts"))
        width = count("coefficients") % classes == 0 ? count("coefficients") / classes : nil
      case "SVMClassifier":
        let vectors = node.attributes["vectors_per_class"]?.integers.reduce(0, +) ?? 0
        width = vectors > 0 ? count("support_vectors") / vectors : nil
      case "Cast", "Identity", "Normalizer":
        width = node.outputs.first.flatMap { knownWidth(of: $0, in: graph, depth: depth + 1) }
      default: width = nil
      }
      if let width, width > 1 { return width }
    }
    return nil
  }

  private static func inputNames(_ graph: ONNXGraph, _ widths: [Int]) -> [String] {
    zip(graph.inputs, widths).flatMap { input, width in
      width == 1 ? [input.name] : (0..<width).map { "\(input.name)_\($0)" }
    }
  }
}
