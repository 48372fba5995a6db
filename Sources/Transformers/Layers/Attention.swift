// One layer's projections: normalised stream → queries, keys, values; z → what is added to the stream.

import Tensors

/// What a head reads the residual stream for.
enum AttentionRole: CaseIterable, Sendable {
  case queries, keys, values

  /// The place where the stream is read for it.
  var input: BlockPoint {
    switch self {
    case .queries: .queriesInput
    case .keys: .keysInput
    case .values: .valuesInput
    }
  }
}

extension AttentionColumns {
  subscript(role: AttentionRole) -> HeadColumns {
    switch role {
    case .queries: queries
    case .keys: keys
    case .values: values
    }
  }
}

extension AttentionWeights {
  /// Width of the rows that hold queries, keys and values together.
  static func inputWidth(_ configuration: TransformerConfiguration) -> Int {
    (configuration.heads + 2 * configuration.keyValueHeads) * configuration.dHead
  }

  /// Where `project` puts queries, keys and values.
  func columns(_ configuration: TransformerConfiguration) -> AttentionColumns {
    if case .fused(_, let order) = projections, order != .byKind {
      let groups = order == .byHead ? configuration.heads : configuration.keyValueHeads
      return AttentionColumns(
        interleaving: configuration.heads, groups: groups, width: configuration.dHead)
    }
    return AttentionColumns(
      heads: configuration.heads, groups: configuration.keyValueHeads, width: configuration.dHead)
  }

  /// Queries, keys and values of normalised rows, before normalisation of heads and rotary positions.
  ///
  /// - Parameters:
  ///   - x: `[rows, d_model]`
  ///   - target: `[rows, (heads + 2 · groups) · d_head]`, laid out as `columns` says.
  func project(_ x: Tensor, into target: inout Tensor) throws {
    switch projections {
    case .fused(let linear, _): try linear.apply(to: x, into: &target)
    case .separate(let queries, let keys, let values):
      try queries.apply(to: x, into: &target)
      try keys.apply(to: x, into: &target, atColumn: queries.outputs)
      try values.apply(to: x, into: &target, atColumn: queries.outputs + keys.outputs)
    }
  }

  /// The adjoint of `project`: writes the gradient of the normalised rows to `dx`.
  func projectAdjoint(_ gradient: Tensor, into dx: inout Tensor) throws {
    switch projections {
    case .fused(let linear, _): try linear.adjoint(gradient, into: &dx)
    case .separate(let queries, let keys, let values):
      try queries.adjoint(gradient, into: &dx)
      try keys.adjoint(gradient, fromColumn: queries.outputs, into: &dx, accumulating: true)
      try values.adjoint(
        gradient, fromColumn: queries.outputs + keys.outputs, into: &dx, accumulating: true)
    }
  }

  /// All matrices.
  var matrices: [Weight] {
    switch projections {
    case .fused(let linear, _): [linear.weight, output.weight]
    case .separate(let queries, let keys, let values):
      [queries.weight, keys.weight, values.weight, output.weight]
    }
  }
}

extension AttentionWeights {
  /// The map that makes one role's vectors, and the first column of the head (or group) that a query head uses.
  private func map(
    _ role: AttentionRole, head: Int, _ configuration: TransformerConfiguration
  ) -> (linear: Linear, column: Int) {
    let index = role == .queries ? head : head / configuration.groupSize
    switch (projections, role) {
    case (.fused(let linear, _), _):
      let place = columns(configuration)[role]
      return (linear, place.column(ofHead: index))
    case (.separate(let queries, _, _), .queries): return (queries, index * configuration.dHead)
    case (.separate(_, let keys, _), .keys): return (keys, index * configuration.dHead)
    case (.separate(_, _, let values), .values): return (values, index * configuration.dHead)
    }
  }

