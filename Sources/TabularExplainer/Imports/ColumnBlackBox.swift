// Predictions that are there already: columns of the table play black box, for the table's own rows only.

import Tables
import Tensors

/// A black box that looks its answers up.
///
/// It knows the rows it was given and nothing between them: probes and counterfactuals that ask about changed rows
/// get an error, surrogates and rules work as with any other.
public struct ColumnBlackBox: BlackBox {
  /// The classes' names, or one name for a regression.
  public let outputNames: [String]
  private let known: Features
  private let predictions: Tensor
  private let rowsByHash: [UInt64: [Int]]

  /// A table's rows with their predictions, shape `[rows, outputs]`.
  public init(_ features: Features, predictions: Tensor, outputNames: [String]) {
    precondition(
      predictions.shape == [features.rowCount, outputNames.count],
      "predictions \(predictions.shape) for \(features.rowCount) rows")
    self.outputNames = outputNames
    known = features
    self.predictions = predictions
    var rows: [UInt64: [Int]] = [:]
    for (row, hash) in Self.hashes(features).enumerated() { rows[hash, default: []].append(row) }
    rowsByHash = rows
  }

  /// The predictions noted for these rows.
  /// - Throws: `TabularExplainerError.unknownRow` where a row is not one of the table's.
  public func predict(_ features: Features) throws -> Tensor {
    let asked = try features.aligned(to: known.names, kinds: known.kinds)
    var rows: [Int] = []
    for (row, hash) in Self.hashes(asked).enumerated() {
      guard let match = rowsByHash[hash]?.first(where: { isSame(asked, row, $0) }) else {
        throw TabularExplainerError.unknownRow(row: row)
      }
      rows.append(match)
    }
    return predictions.gatheringRows(rows)
  }

  private func isSame(_ features: Features, _ row: Int, _ knownRow: Int) -> Bool {
    (0..<known.count).allSatisfy { feature in
      let (asked, own) = (features[row, feature], known[knownRow, feature])
      return asked == own || (asked.isNaN && own.isNaN)
    }
  }

  /// One hash a row (FNV-1a over the cells' bits, column by column); all missing cells are alike, and so are ±0.
  private static func hashes(_ features: Features) -> [UInt64] {
    var hashes = [UInt64](repeating: 0xcbf2_9ce4_8422_2325, count: features.rowCount)
    for feature in 0..<features.count {
      for (row, value) in features.column(feature).enumerated() {
        let bits = value.isNaN ? 0x7fc0_0000 : (value == 0 ? 0 : value.bitPattern)
        hashes[row] = (hashes[row] ^ UInt64(bits)) &* 0x100_0000_01b3
      }
    }
    return hashes
  }
}
