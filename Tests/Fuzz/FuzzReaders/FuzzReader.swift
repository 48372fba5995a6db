// A reader of files, as a fuzzer sees it: any bytes go in, and a value or an error comes out.

import Files

/// One reader with a name of its own; its seeds lie in `Tests/Fuzz/Corpus/<name>`.
public struct FuzzReader: Sendable {
  /// The reader's name.
  public let name: String
  /// Reads bytes and uses what was read as a command would. Errors are the right answer to bytes that are not sound;
  /// a trap, a hang or an absurd allocation is a finding.
  let body: @Sendable (_ bytes: [UInt8], _ scratch: Scratch) throws -> Void

  /// Reads bytes; whatever error that gives is kept quiet.
  /// - Returns: whether the bytes were sound.
  @discardableResult
  public func read(_ bytes: [UInt8]) -> Bool {
    let scratch = Scratch()
    return (try? body(bytes, scratch)) != nil
  }

  /// All readers.
  public static let all: [FuzzReader] =
    textReaders + tensorReaders + tokenizerReaders + tableReaders + modelReaders + recordingReaders
    + probeReaders

  /// Limits that keep one input fast: the readers' own, lowered.
  public static func lowerLimits() {
    Limit.unpacked.set(64 << 20)
    Limit.elements.set(1 << 22)
    Limit.columns.set(1 << 14)
    Limit.token.set(1 << 16)
    Limit.categories.set(1 << 16)
    Limit.leaves.set(1 << 16)
    Limit.layers.set(200)
    Limit.size.set(1 << 20)
  }
}
