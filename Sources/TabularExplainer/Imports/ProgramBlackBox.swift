// Any program at all as a black box: rows on its standard input, probabilities on its standard output, both as CSV.

import Files
import Tables
import Tensors

/// What can go wrong with a program that plays black box.
public enum ProgramError: Error, Equatable, Sendable {
  /// It was still running after its time.
  case timedOut(command: String, seconds: Double, lastLine: String)
  /// It ended with a code other than 0.
  case failed(command: String, code: Int32, lastLine: String)
  /// A signal ended it.
  case killed(command: String, signal: Int32, lastLine: String)
  /// It wrote far more than probabilities take.
  case wroteTooMuch(command: String)
  /// It gave another number of rows than it was given.
  case rowCount(command: String, expected: Int, found: Int, lastLine: String)
  /// A line holds another number of columns than there are classes.
  case columnCount(command: String, line: Int, expected: Int, found: Int)
  /// A cell is no finite number.
  case notANumber(command: String, line: Int, text: String)
  /// A line's numbers are no probabilities.
  case notProbabilities(command: String, line: Int, sum: Double)
}

/// A black box behind a program.
///
/// The program is started once for every batch of rows. It is given a CSV with a header; missing cells are blank,
/// categories are written by name. It answers with one line a row: a number for every class, in the order of
/// `outputNames` or under a header with their names; for two classes the second's probability alone will do.
public struct ProgramBlackBox: BlackBox {
  /// What is started.
  public let call: ProgramCall
  /// The same as a line, for messages.
  public var command: String { call.text }
  /// The classes' names, or one name for a regression.
  public let outputNames: [String]
  /// Seconds that the program may take for a batch.
  public var timeout: Double
  /// Rows given to the program at once.
  public var batchSize: Int

  /// A black box behind a line for the shell.
  public init(command: String, outputNames: [String], timeout: Double = 60, batchSize: Int = 10_000) {
    self.init(call: .shell(command), outputNames: outputNames, timeout: timeout, batchSize: batchSize)
  }

  /// A black box behind a program.
  public init(call: ProgramCall, outputNames: [String], timeout: Double = 60, batchSize: Int = 10_000) {
    precondition(
      !outputNames.isEmpty && batchSize > 0, "\(outputNames.count) outputs, batches of \(batchSize)")
    self.call = call
    self.outputNames = outputNames
    self.timeout = timeout
    self.batchSize = batchSize
  }

  /// The program's answers, shape `[rows, outputs]`.
  /// - Throws: `ProgramError`, or `FileError` where no shell can be started.
  public func predict(_ features: Features) throws -> Tensor {
    var values: [Float] = []
    values.reserveCapacity(features.rowCount * outputNames.count)
    for start in stride(from: 0, to: features.rowCount, by: batchSize) {
      values += try answer(features, rows: start..<min(start + batchSize, features.rowCount))
    }
    return Tensor(values, shape: [features.rowCount, outputNames.count])
  }

  private func answer(_ features: Features, rows: Range<Int>) throws -> [Float] {
    // A number takes some 25 characters; what writes twenty times as much is not answering.
    let limit = min(Limit.answer.value, 1 << 20 + rows.count * (outputNames.count + 1) * 512)
    let result = try runProgram(
      call, input: Array(Self.csv(features, rows: rows).utf8), timeout: timeout, outputLimit: limit)
    let lastLine = result.lastErrorLine
    switch result.ending {
    case .exited(0): break
    case .exited(let code): throw ProgramError.failed(command: command, code: code, lastLine: lastLine)
    case .killed(let signal): throw ProgramError.killed(command: command, signal: signal, lastLine: lastLine)
    case .timedOut: throw ProgramError.timedOut(command: command, seconds: timeout, lastLine: lastLine)
    case .wroteTooMuch: throw ProgramError.wroteTooMuch(command: command)
    }
    return try parse(String(decoding: result.output, as: UTF8.self), rowCount: rows.count, lastLine: lastLine)
  }

