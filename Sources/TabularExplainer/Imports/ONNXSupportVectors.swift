// Support vector machines in ONNX, as libsvm computes them (Chang & Lin 2011; Wu, Lin & Weng 2004 for probabilities).

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// An `SVMClassifier` or `SVMRegressor`.
struct ONNXSupportVectors {
  private let node: ONNXGraph.Node
  private let vectors: [Double]
  private let coefficients: [Double]
  private let rho: [Double]
  private let perClass: [Int]
  private let kernel: String
  private let parameters: [Double]
  private let (slopes, offsets): ([Double], [Double])

  init(_ operation: ONNXOperation) throws(ModelProblem) {
    node = operation.node
    let attributes = node.attributes
    func doubles(_ name: String) -> [Double] { (attributes[name]?.floats ?? []).map { Double($0) } }
    vectors = doubles("support_vectors")
    coefficients = doubles("coefficients")
    rho = doubles("rho")
    perClass = attributes["vectors_per_class"]?.integers ?? []
    kernel = attributes["kernel_type"]?.text ?? "LINEAR"
    parameters = doubles("kernel_params")
    (slopes, offsets) = (doubles("prob_a"), doubles("prob_b"))
    guard ["LINEAR", "POLY", "RBF", "SIGMOID"].contains(kernel), kernel == "LINEAR" || parameters.count == 3
    else {
      throw .unsupported("the kernel \(kernel)")
    }
  }

  /// Probabilities, or one quantity, for every row of a matrix.
  func scores(_ value: ONNXValue) throws(ModelProblem) -> ONNXValue {
    let (rows, width) = (value.shape[0], value.shape[1])
    let count = width == 0 ? 0 : vectors.count / width
    guard width > 0, vectors.count == count * width, rho.count > 0 else {
      throw .malformed("\(node.operation): its vectors")
    }
    let isClassifier = node.operation == "SVMClassifier"
    var result: [Double] = []
    var outputs = 1
    for row in 0..<rows {
      let cells = value.numbers[row * width..<(row + 1) * width]
      if !isClassifier {
        guard node.attributes["one_class"]?.integer ?? 0 == 0,
          coefficients.count == (count == 0 ? width : count)
        else {
          throw .unsupported("one-class machines")
        }
        let similarities = count == 0 ? Array(cells) : (0..<count).map { similarity(cells, $0, width) }
        result.append(zip(similarities, coefficients).reduce(rho[0]) { $0 + $1.0 * $1.1 })
        continue
      }
      let probabilities = try classProbabilities((0..<count).map { similarity(cells, $0, width) })
      outputs = probabilities.count
      result += probabilities
    }
    if rows == 0 { outputs = isClassifier ? max(2, perClass.count) : 1 }
    return ONNXValue(result, shape: [rows, outputs], type: .float)
  }

  private func similarity(_ cells: ArraySlice<Double>, _ vector: Int, _ width: Int) -> Double {
    let own = vectors[vector * width..<(vector + 1) * width]
    if kernel == "RBF" {
      return exp(-parameters[0] * zip(cells, own).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) })
    }
    let dot = zip(cells, own).reduce(0) { $0 + $1.0 * $1.1 }
    switch kernel {
    case "POLY": return pow(parameters[0] * dot + parameters[1], parameters[2])
    case "SIGMOID": return tanh(parameters[0] * dot + parameters[1])
    default: return dot
    }
  }

  /// One machine for every pair of classes, their decisions as probabilities, coupled.
  private func classProbabilities(_ similarities: [Double]) throws(ModelProblem) -> [Double] {
    let classes = perClass.count
    let pairs = classes * (classes - 1) / 2
    guard classes >= 2, perClass.allSatisfy({ $0 >= 0 }), perClass.reduce(0, +) == similarities.count,
      coefficients.count == (classes - 1) * similarities.count, rho.count >= pairs
    else { throw .malformed("\(node.operation): \(classes) classes, \(coefficients.count) coefficients") }
    guard slopes.count == pairs, offsets.count == pairs else {
      throw .unsupported("a support vector classifier without probabilities")
    }
    let starts = perClass.indices.map { perClass.prefix($0).reduce(0, +) }
    var pairwise = [[Double]](repeating: [Double](repeating: 0, count: classes), count: classes)
    var pair = 0
    for i in 0..<classes {
      for j in i + 1..<classes {
        var sum = rho[pair]
        for place in starts[i]..<starts[i] + perClass[i] {
          sum += coefficients[(j - 1) * similarities.count + place] * similarities[place]
        }
        for place in starts[j]..<starts[j] + perClass[j] {
          sum += coefficients[i * similarities.count + place] * similarities[place]
        }
        let p = min(max(1 / (1 + exp(sum * slopes[pair] + offsets[pair])), 1e-7), 1 - 1e-7)
        (pairwise[i][j], pairwise[j][i]) = (p, 1 - p)
        pair += 1
      }
    }
    return Self.coupled(pairwise)
  }

  /// Class probabilities from those of pairs: the second approach of Wu, Lin and Weng, as libsvm iterates it.
  private static func coupled(_ pairwise: [[Double]]) -> [Double] {
    let count = pairwise.count
    var q = pairwise
    for t in 0..<count {
      q[t][t] = 0
      for j in 0..<count where j != t {
        q[t][t] += pairwise[j][t] * pairwise[j][t]
        q[t][j] = -pairwise[j][t] * pairwise[t][j]
      }
    }
    var p = [Double](repeating: 1 / Double(count), count: count)
    for _ in 0..<max(100, count) {
      var qp = (0..<count).map { t in (0..<count).reduce(0) { $0 + q[t][$1] * p[$1] } }
      var pqp = zip(p, qp).reduce(0) { $0 + $1.0 * $1.1 }
      if qp.map({ abs($0 - pqp) }).max() ?? 0 < 0.005 / Double(count) { break }
      for t in 0..<count {
        let difference = (-qp[t] + pqp) / q[t][t]
        p[t] += difference
        pqp = (pqp + difference * (difference * q[t][t] + 2 * qp[t])) / (1 + difference) / (1 + difference)
        for j in 0..<count {
          qp[j] = (qp[j] + difference * q[t][j]) / (1 + difference)
          p[j] /= 1 + difference
        }
      }
    }
    return p
  }
}
