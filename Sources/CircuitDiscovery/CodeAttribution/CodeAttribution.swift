// What each code of each head does to the answer: the change of its activation times what its direction does to the metric.

import CausalMethods
import SparseAutoencoders
import Tensors
import Transformers

/// A code of one head.
public struct HeadCode: Hashable, Sendable {
  /// The head, over all layers: layer · heads a layer + head.
  public var head: Int
  /// The code's number in the dictionary.
  public var code: Int

  /// A code of a head.
  public init(head: Int, code: Int) {
    self.head = head
    self.code = code
  }
}

/// Attribution of a metric to the codes of heads (with an error term, after Marks et al. 2024, arXiv 2403.19647).
///
/// The score of code k of a head on one prompt is Σ_positions (f_k′ − f_k) · (D_k · ∂metric/∂result), where f and f′ are the
/// code's activations of the head's output and of what stands in for it, D_k is the code's direction and the gradient is
/// the mean over the line between the two. It is the change of the metric that replacing the head causes through this
/// code: negative where the code helps. What no code carries is the error term; codes and error sum to the head's whole
/// attribution.
public struct CodeAttribution: Sendable {
  /// What the codes are of.
  public let dictionary: CodeDictionary
  /// The number of heads, over all layers.
  public let heads: Int
  /// `[prompt, head · features]`.
  public fileprivate(set) var codes: Tensor
  /// Attribution of whole heads, without any dictionary `[prompt][head]`.
  public fileprivate(set) var whole: [[Double]]
  /// On how many prompts each code is active at all `[head · features]`.
  public fileprivate(set) var uses: [Int]
  /// On how many of the prompts' replacements it is.
  public fileprivate(set) var replacedUses: [Int]
  /// Where each code counts most: the prompt and the position of its largest term.
  public fileprivate(set) var strongest: [(size: Float, prompt: Int, position: Int)]

  /// The number of codes of a head.
  public var features: Int { dictionary.features }
  /// The number of prompts.
  public var prompts: Int { whole.count }

  /// The sum of a head's codes `[prompt][head]`.
  public var byCodes: [[Double]] {
    codes.withValues { values in
      (0..<prompts).map { prompt in
        (0..<heads).map { head in
          let start = (prompt * heads + head) * features
          return (start..<start + features).reduce(0.0) { $0 + Double(values[$1]) }
        }
      }
    }
  }

  /// What no code carries `[prompt][head]`.
  public var error: [[Double]] {
    zip(whole, byCodes).map { whole, codes in zip(whole, codes).map { $0 - $1 } }
  }

  /// The mean over prompts of every code's score `[head · features]`.
  public var meanCodes: [Double] {
    var sums = [Double](repeating: 0, count: heads * features)
    codes.withValues { values in
      for index in values.indices { sums[index % sums.count] += Double(values[index]) }
    }
    return sums.map { $0 / Double(max(1, prompts)) }
  }

  /// The scores of one code, by prompt.
  public func scores(of code: HeadCode) -> [Double] {
    codes.withValues { values in
      (0..<prompts).map { Double(values[($0 * heads + code.head) * features + code.code]) }
    }
  }
}

extension Transformer {
  /// Attributes a task's metric to the codes of all heads, in one walk for several dictionaries.
  ///
  /// - Returns: an attribution for each dictionary, and the metric of each prompt.
  /// - Throws: what `walkHeadPaths` throws.
  public func attributeCodes(
    _ task: CausalTask, _ options: HeadPathOptions, dictionaries: [CodeDictionary],
    progress: (Int, Int) -> Void = { _, _ in }
  ) throws -> (attributions: [CodeAttribution], metric: [Double]) {
    let heads = configuration.headCount
    var found = dictionaries.map {
      CodeAttribution(
        dictionary: $0, heads: heads, codes: Tensor(zeros: [task.clean.count, heads * $0.features]),
        whole: .init(repeating: .init(repeating: 0, count: heads), count: task.clean.count),
        uses: .init(repeating: 0, count: heads * $0.features),
        replacedUses: .init(repeating: 0, count: heads * $0.features),
        strongest: .init(repeating: (0, 0, 0), count: heads * $0.features))
    }
    let metric = try walkHeadPaths(task, options, progress: progress) { indices, path in
      let projection = weights.blocks[path.layer].attention
      let own = try projection.headResults(path.clean, heads: configuration.heads)
      let other = try projection.headResults(path.replacement, heads: configuration.heads)
      let step = LayerStep(
        path: path, indices: indices, own: own, other: other, heads: configuration.heads)
      let whole = step.whole()
      for place in found.indices {
        step.add(to: &found[place])
        for (row, prompt) in indices.enumerated() {
          for head in 0..<configuration.heads {
            found[place].whole[prompt][path.layer * configuration.heads + head] = whole[row][head]
          }
        }
      }
    }
    return (found, metric)
  }
}

