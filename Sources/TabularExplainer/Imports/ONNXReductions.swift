// ONNX operations that take many elements to one, or order them.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

extension ONNXOperation {
  /// The result of a reduction; nil where the node is none.
  func reductionResult() throws(ModelProblem) -> ONNXValue? {
    switch node.operation {
    case "ReduceSum": return try reduce { $0.reduce(0, +) }
    case "ReduceMean": return try reduce { $0.reduce(0, +) / Double(max(1, $0.count)) }
    case "ReduceMax": return try reduce { $0.max() ?? -.infinity }
    case "ReduceMin": return try reduce { $0.min() ?? .infinity }
    case "ReduceProd": return try reduce { $0.reduce(1, *) }
    case "ReduceL1": return try reduce { $0.reduce(0) { $0 + abs($1) } }
    case "ReduceL2": return try reduce { $0.reduce(0) { $0 + $1 * $1 }.squareRoot() }
    case "ReduceSumSquare": return try reduce { $0.reduce(0) { $0 + $1 * $1 } }
    case "ReduceLogSum": return try reduce { log($0.reduce(0, +)) }
    case "ReduceLogSumExp":
      return try reduce { numbers in
        let largest = numbers.max() ?? 0
        return largest + log(numbers.reduce(0) { $0 + exp($1 - largest) })
      }
    case "ArgMax": return try extreme { $0 > $1 }
    case "ArgMin": return try extreme { $0 < $1 }
    case "CumSum": return try cumulativeSum()
    case "CDist": return try distances()
    default: return nil
    }
  }

  private func reduce(_ function: ([Double]) -> Double) throws(ModelProblem) -> ONNXValue {
    let value = try numeric(0)
    var axes: Set<Int> = []
    for number in try wholeNumbers("axes", input: 1) ?? [] { axes.insert(try axis(number, rank: value.rank)) }
    if axes.isEmpty {
      if integer("noop_with_empty_axes", 0) != 0 { return value }
      axes = Set(value.shape.indices)
    }
    let keeps = integer("keepdims", 1) != 0
    var shape: [Int] = []
    for (place, length) in value.shape.enumerated() {
      if !axes.contains(place) { shape.append(length) } else if keeps { shape.append(1) }
    }
    let others = value.shape.indices.filter { !axes.contains($0) }
    var groups = [[Double]](repeating: [], count: others.reduce(1) { $0 * value.shape[$1] })
    var place = [Int](repeating: 0, count: value.rank)
    for number in value.numbers {
      groups[others.reduce(0) { $0 * value.shape[$1] + place[$1] }].append(number)
      for along in stride(from: value.rank - 1, through: 0, by: -1) {
        place[along] += 1
        if place[along] < value.shape[along] { break }
        place[along] = 0
      }
    }
    return ONNXValue(groups.map(function), shape: shape, type: value.type)
  }

  /// The lines along an axis: `outer` blocks of `length` elements, `inner` apart.
  private func lines(_ value: ONNXValue, _ along: Int) -> (outer: Int, length: Int, inner: Int) {
    (
      value.shape.prefix(along).reduce(1, *), value.shape.isEmpty ? 1 : value.shape[along],
      value.shape.dropFirst(along + 1).reduce(1, *)
    )
  }

  private func extreme(_ isBetter: (Double, Double) -> Bool) throws(ModelProblem) -> ONNXValue {
    let value = try numeric(0)
    let along = try axis(integer("axis", 0), rank: value.rank)
    let (outer, length, inner) = lines(value, along)
    guard length > 0 else { throw problem("no elements") }
    var result: [Double] = []
    for block in 0..<outer {
      for place in 0..<inner {
        var best = 0
        for index in 1..<max(1, length) {
          let (a, b) = (
            value.numbers[(block * length + index) * inner + place],
            value.numbers[(block * length + best) * inner + place]
          )
          if isBetter(a, b) { best = index }
        }
        result.append(Double(best))
      }
    }
    var shape = value.shape
    if integer("keepdims", 1) != 0 {
      if !shape.isEmpty { shape[along] = 1 }
    } else if !shape.isEmpty {
      shape.remove(at: along)
    }
    return ONNXValue(result, shape: shape, type: .int64)
  }

  func topK() throws(ModelProblem) -> [ONNXValue] {
    let value = try numeric(0)
    guard let count = try wholeNumbers("k", input: 1)?.first else { throw problem("its k") }
    let along = try axis(integer("axis", -1), rank: value.rank)
    let (outer, length, inner) = lines(value, along)
    guard count >= 0, count <= length else { throw problem("the \(count) largest of \(length)") }
    let largest = integer("largest", 1) != 0
    var shape = value.shape
    shape[along] = count
    var values = [Double](repeating: 0, count: outer * count * inner)
    var indices = values
    for block in 0..<outer {
      for place in 0..<inner {
        func number(_ index: Int) -> Double { value.numbers[(block * length + index) * inner + place] }
        let order = (0..<length).sorted {
          let (a, b) = (number($0), number($1))
          return a == b ? $0 < $1 : largest ? a > b : a < b
        }
        for (rank, index) in order.prefix(count).enumerated() {
          values[(block * count + rank) * inner + place] = number(index)
          indices[(block * count + rank) * inner + place] = Double(index)
        }
      }
    }
    return [
      ONNXValue(values, shape: shape, type: value.type), ONNXValue(indices, shape: shape, type: .int64),
    ]
  }

  private func cumulativeSum() throws(ModelProblem) -> ONNXValue {
    let value = try numeric(0)
    guard integer("exclusive", 0) == 0, integer("reverse", 0) == 0 else {
      throw .unsupported("CumSum with options")
    }
    let along = try axis(optionalInput(1)?.wholeNumbers?.first ?? 0, rank: value.rank)
    let (outer, length, inner) = lines(value, along)
    var numbers = value.numbers
    for block in 0..<outer {
      for index in 1..<max(1, length) {
        for place in 0..<inner {
          numbers[(block * length + index) * inner + place] +=
            numbers[(block * length + index - 1) * inner + place]
        }
      }
    }
    return ONNXValue(numbers, shape: value.shape, type: value.type)
  }

  /// Distances between the rows of two matrices.
  private func distances() throws(ModelProblem) -> ONNXValue {
    let (a, b) = (try matrix(0), try matrix(1))
    let metric = node.attributes["metric"]?.text ?? "sqeuclidean"
    let width = a.shape[1]
    guard b.shape[1] == width, a.shape[0] * b.shape[0] < ONNXValue.limit else {
      throw problem("\(a.shape) with \(b.shape)")
    }
    var result: [Double] = []
    for i in 0..<a.shape[0] {
      for j in 0..<b.shape[0] {
        var sum = 0.0
        for place in 0..<width {
          let difference = a.numbers[i * width + place] - b.numbers[j * width + place]
          switch metric {
          case "sqeuclidean", "euclidean": sum += difference * difference
          case "manhattan", "cityblock": sum += abs(difference)
          default: throw .unsupported("the distance \(metric)")
          }
        }
        result.append(metric == "euclidean" ? sum.squareRoot() : sum)
      }
    }
    return ONNXValue(result, shape: [a.shape[0], b.shape[0]], type: a.type)
  }
}
