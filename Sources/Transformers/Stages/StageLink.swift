// What the processes of a pipeline send each other, and how a batch is spelled in it.

import Tensors

/// Whole numbers and floats.
public struct StageMessage: Sendable, Equatable {
  /// The numbers.
  public var numbers: [Int]
  /// The floats `[count]`.
  public var values: Tensor

  /// Numbers and floats, of any shape, as a message.
  public init(numbers: [Int], values: Tensor = Tensor(zeros: [0])) {
    self.numbers = numbers
    self.values = values.reshaped([values.count])
  }
}

/// The processes of a pipeline, as one of them sees them.
public protocol StageLink: Sendable {
  /// This process's number, which is that of its stage, from 0.
  var rank: Int { get }
  /// How many there are.
  var size: Int { get }
  /// Sends a message without waiting for the other to take it. Messages to one process arrive in their order.
  func send(_ message: StageMessage, to rank: Int)
  /// The next message from a process, waited for.
  func receive(from rank: Int) -> StageMessage
}

extension HeadOutputBatch {
  /// The prompts, and their stream behind some layer, as a message.
  func message(stream: Tensor) -> StageMessage {
    let numbers = pooling.numbers
    let ids = (0..<batch.count).flatMap { batch.prompt($0) }
    return StageMessage(
      numbers: [numbers.count] + numbers + [batch.count] + batch.lengths + ids, values: stream)
  }

  /// What `message(stream:)` says.
  init(_ message: StageMessage) {
    var numbers = message.numbers[...]
    func taking(_ count: Int) -> [Int] {
      defer { numbers = numbers.dropFirst(count) }
      return Array(numbers.prefix(count))
    }
    pooling = HeadPooling(numbers: taking(taking(1)[0]))
    let lengths = taking(taking(1)[0])
    batch = TokenBatch(lengths.map { taking($0) })
  }
}

extension HeadPooling {
  fileprivate var numbers: [Int] {
    switch self {
    case .mean(let excludingFirst): [excludingFirst ? 1 : 0]
    case .last: [2]
    case .each: [3]
    case .at(let positions): [4] + positions
    }
  }

  fileprivate init(numbers: [Int]) {
    switch numbers.first {
    case 0: self = .mean(excludingFirst: false)
    case 1: self = .mean(excludingFirst: true)
    case 2: self = .last
    case 3: self = .each
    default: self = .at(Array(numbers.dropFirst()))
    }
  }
}
