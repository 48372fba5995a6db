// Running an ONNX graph's nodes: operations one after the other, trees on their cells, and graphs within the graph.

import Tables
import Trees

extension ONNXModel {
  /// Runs nodes on values.
  func run(_ nodes: [ONNXGraph.Node], _ values: inout [String: ONNXValue]) throws(ModelProblem) {
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
}