  /// Rows as CSV under a header.
  static func csv(_ features: Features, rows: Range<Int>) -> String {
    var text = features.names.map(field).joined(separator: ",") + "\n"
    for row in rows {
      for feature in 0..<features.count {
        if feature > 0 { text += "," }
        let value = features[row, feature]
        switch features.kinds[feature] {
        case _ where value.isNaN: break
        case .numeric:
          // As it stood in the file: with all its digits, dates as dates. A unit is left to the number's column.
          let number = features.exactValue(value, of: feature)
          let form = features.forms[feature] ?? .number
          text += field(form.isMoment ? form.text(number) : plainText(number))
        case .categorical(let names):
          if value >= 0, value < Float(names.count) { text += field(names[Int(value)]) }
        }
      }
      text += "\n"
    }
    return text
  }

  private static func field(_ text: String) -> String {
    guard text.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return text }
    return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
      + "\""
  }

  /// The numbers of the program's answer, in the order of `outputNames`.
  func parse(_ text: String, rowCount: Int, lastLine: String) throws(ProgramError) -> [Float] {
    var lines = text.split(omittingEmptySubsequences: true, whereSeparator: \.isNewline)[...]
    var order: [Int]?
    var firstLine = 1
    // A line more than rows is a header, of class names that are numbers too: pandas writes 0,1.
    if let first = lines.first.map({ Self.cells($0) }),
      lines.count == rowCount + 1 && (headerOrder(first) != nil || first.contains { Double($0) == nil })
        || lines.count == rowCount + 1 && first.count == outputNames.count && !Self.areProbabilities(first)
        || first.contains(where: { Double($0) == nil })
          && (lines.count != rowCount || headerOrder(first) != nil)
    {
      order = headerOrder(first)
      lines = lines.dropFirst()
      firstLine = 2
    }
    var values: [Float] = []
    for (index, line) in lines.enumerated() {
      values += try row(Self.cells(line), order: order, line: firstLine + index)
    }
    guard lines.count == rowCount else {
      throw .rowCount(command: command, expected: rowCount, found: lines.count, lastLine: lastLine)
    }
    return values
  }

  private static func areProbabilities(_ cells: [Substring]) -> Bool {
    let numbers = cells.compactMap { Double($0) }
    return numbers.count == cells.count && abs(numbers.reduce(0, +) - 1) < 1e-3
      && numbers.allSatisfy { $0 >= 0 }
  }

  private static func cells(_ line: Substring) -> [Substring] {
    line.split(separator: ",", omittingEmptySubsequences: false).map { cell in
      var cell = cell.drop { $0 == " " || $0 == "\"" }
      while cell.last == " " || cell.last == "\"" { cell.removeLast() }
      return cell
    }
  }

  /// Where each class's column stands, if the header names the classes.
  private func headerOrder(_ header: [Substring]) -> [Int]? {
    let places = outputNames.compactMap { name in
      header.firstIndex { $0 == name }
        ?? header.firstIndex { Double($0) != nil && Double($0) == Double(name) }
    }
    return places.count == outputNames.count && header.count == outputNames.count ? places : nil
  }

  private func row(_ cells: [Substring], order: [Int]?, line: Int) throws(ProgramError) -> [Float] {
    var numbers: [Double] = []
    for cell in cells {
      guard let number = Double(cell), number.isFinite else {
        throw .notANumber(command: command, line: line, text: String(cell.prefix(40)))
      }
      numbers.append(number)
    }
    if outputNames.count == 2, numbers.count == 1 { numbers = [1 - numbers[0], numbers[0]] }
    guard numbers.count == outputNames.count else {
      throw .columnCount(command: command, line: line, expected: outputNames.count, found: numbers.count)
    }
    if outputNames.count > 1 {
      let sum = numbers.reduce(0, +)
      guard abs(sum - 1) <= 1e-3, numbers.allSatisfy({ $0 >= -1e-6 && $0 <= 1 + 1e-6 }) else {
        throw .notProbabilities(command: command, line: line, sum: sum)
      }
    }
    if outputNames.count > 1 { numbers = numbers.map { min(max($0, 0), 1) } }
    return (order.map { $0.map { numbers[$0] } } ?? numbers).map { Float($0) }
  }
}
