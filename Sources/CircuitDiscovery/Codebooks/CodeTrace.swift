// Which codes are active where.

import Tensors
import Transformers

/// The active codes at every position of some prompts.
public struct CodeTrace: Sendable {
  /// The prompts' tokens.
  public let prompts: [[Int]]
  /// The codebooks.
  public let books: [CodebookAddress]
  /// Codes of a codebook.
  public let codes: Int
  /// Codes active at a position.
  public let active: Int
  /// For each codebook, the numbers at every position, prompt after prompt.
  private var numbers: [[Int32]]

  /// Runs a model on prompts.
  /// - Throws: `TransformerError` for prompts that the model cannot run.
  /// - Precondition: the model has codebooks.
  public init(_ model: Transformer, _ prompts: [[Int]]) throws {
    guard let codebooks = model.configuration.codebooks else {
      preconditionFailure("codes of a model without codebooks")
    }
    self.prompts = prompts
    books = CodebookAddress.all(of: model.configuration)
    (codes, active) = (codebooks.codes, codebooks.active)
    let places = Dictionary(uniqueKeysWithValues: books.enumerated().map { ($1, $0) })
    var starts: [Int] = [0]
    for prompt in prompts { starts.append(starts[starts.count - 1] + prompt.count) }
    numbers = [[Int32]](
      repeating: [Int32](repeating: 0, count: (starts.last ?? 0) * active), count: books.count)
    let points = Set(books.map(\.point))
    for group in TokenBatch.groups(of: prompts, tokenLimit: 4096) {
      try model.run(group.batch, observing: points) { point, value in
        guard let layer = point.layer else { return }
        let heads = point == .mlpCodes(layer: layer) ? nil : model.configuration.heads
        let values = value.values
        for (row, prompt) in group.indices.enumerated() {
          for position in prompts[prompt].indices {
            let place = (starts[prompt] + position) * active
            for book in 0..<(heads ?? 1) {
              let address = CodebookAddress(layer: layer, head: heads == nil ? nil : book)
              guard let target = places[address] else { continue }
              let first = ((row * group.batch.width + position) * (heads ?? 1) + book) * active
              for code in 0..<active { numbers[target][place + code] = Int32(values[first + code]) }
            }
          }
        }
      }
    }
  }

  /// The number of positions of all prompts.
  public var positions: Int { prompts.reduce(0) { $0 + $1.count } }

  /// The active codes of a codebook at a position, counted over all prompts.
  public func numbers(book: Int, at position: Int) -> ArraySlice<Int32> {
    numbers[book][position * active..<(position + 1) * active]
  }

  /// How often each code of a codebook is active at the positions that `isCounted` says.
  public func uses(book: Int, where isCounted: [Bool]) -> [Int] {
    var counts = [Int](repeating: 0, count: codes)
    for position in isCounted.indices where isCounted[position] {
      for number in numbers(book: book, at: position) { counts[Int(number)] += 1 }
    }
    return counts
  }

  /// The positions at which a code is active, in ascending order.
  public func positions(of code: CodeAddress) -> [Int] {
    guard let book = books.firstIndex(of: code.book) else { return [] }
    return (0..<positions).filter { numbers(book: book, at: $0).contains(Int32(code.number)) }
  }

  /// Codes by the share of places where they are active together with one code, of places where either is.
  public func companions(of code: CodeAddress, limit: Int) -> [(code: CodeAddress, jaccard: Double)] {
    let own = positions(of: code)
    var found: [(code: CodeAddress, jaccard: Double)] = []
    let everywhere = [Bool](repeating: true, count: positions)
    for (index, book) in books.enumerated() {
      var together: [Int32: Int] = [:]
      for position in own {
        for number in numbers(book: index, at: position) { together[number, default: 0] += 1 }
      }
      let uses = uses(book: index, where: everywhere)
      for (number, count) in together {
        let address = CodeAddress(book: book, number: Int(number))
        guard address != code else { continue }
        found.append((address, Double(count) / Double(own.count + uses[Int(number)] - count)))
      }
    }
    let order = found.sorted { ($1.jaccard, $0.code.description) < ($0.jaccard, $1.code.description) }
    return Array(order.prefix(limit))
  }
}

extension CodeTrace {
  /// The prompt and the place in it of a position that is counted over all prompts.
  public func place(of position: Int) -> (prompt: Int, position: Int) {
    var left = position
    for (index, prompt) in prompts.enumerated() {
      if left < prompt.count { return (index, left) }
      left -= prompt.count
    }
    preconditionFailure("position \(position) of \(positions)")
  }
}

/// How a codebook's codes are used.
public struct CodebookUse: Sendable, Equatable {
  /// Codes that are ever active.
  public var used: Int
  /// e to the entropy of how often each is active: as many codes used alike would be as uncertain.
  public var perplexity: Double

  /// From how often each code is active.
  public init(_ uses: [Int]) {
    used = uses.count { $0 > 0 }
    let total = Double(uses.reduce(0, +))
    let entropy = uses.filter { $0 > 0 }.reduce(0.0) { sum, count in
      let share = Double(count) / total
      return sum - share * logarithm(share)
    }
    perplexity = used == 0 ? 0 : exponential(entropy)
  }
}
