// What a quantised table's header says of its columns.

import Files
import Tables

/// What is wrong with the text of a quantised table.
struct QuantisedTableProblem: Error {
  var problem: String
}

/// The columns of a quantised table, as JSON.
struct QuantisedTableText {
  static let key = "headlamp_table"

  var names: [String]
  var target: String
  var classes: [String]?
  var bins: FeatureBins

  init(names: [String], target: String, classes: [String]?, bins: FeatureBins) {
    self.names = names
    self.target = target
    self.classes = classes
    self.bins = bins
  }

  /// The JSON text.
  var line: String {
    let features = names.indices.map { feature -> JSONValue in
      var members = [JSONMember("name", .string(names[feature]))]
      if case .categorical(let categories) = bins.kinds[feature] {
        members.append(JSONMember("categories", .array(categories.map { .string($0) })))
        members.append(
          JSONMember(
            "bins", .array((bins.categories[feature] ?? []).map { .array($0.map { .integer($0) }) })))
        if let others = bins.rareBins[feature] { members.append(JSONMember("others", .integer(others))) }
      } else {
        let start = bins.cutStarts[feature]
        let cuts = bins.cuts[start..<start + bins.binCounts[feature] - 1]
        members.append(JSONMember("cuts", .array(cuts.map { .number(Double($0)) })))
      }
      return .object(members)
    }
    return JSONValue.object([
      JSONMember("version", .integer(1)),
      JSONMember("target", .string(target)),
      JSONMember("classes", classes.map { .array($0.map { .string($0) }) } ?? .null),
      JSONMember("features", .array(features)),
    ]).line
  }

  /// Reads the JSON text.
  init(parsing text: String) throws(QuantisedTableProblem) {
    func wrong(_ problem: String) -> QuantisedTableProblem { QuantisedTableProblem(problem: problem) }
    guard let json = try? JSONValue(parsing: text), let version = json["version"]?.wholeNumber,
      let target = json["target"]?.text, let features = json["features"]?.elements
    else { throw wrong("the text '\(Self.key)' of its header is broken") }
    guard version == 1 else {
      throw wrong("it is of version \(version), which this headlamp does not know; quantise the table again")
    }
    guard !features.isEmpty else { throw wrong("it has no features") }
    self.target = target
    if let words = json["classes"]?.elements {
      let classes = words.compactMap(\.text)
      guard classes.count == words.count, classes.count > 1 else { throw wrong("its classes are broken") }
      self.classes = classes
    }
    var names: [String] = []
    var kinds: [FeatureKind] = []
    var cuts: [[Float]] = []
    var categories: [Int: [[Int]]] = [:]
    var others: [Int: Int] = [:]
    for (place, feature) in features.enumerated() {
      guard let name = feature["name"]?.text else { throw wrong("feature \(place + 1) has no name") }
      names.append(name)
      guard let words = feature["categories"]?.elements else {
        let own = (feature["cuts"]?.elements ?? []).compactMap { $0.anyNumber.map { Float($0) } }
        guard let listed = feature["cuts"]?.elements, own.count == listed.count, own.count < 255,
          zip(own, own.dropFirst()).allSatisfy({ $0 < $1 }), own.allSatisfy(\.isFinite)
        else { throw wrong("the cuts of '\(name)' are not rising numbers, 254 at most") }
        kinds.append(.numeric)
        cuts.append(own)
        continue
      }
      let bins = (feature["bins"]?.elements ?? []).map { ($0.elements ?? []).compactMap(\.wholeNumber) }
      let members = bins.joined()
      guard words.allSatisfy({ $0.text != nil }), (1...254).contains(bins.count),
        members.allSatisfy({ words.indices.contains($0) }), Set(members).count == members.count
      else { throw wrong("the bins of '\(name)' do not part its categories") }
      kinds.append(.categorical(words.compactMap(\.text)))
      cuts.append([])
      categories[place] = bins
      if let rare = feature["others"]?.wholeNumber {
        guard bins.indices.contains(rare) else { throw wrong("'\(name)' has no bin \(rare)") }
        others[place] = rare
      }
    }
    self.names = names
    bins = FeatureBins(kinds: kinds, columnCuts: cuts, categories: categories, rareBins: others)
  }
}
