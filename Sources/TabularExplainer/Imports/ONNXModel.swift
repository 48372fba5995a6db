// From an ONNX graph to a black box: which value holds the prediction, what its classes are called, and the way there.

import Files
import Tables
import Tensors
import Trees

/// An ONNX model of a table: numbers in, class probabilities or one quantity out.
///
/// Only the nodes that the prediction needs are run; labels, their casts and maps are left aside.
public struct ONNXBlackBox: BlackBox {
  /// The classes' names, or one name for a regression.
  public let outputNames: [String]
  /// The features' names, in the order of the model's input.
  public let featureNames: [String]
  private let model: ONNXModel
  private let path: String

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
    let kinds = [FeatureKind](repeating: .numeric, count: featureNames.count)
    let aligned = try features.aligned(to: featureNames, kinds: kinds)
    let cells = Tensor(aligned.values, shape: [featureNames.count, features.rowCount])
    let outputs: Tensor
    do {
      outputs = try model.predict(columns: cells, rows: features.rowCount)
    } catch {
      throw error.located(path: path, format: .onnx)
    }
    try requirePredictions(outputs, of: path, areClasses: false)
    return outputs
  }
}

/// A graph with its prediction found.
struct ONNXModel: Sendable {
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
  /// The trees alone, where nothing else changes features or scores.
  let onlyTrees: ONNXTrees?

  init(_ graph: ONNXGraph, tableFeatureCount: Int?) throws(ModelProblem) {
    self.graph = graph
    let (target, zipLabels) = try Self.prediction(of: graph)
    self.target = target
    steps = try Self.steps(to: target, in: graph)
    for input in graph.inputs where ![1, 11].contains(input.elementType) {
      throw .unsupported("the input \(input.name), which is no matrix of floats")
    }
    var read: [String: ONNXTrees] = [:]
    for step in steps where step.operation.hasPrefix("TreeEnsemble") {
      // Classifiers give labels first, then scores.
      if let value = step.outputs.last { read[value] = try ONNXTrees(step) }
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
    let isPlain = steps.allSatisfy { $0.operation.hasPrefix("TreeEnsemble") || $0.operation == "Identity" }
    onlyTrees = isPlain && read.count == 1 && graph.inputs.count == 1 ? read.first?.value : nil
    let labels = zipLabels ?? Self.labels(in: graph)
    let hasProbabilities =
      zipLabels != nil || target.lowercased().contains("prob")
      || steps.contains { $0.operation.hasSuffix("Classifier") }
    names = ModelNames(
      features: graph.inputs.count > 1 ? Self.inputNames(graph, widths) : nil, featureCount: featureCount,
      classes: labels, outputCount: 0, classifies: hasProbabilities)
    try check()
  }

  /// Runs two rows of zeros, so that what does not fit together is found when the file is read.
  private func check() throws(ModelProblem) {
    let result = try predict(columns: Tensor(zeros: [names.featureCount, 2]), rows: 2)
    guard result.shape[1] > 0 else { throw .malformed("the prediction has no columns") }
  }

  /// Names with the number of outputs that a trial run gives.
  func namesWithOutputs() throws(ModelProblem) -> ModelNames {
    var names = names
    names.outputCount = try predict(columns: Tensor(zeros: [names.featureCount, 1]), rows: 1).shape[1]
    return names
  }

  /// Predictions from feature-major cells `[features, rows]`.
  func predict(columns: Tensor, rows: Int) throws(ModelProblem) -> Tensor {
    var values: [String: Tensor] = graph.constants.mapValues(\.values)
    var start = 0
    for (input, width) in zip(graph.inputs, widths) {
      values[input.name] = columns.rows(start..<start + width).transposedMatrix()
      start += width
    }
    for step in steps {
      if let output = step.outputs.last, let ensemble = trees[output] {
        guard let cells = step.inputs.first.flatMap({ values[$0] }), cells.rank == 2 else {
          throw .malformed("\(step.operation) has no matrix to read")
        }
        values[output] = try scores(ensemble, cells)
        continue
      }
      var inputs: [Tensor] = []
      for name in step.inputs where !name.isEmpty {
        guard let value = values[name] else {
          throw .malformed("\(step.operation) needs \(name) before it is there")
        }
        inputs.append(value)
      }
      let result = try ONNXOperation(node: step, inputs: inputs).result()
      // Classifiers give labels first, then scores.
      if let output = step.outputs.last { values[output] = result }
    }
    guard let result = values[target], result.count % max(1, rows) == 0, rows > 0 || result.count == 0,
      result.rank == 2 || result.rank == 1
    else { throw .malformed("the prediction \(target) has no row for every row of the table") }
    if rows == 0 { return Tensor(zeros: [0, max(1, names.outputCount)]) }
    guard result.rank == 1 || result.shape[0] == rows else {
      throw .malformed("the prediction has shape \(result.shape) for \(rows) rows")
    }
    return result.reshaped([rows, result.count / rows])
  }

  private func scores(_ ensemble: TreeEnsemble, _ cells: Tensor) throws(ModelProblem) -> Tensor {
    let needed = ensemble.featureNames.count
    guard cells.shape[1] >= (ensemble.usedFeatures.last ?? -1) + 1 else {
      throw .malformed("trees ask for feature \(needed - 1) of \(cells.shape[1])")
    }
    let width = cells.shape[1]
    let columns =
      width == needed
      ? cells : cells.gatheringColumns((0..<needed).map { $0 < width ? $0 : -1 }, filler: .nan)
    let features = Features(
      names: ensemble.featureNames, kinds: ensemble.featureKinds, rowCount: cells.shape[0],
      values: columns.transposedMatrix().values)
    do throws(TableError) {
      return try ensemble.predict(features)
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

  private static func labels(in graph: ONNXGraph) -> [String]? {
    graph.nodes.lazy.compactMap { labels(of: $0) }.first
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
      pending += graph.nodes[index].inputs
    }
    let steps = needed.sorted().map { graph.nodes[$0] }
    for step in steps
    where !ONNXOperation.supported.contains(step.operation)
      && !["TreeEnsembleClassifier", "TreeEnsembleRegressor"].contains(step.operation)
    {
      throw .unsupported("the operation \(step.operation)")
    }
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

  private static func inputNames(_ graph: ONNXGraph, _ widths: [Int]) -> [String] {
    zip(graph.inputs, widths).flatMap { input, width in
      width == 1 ? [input.name] : (0..<width).map { "\(input.name)_\($0)" }
    }
  }
}
