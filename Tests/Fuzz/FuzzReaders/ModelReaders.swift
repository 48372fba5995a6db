// Models of other libraries, by what their first bytes look like.

import Files
import Tables
import TabularExplainer
import Trees

private func readModel(_ bytes: [UInt8], _ scratch: Scratch) throws {
  let path = try scratch.file("model", bytes)
  let context = ModelContext(featureNames: ["a", "b", "c"], classNames: ["no", "yes"])
  let model = try (try? ImportedModel(path: path, context)) ?? ImportedModel(path: path)
  let names = Array(model.featureNames.prefix(64))
  guard names.count == model.featureNames.count else { return }
  let rows: [Float] = [0, -1, .nan, 3.5]
  let features = Features(
    names: names, kinds: names.map { _ in .numeric }, rowCount: rows.count,
    values: names.flatMap { _ in rows })
  _ = try model.blackBox.predict(features)
}

let modelReaders: [FuzzReader] = ["onnx", "xgboost", "ubjson", "lightgbm", "trees"].map { name in
  FuzzReader(name: name, body: readModel)
}
