// A part of a result in a folder: files of values, and shard.json, which seals them and comes last.

/// A finished part of a result.
public struct ShardFolder: Sendable {
  /// The folder.
  public let path: String
  /// What it says of itself.
  public let manifest: ShardManifest

  private static let manifestName = "shard.json"

  /// Whether a finished part, sound or not, lies at `path`.
  public static func isThere(_ path: String) -> Bool { fileExists(at: path + "/" + manifestName) }

  /// Opens a finished part and checks it: its manifest, and every byte of its files.
  /// - Throws: `ShardError.notAShard` or `damaged`; `FileError` where it cannot be read.
  public init(path: String) throws {
    self.path = path
    let place = path + "/" + Self.manifestName
    guard fileExists(at: path) else {
      throw FileError.unreadable(path: path, reason: "there is no such part")
    }
    guard fileExists(at: place) else {
      throw ShardError.notAShard(
        path: path, problem: "it has no \(Self.manifestName), which a finished part ends with")
    }
    let text = try readText(at: place)
    guard let json = try? JSONValue(parsing: text), case .object(let members) = json,
      members.last?.key == "seal", let seal = members.last?.value.text
    else { throw ShardError.damaged(path: path, problem: "its \(Self.manifestName) has no seal") }
    guard sha256(of: JSONValue.object(members.dropLast()).line) == seal else {
      throw ShardError.damaged(path: path, problem: "its \(Self.manifestName) is not what was written")
    }
    manifest = try ShardManifest(json, of: path)
    for file in json["files"]?.members ?? [] {
      guard !file.key.contains("/"), fileExists(at: path + "/" + file.key) else {
        throw ShardError.damaged(path: path, problem: "its \(file.key) is missing")
      }
      guard try sha256(ofFileAt: path + "/" + file.key) == file.value.text else {
        throw ShardError.damaged(path: path, problem: "its \(file.key) is not what was written")
      }
    }
  }

  /// Ends a part whose files are all written.
  /// - Throws: `FileError` where a file cannot be read or written.
  @discardableResult
  public static func seal(_ path: String, _ manifest: ShardManifest, files: [String]) throws -> ShardFolder {
    var members = manifest.json.members ?? []
    members.append(
      JSONMember(
        "files",
        .object(try files.map { JSONMember($0, .string(try sha256(ofFileAt: path + "/" + $0))) })))
    members.append(JSONMember("seal", .string(sha256(of: JSONValue.object(members).line))))
    try writeFile(JSONValue.object(members).text(), to: path + "/" + manifestName)
    return ShardFolder(path: path, sealed: manifest)
  }

  private init(path: String, sealed manifest: ShardManifest) {
    (self.path, self.manifest) = (path, manifest)
  }
}
