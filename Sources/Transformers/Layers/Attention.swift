// One layer's attention: residual stream → queries, keys, values → z → what is added to the stream.

import Tensors

extension AttentionWeights {
  /// Width of the rows that hold queries, keys and values together.
  static func inputWidth(_ configuration: TransformerConfiguration) -> Int {
    (configuration.heads + 2 * configuration.keyValueHeads) * configuration.dHead
  }

  /// Where `project` puts queries, keys and values.
  func columns(
    _ configuration: TransformerConfiguration
  ) -> (queries: HeadColumns, keys: HeadColumns, values: HeadColumns) {
    let (heads, groups, width) = (configuration.heads, configuration.keyValueHeads, configuration.dHead)
    let rowStride = Self.inputWidth(configuration)
    if case .fused(_, .byHead) = projections {
      func part(_ index: Int) -> HeadColumns {
        HeadColumns(
          count: heads, width: width, offset: index * width, headStride: 3 * width, rowStride: rowStride)
      }
      return (part(0), part(1), part(2))
    }
    func part(_ count: Int, after offset: Int) -> HeadColumns {
      HeadColumns(count: count, width: width, offset: offset * width, rowStride: rowStride)
    }
    return (part(heads, after: 0), part(groups, after: heads), part(groups, after: heads + groups))
  }

  /// Queries, keys and values of normalised rows, before normalisation of heads and rotary positions.
  ///
  /// - Parameters:
  ///   - x: `[rows, d_model]`
  ///   - target: `[rows, (heads + 2 · groups) · d_head]`, laid out as `columns` says.
  public func project(_ x: Tensor, into target: inout Tensor) throws {
    switch projections {
    case .fused(let linear, _): try linear.apply(to: x, into: &target)
    case .separate(let queries, let keys, let values):
      try queries.apply(to: x, into: &target)
      try keys.apply(to: x, into: &target, atColumn: queries.outputs)
      try values.apply(to: x, into: &target, atColumn: queries.outputs + keys.outputs)
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
}