  /// One role's vectors where each query head reads rows of its own.
  ///
  /// - Parameters:
  ///   - x: `[rows, heads, d_model]`, normalised.
  ///   - target: gets the vectors of every query head, at `columns`.
  func projectHeads(
    _ role: AttentionRole, _ x: Tensor, into target: inout Tensor, _ columns: HeadColumns,
    _ configuration: TransformerConfiguration
  ) throws {
    let (heads, width) = (configuration.heads, configuration.dModel)
    let rows = x.count / (heads * width)
    let matrix = try map(role, head: 0, configuration).linear.weight.tensor()
    for head in 0..<heads {
      let (linear, column) = map(role, head: head, configuration)
      let place = MatrixWindow(
        offset: columns.column(ofHead: head), rows: rows, columns: columns.width,
        rowStride: columns.rowStride)
      if let bias = linear.bias {
        target.fillRows(bias.rows(column..<column + columns.width), atColumn: place.offset)
      }
      matrixProduct(
        x, MatrixWindow(offset: head * width, rows: rows, columns: width, rowStride: heads * width),
        matrix, linear.window(outputs: column..<column + columns.width), into: &target, place,
        accumulating: linear.bias != nil)
    }
  }

  /// The adjoint of `projectHeads`: the gradient of each head's own rows, `[rows, heads, d_model]`.
  func projectHeadsAdjoint(
    _ role: AttentionRole, _ gradient: Tensor, _ columns: HeadColumns, into dx: inout Tensor,
    _ configuration: TransformerConfiguration
  ) throws {
    let (heads, width) = (configuration.heads, configuration.dModel)
    let rows = gradient.count / columns.rowStride
    dx.become(uninitialized: [rows, heads, width])
    let matrix = try map(role, head: 0, configuration).linear.weight.tensor()
    for head in 0..<heads {
      let (linear, column) = map(role, head: head, configuration)
      matrixProduct(
        gradient,
        MatrixWindow(
          offset: columns.column(ofHead: head), rows: rows, columns: columns.width,
          rowStride: columns.rowStride),
        matrix, linear.window(outputs: column..<column + columns.width).transpose, into: &dx,
        MatrixWindow(offset: head * width, rows: rows, columns: width, rowStride: heads * width))
    }
  }

  /// Each head's own output: z·W_O without bias.
  ///
  /// - Parameter z: `[rows, heads · d_head]`
  /// - Returns: `[rows, heads, d_model]`
  public func headResults(_ z: Tensor, heads: Int) throws -> Tensor {
    let width = output.inputs / heads
    let rowCount = z.count / output.inputs
    let weight = try output.weight.tensor()
    var results = Tensor(uninitialized: [rowCount, heads, output.outputs])
    for head in 0..<heads {
      matrixProduct(
        z, MatrixWindow(offset: head * width, rows: rowCount, columns: width, rowStride: output.inputs),
        weight, output.window(inputs: head * width..<(head + 1) * width), into: &results,
        MatrixWindow(
          offset: head * output.outputs, rows: rowCount, columns: output.outputs,
          rowStride: heads * output.outputs))
    }
    return results
  }

  /// The adjoint of `headResults`: the gradient of z where each head's result has one of its own.
  ///
  /// - Parameter gradient: `[rows, heads, d_model]`
  func headResultsAdjoint(_ gradient: Tensor, heads: Int, into dz: inout Tensor) throws {
    let width = output.inputs / heads
    let rowCount = gradient.count / (heads * output.outputs)
    let weight = try output.weight.tensor()
    for head in 0..<heads {
      matrixProduct(
        gradient,
        MatrixWindow(
          offset: head * output.outputs, rows: rowCount, columns: output.outputs,
          rowStride: heads * output.outputs),
        weight, output.window(inputs: head * width..<(head + 1) * width).transpose, into: &dz,
        MatrixWindow(offset: head * width, rows: rowCount, columns: width, rowStride: output.inputs))
    }
  }
}

extension ParameterGradient {
  /// Adds the gradients of W_Q, W_K, W_V and their biases, given that of `project`'s result.
  mutating func addProjections(_ attention: AttentionWeights, layer: Int, x: Tensor, dy: Tensor) {
    switch attention.projections {
    case .fused(let linear, _):
      add(linear, .block(layer, .fusedWeight), bias: .block(layer, .fusedBias), x: x, dy: dy)
    case .separate(let queries, let keys, let values):
      add(queries, .block(layer, .queryWeight), bias: .block(layer, .queryBias), x: x, dy: dy)
      add(
        keys, .block(layer, .keyWeight), bias: .block(layer, .keyBias), x: x, dy: dy,
        fromColumn: queries.outputs)
      add(
        values, .block(layer, .valueWeight), bias: .block(layer, .valueBias), x: x, dy: dy,
        fromColumn: queries.outputs + keys.outputs)
    }
  }
}
