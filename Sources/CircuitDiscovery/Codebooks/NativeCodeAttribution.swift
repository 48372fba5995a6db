// What each code of a model's own codebooks does to the answer.

import CausalMethods
import Tensors
import Transformers

/// Attribution of a metric to the codes of heads' codebooks.
///
/// A head's output is the sum of its active codes times W_O, so that replacing the head by what it is in the corrupted
/// prompt takes some codes away and puts others there. The score of code c is Σ_positions (n_c′ − n_c) · (c·W_O · gradient),
/// with n and n′ whether it is active in the clean and the corrupted prompt, and the gradient as in `CodeAttribution`. Codes
/// sum to the head's whole attribution: there is no error term.
public struct NativeCodeAttribution: Sendable {
  /// One code of one head.
  public struct Entry: Sendable, Equatable {
    /// The code.
    public var code: CodeAddress
    /// The mean over prompts of its score: negative where the code helps.
    public var attribution: Double
    /// Clean prompts in which it is active anywhere.
    public var uses: Int
    /// Corrupted prompts in which it is.
    public var corruptedUses: Int
  }

  /// Every code that is active in any prompt, by the size of its attribution.
  public let codes: [Entry]
  /// The sum of a head's codes `[prompt][layer · heads + head]`.
  public let byHead: [[Double]]
  /// The metric of each prompt.
  public let metric: [Double]

  /// The sum of a head's codes, a mean over prompts `[layer · heads + head]`.
  public var heads: [Double] { meanOverPrompts(byHead) }

  /// Each head's codes by the side that uses them: prompts, or their corrupted twins.
  var counts: [CodeCounts] {
    var counts = [CodeCounts](
      repeating: CodeCounts(uniqueToPositive: 0, uniqueToNegative: 0, distinct: 0),
      count: byHead.first?.count ?? 0)
    for entry in codes {
      let head = entry.code.book.layer * headsPerLayer + (entry.code.book.head ?? 0)
      counts[head].distinct += 1
      if entry.corruptedUses == 0 { counts[head].uniqueToPositive += 1 }
      if entry.uses == 0 { counts[head].uniqueToNegative += 1 }
    }
    return counts
  }

  fileprivate let headsPerLayer: Int
}

extension Transformer {
  /// Attributes a task's metric to the codes of heads' codebooks, with the corrupted twin as what stands in.
  ///
  /// - Returns: nil where heads have no codebooks, or answers are several tokens long.
  /// - Throws: what `walkHeadPaths` throws.
  public func attributeNativeCodes(
    _ task: CausalTask, _ options: HeadPathOptions, progress: (Int, Int) -> Void = { _, _ in }
  ) throws -> NativeCodeAttribution? {
    guard configuration.codebookShape(.heads) != nil, options.replacement == .pair,
      task.questions.allSatisfy({ $0.continuations.allSatisfy(\.isEmpty) })
    else { return nil }
    try task.requirePairs()
    let (clean, corrupted) = (try CodeTrace(self, task.clean), try CodeTrace(self, task.corrupted))
    var starts = [0]
    for prompt in task.clean { starts.append(starts[starts.count - 1] + prompt.count) }
    let count = Double(max(1, task.clean.count))
    var sums: [CodeAddress: Double] = [:]
    var byHead = [[Double]](
      repeating: [Double](repeating: 0, count: configuration.headCount), count: task.clean.count)
    let metric = try walkHeadPaths(task, options, progress: progress) { indices, path in
      let positions = path.gradient.shape[0] / indices.count
      for (book, address) in clean.books.enumerated() where address.layer == path.layer {
        guard let head = address.head,
          let slopes = try codeSlopes(layer: path.layer, head: head, path.gradient)
        else { continue }
        slopes.withValues { slopes in
          for (row, prompt) in indices.enumerated() {
            for position in 0..<positions {
              let (place, start) = (starts[prompt] + position, (row * positions + position) * clean.codes)
              for (trace, sign) in [(corrupted, 1.0), (clean, -1.0)] {
                for number in trace.numbers(book: book, at: place) {
                  let score = sign * Double(slopes[start + Int(number)])
                  sums[CodeAddress(book: address, number: Int(number)), default: 0] += score / count
                  byHead[prompt][path.layer * configuration.heads + head] += score
                }
              }
            }
          }
        }
      }
    }
    let (uses, corruptedUses) = (clean.promptCounts(), corrupted.promptCounts())
    let entries = sums.map { code, sum in
      NativeCodeAttribution.Entry(
        code: code, attribution: sum, uses: uses[code] ?? 0, corruptedUses: corruptedUses[code] ?? 0)
    }
    return NativeCodeAttribution(
      codes: entries.sorted {
        (abs($1.attribution), $0.code.description) < (abs($0.attribution), $1.code.description)
      }, byHead: byHead, metric: metric, headsPerLayer: configuration.heads)
  }

  /// What a unit of each code of a head does to the metric at each row `[rows, codes]`.
  private func codeSlopes(layer: Int, head: Int, _ gradient: Tensor) throws -> Tensor? {
    guard let table = weights.blocks[layer].headCodes, let shape = configuration.codebookShape(.heads)
    else { return nil }
    let own = table.rows(head * shape.codes..<(head + 1) * shape.codes)
    // The codes as z of this head alone, so that W_O of the other heads meets zeros.
    var alone = Tensor(zeros: [shape.codes, shape.columns])
    scatterHeads(
      own.reshaped([shape.codes, 1, shape.width]), into: &alone,
      HeadColumns(count: 1, width: shape.width, offset: head * shape.width, rowStride: shape.columns))
    let directions = try weights.blocks[layer].attention.headResults(alone, heads: configuration.heads)
    let width = configuration.dModel
    var slopes = Tensor(uninitialized: [gradient.shape[0], shape.codes])
    matrixProduct(
      gradient, gradient.matrix, directions,
      MatrixWindow(
        offset: head * width, rows: shape.codes, columns: width, rowStride: configuration.heads * width
      ).transpose, into: &slopes, slopes.matrix)
    return slopes
  }
}

extension CodeTrace {
  /// In how many prompts each head code is active anywhere.
  fileprivate func promptCounts() -> [CodeAddress: Int] {
    var counts: [CodeAddress: Int] = [:]
    for (index, book) in books.enumerated() where book.head != nil {
      var start = 0
      for prompt in prompts {
        var seen: Set<Int32> = []
        for position in start..<start + prompt.count { seen.formUnion(numbers(book: index, at: position)) }
        for number in seen { counts[CodeAddress(book: book, number: Int(number)), default: 0] += 1 }
        start += prompt.count
      }
    }
    return counts
  }
}
