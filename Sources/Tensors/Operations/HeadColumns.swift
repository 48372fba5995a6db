// Where the heads' vectors lie within the rows of a matrix.

/// Columns of a `[rows, width]` matrix that hold one vector a head: head h's begins at `offset + h · headStride`.
///
/// Heads may come in runs, one every `runStride` columns, with something else between them.
///
/// Queries, keys and values of one token often share a row; each is then a `HeadColumns` of the same matrix.
public struct HeadColumns: Sendable, Equatable {
  /// Number of heads.
  public var count: Int
  /// Length of one head's vector (d_head).
  public var width: Int
  /// Column where the first head's vector begins.
  public var offset: Int
  /// Columns from one head's vector to the next one's.
  public var headStride: Int
  /// Number of heads of a run.
  public var runLength: Int
  /// Columns from the first head of a run to that of the next one.
  public var runStride: Int
  /// Length of a row of the matrix.
  public var rowStride: Int

  /// Columns of `count` heads; side by side where no stride is given, in one run where none is.
  public init(
    count: Int, width: Int, offset: Int = 0, headStride: Int? = nil, runLength: Int? = nil,
    runStride: Int = 0,
    rowStride: Int
  ) {
    self.count = count
    self.width = width
    self.offset = offset
    self.headStride = headStride ?? width
    self.runLength = max(1, runLength ?? count)
    self.runStride = runStride
    self.rowStride = rowStride
  }

  /// Heads side by side that fill the rows: `[rows, count · width]`.
  public init(filling count: Int, width: Int) {
    self.init(count: count, width: width, rowStride: count * width)
  }

  /// The column where a head's vector begins.
  public func column(ofHead head: Int) -> Int {
    offset + head / runLength * runStride + head % runLength * headStride
  }

  func start(row: Int, head: Int) -> Int { row * rowStride + column(ofHead: head) }

  /// All heads as one, where they lie side by side.
  public var joined: HeadColumns {
    precondition(headStride == width && runLength >= count, "heads that do not lie side by side")
    return HeadColumns(count: 1, width: count * width, offset: offset, rowStride: rowStride)
  }

  /// Refuses a matrix whose rows are shorter than these columns say.
  func check(_ x: Tensor) {
    precondition(
      x.shape.last == rowStride && column(ofHead: count - 1) + width <= rowStride,
      "\(count) heads of width \(width) in rows of \(x.shape)")
  }
}

/// The heads' vectors as a tensor of their own: `[rows, count, width]`.
public func gatherHeads(_ x: Tensor, _ heads: HeadColumns) -> Tensor {
  heads.check(x)
  let rowCount = x.count / heads.rowStride
  let result = Tensor(uninitialized: [rowCount, heads.count, heads.width])
  let (source, target) = (ConstFloatAddress(x.pointer), FloatAddress(result.storage.base))
  withExtendedLifetime((x.storage, result.storage)) {
    for row in 0..<rowCount {
      for head in 0..<heads.count {
        (target.address + (row * heads.count + head) * heads.width)
          .update(from: source.address + heads.start(row: row, head: head), count: heads.width)
      }
    }
  }
  return result
}

/// Writes `[rows, count, width]` back to the heads' columns.
public func scatterHeads(_ values: Tensor, into x: inout Tensor, _ heads: HeadColumns) {
  heads.check(x)
  let rowCount = x.count / heads.rowStride
  precondition(
    values.count == rowCount * heads.count * heads.width,
    "\(values.shape) for \(heads.count) heads of \(x.shape)")
  let (source, target) = (values.pointer, x.mutablePointer())
  withExtendedLifetime(values.storage) {
    for row in 0..<rowCount {
      for head in 0..<heads.count {
        (target + heads.start(row: row, head: head))
          .update(from: source + (row * heads.count + head) * heads.width, count: heads.width)
      }
    }
  }
}
