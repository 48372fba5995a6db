// Limits as they are typed: "memory=8G,layers=20000".

import Files

/// Values for some limits.
struct LimitSettings: ArgumentValue {
  var values: [Limit: Int]

  init?(argument: String) {
    var values: [Limit: Int] = [:]
    for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
      let words = part.split(separator: "=", omittingEmptySubsequences: false)
      guard words.count == 2, let limit = Limit(rawValue: String(words[0])),
        let value = limit.parse(String(words[1])), values.updateValue(value, forKey: limit) == nil
      else { return nil }
    }
    self.values = values
  }

  static var expectation: String {
    "NAME=VALUE with a name of \(Limit.allCases.map(\.rawValue).joined(separator: ", "))"
      + " and a whole number (bytes with K, M, G or T)"
  }

  var argumentText: String {
    values.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\($0.key.rawValue)=\($0.value)" }
      .joined(separator: ",")
  }
}
