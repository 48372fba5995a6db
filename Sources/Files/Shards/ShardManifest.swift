// What a part of a result says of itself: which part, of what, made by which command.

/// A part's provenance, stored in it as JSON.
///
/// Parts of one result agree in everything but the number of the part.
public struct ShardManifest: Hashable, Sendable {
  /// Something that decides the result, as text.
  public struct Fact: Hashable, Sendable {
    /// What it is, such as `seed`.
    public var name: String
    /// Its value.
    public var value: String

    /// A fact.
    public init(_ name: String, _ value: String) { (self.name, self.value) = (name, value) }
  }

  /// The layout this module writes.
  public static let schemaVersion = 1

  /// Which part.
  public var shard: Shard
  /// The subcommand that made it.
  public var command: String
  /// What parts are made of, in the plural: `prompts`.
  public var unit: String
  /// How many of these there are in all.
  public var total: Int
  /// Tool, seed, digests of model and inputs, and the options that matter.
  public var facts: [Fact]
  /// The command line, without what concerns the part alone.
  public var words: [String]

  /// The manifest of a part that is about to be made.
  /// - Throws: `ShardError.tooManyParts`.
  public init(
    _ shard: Shard, command: String, unit: String, total: Int, facts: [Fact], words: [String]
  ) throws(ShardError) {
    self.shard = shard
    self.command = command
    self.unit = unit
    self.total = total
    self.facts = facts
    self.words = words
    range = try shard.range(of: total, unit)
  }

  /// The units of this part, counted from 0.
  public let range: Range<Int>

  /// The first thing in which two parts cannot be of one result, in words; nil where they can.
  public func difference(from other: ShardManifest) -> String? {
    func differs(_ name: String, _ mine: String, _ theirs: String) -> String? {
      mine == theirs ? nil : "its \(name) is '\(mine)', not '\(theirs)'"
    }
    if let found = differs("command", command, other.command)
      ?? differs("number of parts", "\(shard.count)", "\(other.shard.count)")
    {
      return found
    }
    let theirs = Dictionary(other.facts.map { ($0.name, $0.value) }) { first, _ in first }
    for fact in facts {
      if let found = differs(fact.name, fact.value, theirs[fact.name] ?? "") { return found }
    }
    if let absent = other.facts.first(where: { fact in !facts.contains { $0.name == fact.name } }) {
      return differs(absent.name, "", absent.value)
    }
    return differs("number of \(unit)", "\(total) \(unit)", "\(other.total) \(other.unit)")
  }
}

extension ShardManifest {
  /// The manifest as JSON.
  public var json: JSONValue {
    .object([
      JSONMember("schema_version", .integer(Self.schemaVersion)),
      JSONMember("shard", .string("\(shard)")),
      JSONMember("command", .string(command)),
      JSONMember("unit", .string(unit)),
      JSONMember("total", .integer(total)),
      JSONMember("first", .integer(range.lowerBound)),
      JSONMember("count", .integer(range.count)),
      JSONMember("facts", .object(facts.map { JSONMember($0.name, .string($0.value)) })),
      JSONMember("words", .array(words.map { .string($0) })),
    ])
  }

  /// Reads a manifest.
  /// - Throws: `ShardError.notAShard`.
  public init(_ json: JSONValue, of path: String) throws(ShardError) {
    func problem(_ text: String) -> ShardError { .notAShard(path: path, problem: text) }
    guard let version = json["schema_version"]?.wholeNumber else {
      throw problem("it does not say which part")
    }
    guard version == Self.schemaVersion else {
      throw problem("it has layout version \(version), which this version of headlamp does not know")
    }
    guard let shard = json["shard"]?.text.flatMap({ Shard(text: $0) }),
      let command = json["command"]?.text, let unit = json["unit"]?.text,
      let total = json["total"]?.wholeNumber, let facts = json["facts"]?.members,
      let words = json["words"]?.elements?.map(\.text), !words.contains(nil),
      facts.allSatisfy({ $0.value.text != nil })
    else { throw problem("what it says of itself is not complete") }
    try self.init(
      shard, command: command, unit: unit, total: total,
      facts: facts.map { Fact($0.key, $0.value.text ?? "") }, words: words.compactMap { $0 })
  }

  /// Reads a manifest from its text.
  /// - Throws: `ShardError.notAShard`.
  public init(text: String, of path: String) throws(ShardError) {
    let json: JSONValue
    do throws(JSONSyntaxError) {
      json = try JSONValue(parsing: text)
    } catch {
      throw .notAShard(path: path, problem: "what it says of itself is not JSON")
    }
    try self.init(json, of: path)
  }
}

/// Puts parts into their order, after checking that they are all the parts of one result.
/// - Parameter parts: each part's path and manifest, in any order.
/// - Returns: places in `parts`, from the first part to the last.
/// - Throws: `ShardError` that names the part which is foreign or there twice, or those that are missing.
public func orderedShards(_ parts: [(path: String, manifest: ShardManifest)]) throws(ShardError) -> [Int] {
  guard let first = parts.first else { throw .missing([1], count: 1) }
  var places = [Int?](repeating: nil, count: first.manifest.shard.count)
  for (place, part) in parts.enumerated() {
    if let difference = part.manifest.difference(from: first.manifest) {
      throw .foreign(path: part.path, difference: difference, first: first.path)
    }
    let index = part.manifest.shard.index - 1
    if let other = places[index] {
      throw .repeated(path: part.path, shard: part.manifest.shard, other: parts[other].path)
    }
    places[index] = place
  }
  let missing = places.indices.filter { places[$0] == nil }.map { $0 + 1 }
  guard missing.isEmpty else { throw .missing(missing, count: places.count) }
  return places.compactMap { $0 }
}