/// One layer's heads on some prompts, with their outputs.
private struct LayerStep {
  let path: HeadPath
  let indices: [Int]
  /// Outputs `[rows, heads, d_model]`.
  let own: Tensor
  /// What stands in for them.
  let other: Tensor
  let heads: Int

  private var rows: Int { path.gradient.shape[0] }
  private var positions: Int { rows / indices.count }
  private var width: Int { path.gradient.shape[1] }

  /// Σ_positions (other − own) · gradient, `[prompt][head]`.
  func whole() -> [[Double]] {
    let (heads, width, positions) = (heads, width, positions)
    return parallelMap(indices.count) { prompt in
      own.withValues { own in
        other.withValues { other in
          path.gradient.withValues { gradient in
            (0..<heads).map { head in
              var sum = 0.0
              for row in prompt * positions..<(prompt + 1) * positions {
                let (start, slope) = ((row * heads + head) * width, row * width)
                var product: Float = 0
                for column in 0..<width {
                  product += (other[start + column] - own[start + column]) * gradient[slope + column]
                }
                sum += Double(product)
              }
              return sum
            }
          }
        }
      }
    }
  }

  /// What the walk found for one prompt.
  private struct Part {
    var sums: [Float]
    var uses: [Bool]
    var replacedUses: [Bool]
    var largest: [(size: Float, position: Int)]
  }

  func add(to attribution: inout CodeAttribution) {
    let features = attribution.features
    let dictionary = attribution.dictionary
    let slopes = matrixProduct(path.gradient, dictionary.directions, transposingB: true)
    let shape = [rows, heads, width]
    let before = dictionary.activations(of: own.reshaped(shape), firstHead: path.layer * heads)
    let after = dictionary.activations(of: other.reshaped(shape), firstHead: path.layer * heads)
    let (heads, positions) = (heads, positions)
    let parts = parallelMap(indices.count) { prompt in
      var part = Part(
        sums: .init(repeating: 0, count: heads * features),
        uses: .init(repeating: false, count: heads * features),
        replacedUses: .init(repeating: false, count: heads * features),
        largest: .init(repeating: (0, 0), count: heads * features))
      before.withValues { before in
        after.withValues { after in
          slopes.withValues { slopes in
            for position in 0..<positions {
              let row = prompt * positions + position
              for head in 0..<heads {
                let (start, slope) = ((row * heads + head) * features, row * features)
                for code in 0..<features {
                  let (f, g) = (before[start + code], after[start + code])
                  if f == 0 && g == 0 { continue }
                  let term = (g - f) * slopes[slope + code]
                  let place = head * features + code
                  part.sums[place] += term
                  if f > 0 { part.uses[place] = true }
                  if g > 0 { part.replacedUses[place] = true }
                  if abs(term) > part.largest[place].size { part.largest[place] = (abs(term), position) }
                }
              }
            }
          }
        }
      }
      return part
    }
    let first = path.layer * heads * features
    for (prompt, part) in zip(indices, parts) {
      attribution.codes.write(Tensor(part.sums), at: prompt * attribution.heads * features + first)
      for place in part.sums.indices {
        if part.uses[place] { attribution.uses[first + place] += 1 }
        if part.replacedUses[place] { attribution.replacedUses[first + place] += 1 }
        if part.largest[place].size > attribution.strongest[first + place].size {
          attribution.strongest[first + place] = (
            part.largest[place].size, prompt, part.largest[place].position
          )
        }
      }
    }
  }
}
