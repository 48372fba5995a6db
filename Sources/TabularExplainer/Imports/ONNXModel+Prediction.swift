// Finding one's way in an ONNX graph: which value is the prediction, what its classes are called, how wide inputs are.

import Files
import Tables

extension ONNXModel {
  /// The value to predict with, and its classes' names where a map has them.
  static func prediction(of graph: ONNXGraph) throws(ModelProblem) -> (String, [String]?) {
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
  static func labels(in graph: ONNXGraph) -> [String]? {
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
  static func steps(to target: String, in graph: ONNXGraph) throws(ModelProblem) -> [ONNXGraph.Node] {
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
  static func inputWidths(
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

  static func inputNames(_ graph: ONNXGraph, _ widths: [Int]) -> [String] {
    zip(graph.inputs, widths).flatMap { input, width in
      width == 1 ? [input.name] : (0..<width).map { "\(input.name)_\($0)" }
    }
  }
}
