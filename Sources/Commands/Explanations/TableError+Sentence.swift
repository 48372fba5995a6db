import Tables

extension TableError: ExplainedError {
  var sentence: String {
    switch self {
    case .missingFeature(let name, let nearest):
      "the table has no column '\(name)', which the model needs"
        + (nearest.map { "; the nearest is '\($0)'" } ?? "")
    case .wrongKind(let feature, let wantsNumbers):
      "column '\(feature)' holds \(wantsNumbers ? "text where the model needs numbers" : "numbers where the model needs categories")"
    }
  }
}
