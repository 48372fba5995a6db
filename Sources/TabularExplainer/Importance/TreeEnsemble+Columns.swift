// Which of a table's columns trees ask about.

import Tables
import Trees

extension TreeEnsemble {
  /// For every column of a table, the features it is among those that trees ask about; empty where there is none.
  /// - Throws: `TableError.missingFeature`.
  func features(readingColumnsOf table: Features) throws(TableError) -> [[Int]] {
    let columns =
      featureNames == table.names
      ? Array(table.names.indices) : try FeatureMatches(featureNames, among: table.names).places
    var features = [[Int]](repeating: [], count: table.count)
    for feature in usedFeatures { features[columns[feature]].append(feature) }
    return features
  }
}
