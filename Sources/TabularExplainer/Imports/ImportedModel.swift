// A model of another library, tied to a table: rows in, predictions out.

import Tables
import Trees

/// A model that was read from a file.
///
///     let model = try ImportedModel(path: "model.ubj", ModelContext(table: features, classNames: classes))
///     let probabilities = try model.blackBox.predict(features)
public struct ImportedModel: Sendable {
  /// The format that was recognised.
  public let format: ModelFileFormat
  /// The features' names: the table's, where there is one, else the model's own.
  public let featureNames: [String]
  /// Rows in, predictions out.
  public let blackBox: any BlackBox
  /// The trees, where the model is nothing else: for exact SHAP values.
  public let trees: TreeEnsemble?
  /// What the model's user should know.
  public let remarks: [ModelRemark]

  init(
    format: ModelFileFormat, featureNames: [String], blackBox: any BlackBox, trees: TreeEnsemble?,
    remarks: [ModelRemark] = []
  ) {
    self.format = format
    self.featureNames = featureNames
    self.blackBox = blackBox
    self.trees = trees
    self.remarks = remarks
  }

  init(format: ModelFileFormat, _ trees: TreeEnsemble, _ remarks: [ModelRemark]) {
    self.init(
      format: format, featureNames: trees.featureNames, blackBox: TreeBlackBox(trees), trees: trees,
      remarks: remarks)
  }

  /// Opens a model file and ties it to a table.
  /// - Throws: `ModelFileError`; `FileError` where the file cannot be read.
  public init(path: String, _ context: ModelContext = ModelContext()) throws {
    self = try ModelFile(path: path).model(context)
  }

  /// The same from a file's bytes; `path` is for messages.
  init(bytes: [UInt8], path: String, _ context: ModelContext) throws(ModelFileError) {
    self = try ModelFile(bytes: bytes, path: path).model(context)
  }
}
