// ONNX operations that move elements without changing them.

extension ONNXOperation {
  /// The result of an operation on shapes; nil where the node is none.
  func shapeResult() throws(ModelProblem) -> ONNXValue? {
    switch node.operation {
    case "Reshape", "Flatten": return try reshape()
    case "Squeeze": return try squeeze()
    case "Unsqueeze": return try unsqueeze()
    case "Transpose": return try transpose()
    case "Concat", "FeatureVectorizer": return try concatenate()
    case "Slice": return try slice()
    case "Gather": return try gather()
    case "GatherElements": return try gatherElements()
    case "Expand": return try expand()
    case "Tile": return try tile()
    case "ArrayFeatureExtractor": return try extract()
    case "Shape":
      let shape = try input(0).shape
      return ONNXValue(shape.map { Double($0) }, shape: [shape.count], type: .int64)
    case "Size": return ONNXValue([Double(try input(0).count)], shape: [], type: .int64)
    case "ConstantOfShape":
      let shape = try lengths(0)
      let filler = node.attributes["value"]?.tensor
      return ONNXValue(
        [Double](repeating: filler?.numbers.first ?? 0, count: shape.reduce(1, *)), shape: shape,
        type: filler?.type ?? .float)
    case "Constant": return try constant()
    default: return nil
    }
  }

  private func constant() throws(ModelProblem) -> ONNXValue {
    if let value = node.attributes["value"]?.tensor { return value }
    if let number = node.attributes["value_float"]?.float {
      return ONNXValue([Double(number)], shape: [], type: .float)
    }
    if let number = node.attributes["value_int"]?.integer {
      return ONNXValue([Double(number)], shape: [], type: .int64)
    }
    if let text = node.attributes["value_string"]?.text { return ONNXValue([text], shape: []) }
    if let numbers = node.attributes["value_floats"]?.floats {
      return ONNXValue(numbers.map { Double($0) }, shape: [numbers.count], type: .float)
    }
    if let numbers = node.attributes["value_ints"]?.integers {
      return ONNXValue(numbers.map { Double($0) }, shape: [numbers.count], type: .int64)
    }
    throw problem("no value")
  }

  /// An input that is a shape.
  private func lengths(_ index: Int) throws(ModelProblem) -> [Int] {
    guard let lengths = try input(index).wholeNumbers, lengths.allSatisfy({ $0 >= 0 }),
      lengths.reduce(1.0, { $0 * Double($1) }) < Double(ONNXValue.limit)
    else { throw problem("input \(index) is no shape") }
    return lengths
  }

