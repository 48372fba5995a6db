// The numbers of the codes that heads' codebooks chose where head outputs were recorded: `/head_codes`.

import CHDF5
import CHDF5System
import Tensors

/// The codebooks on the heads of a recorded model (Tamkin, Taufeeque & Goodman 2023).
public struct RecordedCodes: Hashable, Codable, Sendable {
  /// Codes of a head's codebook.
  public var codes: Int
  /// Codes that are active at a position, nearest first.
  public var active: Int

  /// Codebooks of one size.
  public init(codes: Int, active: Int) {
    self.codes = codes
    self.active = active
  }

  static let dataset = "head_codes"
  private static let (countAttribute, activeAttribute) = ("codebook_codes", "codebook_active")

  /// What a file says; nil where the model had no codebooks on heads, or codes have no place.
  init?(_ file: HDF5File) throws(RecordingError) {
    guard file.hasAttribute(Self.countAttribute) else { return nil }
    self.init(
      codes: try file.integerAttribute(Self.countAttribute),
      active: try file.integerAttribute(Self.activeAttribute))
    guard codes > 0, active > 0, active <= codes else {
      throw file.malformed("\(active) active of \(codes) codes are no codebook")
    }
  }

  func writeAttributes(to file: HDF5File) throws(RecordingError) {
    try file.writeAttribute(Self.countAttribute, codes)
    try file.writeAttribute(Self.activeAttribute, active)
  }

  /// The shape of one example's codes, where that of its head outputs is `shape`.
  func shape(ofOutputs shape: [Int]) -> [Int] { shape.dropLast() + [active] }

  /// Refuses a file whose codes have another shape than its head outputs ask for.
  func check(_ file: HDF5File, headOutputShape: [Int]) throws(RecordingError) {
    let shape = try file.shape(of: Self.dataset, H5T_INTEGER, ranks: 4...5)
    let expected = [headOutputShape[0]] + self.shape(ofOutputs: Array(headOutputShape.dropFirst()))
    guard shape == expected else {
      throw file.malformed("/\(Self.dataset) has shape \(shape) where \(expected) is expected")
    }
    try file.requireRoom(for: shape, width: 4, of: Self.dataset)
  }

  /// Writes codes `[rows, …]` of consecutive examples, of which each has the shape `shape` on file; −1 fills what is missing
  /// at its end.
  func write(
    _ codes: Tensor, rows: Range<Int>, shape: [Int], to file: HDF5File
  ) throws(RecordingError) {
    let (given, width) = (codes.count / max(1, rows.count), shape.reduce(1, *))
    var numbers = [Int32](repeating: -1, count: rows.count * width)
    codes.withValues { values in
      for row in 0..<rows.count {
        for place in 0..<min(given, width) {
          numbers[row * width + place] = Int32(values[row * given + place])
        }
      }
    }
    try file.write(numbers, rows: rows, of: Self.dataset, .int32)
  }
}

extension Recording {
  /// The numbers of the codes that each head's codebook chose, nearest first, as whole numbers.
  ///
  /// - Returns: `[examples, layers, heads, active]`; `[examples, T, layers, heads, active]`, −1 past each prompt's length,
  ///   where each position was kept; nil where the recorded model has no codebooks on heads, or means over positions were
  ///   recorded.
  /// - Throws: `malformed` where the file is damaged there.
  public func headCodes(examples range: Range<Int>) throws(RecordingError) -> Tensor? {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= examples.count,
      "examples \(range) of a recording of \(examples.count)")
    guard let codes = description.codes else { return nil }
    let shape = codes.shape(ofOutputs: exampleShape)
    var numbers = [Int32](repeating: 0, count: range.count * shape.reduce(1, *))
    try HDF5.perform { () throws(RecordingError) in
      try file.read(RecordedCodes.dataset, rows: range, .int32, into: &numbers)
    }
    guard numbers.allSatisfy({ $0 >= -1 && $0 < codes.codes }) else {
      throw .malformed(path: path, problem: "/\(RecordedCodes.dataset) has numbers that are no code's")
    }
    return Tensor(numbers.map { Float($0) }, shape: [range.count] + shape)
  }
}
