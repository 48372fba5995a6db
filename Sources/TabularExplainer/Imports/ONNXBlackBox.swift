// From an ONNX graph to a black box: which value holds the prediction, what its classes are called, and the way there.

import Files
import Tables
import Tensors
import Trees

/// An ONNX model of a table: cells in, class probabilities or one quantity out.
///
/// Only the nodes that the prediction needs are run; labels, their casts and maps are left aside.
public struct ONNXBlackBox: BlackBox {
  /// The classes' names, or one name for a regression.
  public let outputNames: [String]
  /// The features' names, in the order of the model's inputs.
  public let featureNames: [String]
  private let model: ONNXModel
  private let path: String
  /// Rows that are run at once: values on the way hold several numbers a row.
  private static let batch = 4096

  init(_ model: ONNXModel, features: [String], outputs: [String], path: String) {
    self.model = model
    featureNames = features
    outputNames = outputs
    self.path = path
  }

  /// Predictions for every row, shape `[rows, outputs]`.
  /// - Throws: `TableError` where a feature is not there or holds text, `ModelFileError` where the graph contradicts
  ///   itself.
  public func predict(_ features: Features) throws -> Tensor {
    let columns = try columns(of: features)
    let rows = features.rowCount
    var values: [Float] = []
    values.reserveCapacity(rows * outputNames.count)
    do {
      for start in stride(from: 0, to: rows, by: Self.batch) {
        let range = start..<min(start + Self.batch, rows)
        values += try model.predict(columns.map { $0.rows(range) }, rows: range.count).numbers.map {
          Float($0)
        }
      }
    } catch {
      throw error.located(path: path, format: .onnx)
    }
    guard values.count == rows * outputNames.count else {
      throw ModelFileError.malformed(
        path: path, format: .onnx, problem: "\(values.count) predictions for \(rows) rows")
    }
    let outputs = Tensor(values, shape: [rows, outputNames.count])
    try requirePredictions(outputs, of: path, areClasses: false)
    return outputs
  }

  /// The table's columns as the model's inputs take them: doubles as they stood in the file, or texts.
  private func columns(of features: Features) throws(TableError) -> [ONNXModel.Column] {
    let places = try FeatureMatches(featureNames, among: features.names).places
    var columns: [ONNXModel.Column] = []
    for (index, place) in places.enumerated() {
      let cells = features.column(place)
      if model.takesText(index) {
        switch features.kinds[place] {
        case .categorical(let names):
          columns.append(.texts(cells.map { $0.isNaN || Int($0) >= names.count ? "" : names[Int($0)] }))
        case .numeric:
          columns.append(.texts(cells.map { $0.isNaN ? "" : plainText(features.exactValue($0, of: place)) }))
        }
      } else {
        guard let numbers = features.recoded(cells, of: place, as: .numeric) else {
          throw .wrongKind(feature: featureNames[index], wantsNumbers: true)
        }
        columns.append(
          .numbers(
            features.kinds[place] == .numeric
              ? numbers.map { features.exactValue($0, of: place) } : numbers.map { Double($0) }))
      }
    }
    return columns
  }
}