  private func reshape() throws(ModelProblem) -> ONNXValue {
    let value = try input(0)
    var wanted: [Int]
    if node.operation == "Reshape" {
      guard let lengths = try input(1).wholeNumbers else { throw problem("its shape") }
      wanted = lengths
    } else {
      let axis = integer("axis", 1)
      let front = value.shape.prefix(max(0, axis < 0 ? axis + value.rank : axis)).reduce(1, *)
      return value.reshaped([front, front == 0 ? 0 : value.count / front])
    }
    for (axis, length) in wanted.enumerated() where length == 0 && integer("allowzero", 0) == 0 {
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

  private func squeeze() throws(ModelProblem) -> ONNXValue {
    let value = try input(0)
    var axes: Set<Int> = []
    if let given = try wholeNumbers("axes", input: 1) {
      for number in given { axes.insert(try axis(number, rank: value.rank)) }
    } else {
      axes = Set(value.shape.indices.filter { value.shape[$0] == 1 })
    }
    guard axes.allSatisfy({ value.shape[$0] == 1 }) else {
      throw problem("axes \(axes.sorted()) of \(value.shape)")
    }
    return value.reshaped(value.shape.indices.filter { !axes.contains($0) }.map { value.shape[$0] })
  }

  private func unsqueeze() throws(ModelProblem) -> ONNXValue {
    let value = try input(0)
    let given = try wholeNumbers("axes", input: 1) ?? []
    var axes: [Int] = []
    for number in given { axes.append(try axis(number, rank: value.rank + given.count)) }
    var shape = value.shape
    for axis in axes.sorted() { shape.insert(1, at: min(axis, shape.count)) }
    return value.reshaped(shape)
  }

  private func transpose() throws(ModelProblem) -> ONNXValue {
    let value = try input(0)
    let order = node.attributes["perm"]?.integers ?? Array(value.shape.indices.reversed())
    guard order.sorted() == Array(value.shape.indices) else { throw problem("the order \(order)") }
    return gathering(value, shape: order.map { value.shape[$0] }) { place in
      var own = [Int](repeating: 0, count: place.count)
      for (axis, source) in order.enumerated() { own[source] = place[axis] }
      return own
    }
  }

  /// A value of another shape; `source` says which element of `value` an element is.
  private func gathering(_ value: ONNXValue, shape: [Int], _ source: ([Int]) -> [Int]) -> ONNXValue {
    let count = shape.reduce(1, *)
    var places: [Int] = []
    places.reserveCapacity(count)
    var place = [Int](repeating: 0, count: shape.count)
    for _ in 0..<count {
      places.append(zip(source(place), value.shape).reduce(0) { $0 * $1.1 + $1.0 })
      for axis in stride(from: shape.count - 1, through: 0, by: -1) {
        place[axis] += 1
        if place[axis] < shape[axis] { break }
        place[axis] = 0
      }
    }
    return value.gathering(places, shape: shape)
  }

  private func concatenate() throws(ModelProblem) -> ONNXValue {
    guard !inputs.isEmpty else { throw problem("no inputs") }
    var values: [ONNXValue] = []
    for index in inputs.indices {
      values.append(node.operation == "FeatureVectorizer" ? try matrix(index) : try input(index))
    }
    let first = values[0]
    let along = try axis(node.operation == "Concat" ? integer("axis", 1) : 1, rank: first.rank)
    var shape = first.shape
    for value in values.dropFirst() {
      guard value.rank == first.rank, (value.type == .text) == (first.type == .text),
        value.shape.indices.allSatisfy({ $0 == along || value.shape[$0] == first.shape[$0] })
      else { throw problem("\(first.shape) beside \(value.shape)") }
      shape[along] += value.shape[along]
    }
    let outer = shape.prefix(along).reduce(1, *)
    let widths = values.map { $0.shape.suffix(from: along).reduce(1, *) }
    var numbers: [Double] = []
    var texts: [String] = []
    for block in 0..<outer {
      for (value, width) in zip(values, widths) {
        let range = block * width..<(block + 1) * width
        if value.type == .text { texts += value.texts[range] } else { numbers += value.numbers[range] }
      }
    }
    return first.type == .text
      ? ONNXValue(texts, shape: shape) : ONNXValue(numbers, shape: shape, type: first.type)
  }

  private func slice() throws(ModelProblem) -> ONNXValue {
    let value = try input(0)
    guard let starts = try wholeNumbers("starts", input: 1), let ends = try wholeNumbers("ends", input: 2),
      starts.count == ends.count
    else { throw problem("where it starts and ends") }
    let axes = try wholeNumbers("axes", input: 3) ?? Array(starts.indices)
    let steps = try wholeNumbers("steps", input: 4) ?? [Int](repeating: 1, count: starts.count)
    guard axes.count == starts.count, steps.count == starts.count, steps.allSatisfy({ $0 > 0 }) else {
      throw .unsupported("Slice with steps \(steps)")
    }
    var (shape, first, step) = (
      value.shape, [Int](repeating: 0, count: value.rank), [Int](repeating: 1, count: value.rank)
    )
    for (place, number) in axes.enumerated() {
      let along = try axis(number, rank: value.rank)
      let length = value.shape[along]
      func bounded(_ index: Int) -> Int { min(max(index < 0 ? index + length : index, 0), length) }
      first[along] = bounded(starts[place])
      step[along] = steps[place]
      shape[along] = max(0, (bounded(ends[place]) - first[along] + steps[place] - 1) / steps[place])
    }
    let (firsts, strides) = (first, step)
    return gathering(value, shape: shape) { place in
      place.indices.map { firsts[$0] + place[$0] * strides[$0] }
    }
  }

  private func gather() throws(ModelProblem) -> ONNXValue {
    let (value, indices) = (try input(0), try input(1))
    let along = try axis(integer("axis", 0), rank: value.rank)
    guard let chosen = indices.wholeNumbers else { throw problem("indices that are no whole numbers") }
    let length = value.shape[along]
    let places = chosen.map { $0 < 0 ? $0 + length : $0 }
    guard places.allSatisfy({ (0..<length).contains($0) }) else { throw problem("an index beyond \(length)") }
    let (outer, inner) = (
      value.shape.prefix(along).reduce(1, *), value.shape.dropFirst(along + 1).reduce(1, *)
    )
    guard outer * places.count * inner < ONNXValue.limit else { throw problem("\(places.count) indices") }
    var sources: [Int] = []
    for block in 0..<outer {
      for place in places {
        sources += ((block * length + place) * inner..<(block * length + place + 1) * inner)
      }
    }
    return value.gathering(
      sources,
      shape: Array(value.shape.prefix(along)) + indices.shape + Array(value.shape.dropFirst(along + 1)))
  }

  private func gatherElements() throws(ModelProblem) -> ONNXValue {
    let (value, indices) = (try input(0), try input(1))
    let along = try axis(integer("axis", 0), rank: value.rank)
    guard let chosen = indices.wholeNumbers, indices.rank == value.rank else { throw problem("its indices") }
    let length = value.shape[along]
    guard chosen.allSatisfy({ (-length..<length).contains($0) }),
      indices.shape.indices.allSatisfy({ $0 == along || indices.shape[$0] <= value.shape[$0] })
    else { throw problem("an index beyond \(length)") }
    return gathering(value, shape: indices.shape) { place in
      var own = place
      let number = chosen[zip(place, indices.shape).reduce(0) { $0 * $1.1 + $1.0 }]
      own[along] = number < 0 ? number + length : number
      return own
    }
  }

  private func expand() throws(ModelProblem) -> ONNXValue {
    let value = try input(0)
    let (shape, left, _) = try places(value.shape, try lengths(1))
    return value.gathering(left, shape: shape)
  }

  private func tile() throws(ModelProblem) -> ONNXValue {
    let value = try input(0)
    let repeats = try lengths(1)
    guard repeats.count == value.rank else { throw problem("repeats \(repeats) of \(value.shape)") }
    let shape = zip(value.shape, repeats).map { $0 * $1 }
    guard shape.reduce(1.0, { $0 * Double($1) }) < Double(ONNXValue.limit) else {
      throw problem("shape \(shape)")
    }
    return gathering(value, shape: shape) { place in zip(place, value.shape).map { $0 % max(1, $1) } }
  }

  private func extract() throws(ModelProblem) -> ONNXValue {
    let value = try input(0).rank == 1 ? try input(0).reshaped([1, try input(0).count]) : try input(0)
    guard let columns = try input(1).wholeNumbers, let width = value.shape.last,
      columns.allSatisfy({ (0..<width).contains($0) })
    else { throw problem("columns of \(value.shape)") }
    let outer = value.shape.dropLast().reduce(1, *)
    guard outer * columns.count < ONNXValue.limit else { throw problem("\(columns.count) columns") }
    let sources = (0..<outer).flatMap { row in columns.map { row * width + $0 } }
    return value.gathering(sources, shape: value.shape.dropLast() + [columns.count])
  }

  func split() throws(ModelProblem) -> [ONNXValue] {
    let value = try input(0)
    let along = try axis(integer("axis", 0), rank: value.rank)
    let count = max(1, node.outputs.count)
    let sizes =
      try wholeNumbers("split", input: 1)
      ?? (0..<count).map { (value.shape[along] * ($0 + 1)) / count - (value.shape[along] * $0) / count }
    guard sizes.allSatisfy({ $0 >= 0 }), sizes.reduce(0, +) == value.shape[along] else {
      throw problem("parts \(sizes) of \(value.shape)")
    }
    var start = 0
    return sizes.map { size in
      defer { start += size }
      let first = start
      var shape = value.shape
      shape[along] = size
      return gathering(value, shape: shape) { place in
        var own = place
        own[along] += first
        return own
      }
    }
  }
}
