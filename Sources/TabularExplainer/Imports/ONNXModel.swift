// An ONNX graph tied to a table: the nodes that lead to its prediction, and what its inputs take.

import Files
import Trees

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
  let trees: [String: TreeEnsemble]
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
}
