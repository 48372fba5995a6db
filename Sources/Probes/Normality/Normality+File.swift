// normality.safetensors: distributions as tensors, everything else as text in the header.

import Checkpoints
import Files
import FoundationEssentials
import Recordings
import Tensors

extension Normality {
  private struct Header: Codable {
    struct Part: Codable {
      var place: Place
      var restVariance: Double?
      var shrinkage: Double
      var spread: ScaledChiSquared
    }

    var source: RecordingDescription
    var promptCount: Int
    var parts: [Part]
    var spread: ScaledChiSquared
    var bound: ScaledChiSquared
  }

  private static let format = "headlamp normality 1"

  /// Writes the model, whole or not at all; the same fit gives the same bytes.
  ///
  /// Tensors are `N.mean` [d_model], `N.variances` [components] and `N.components` [components, d_model] of the N-th place.
  public func save(to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let header = Header(
      source: source, promptCount: promptCount,
      parts: parts.map {
        Header.Part(
          place: $0.place, restVariance: $0.gaussian.restVariance, shrinkage: $0.gaussian.shrinkage,
          spread: $0.spread)
      }, spread: spread, bound: bound)
    var tensors: [String: SafetensorsValue] = [:]
    for (index, part) in parts.enumerated() {
      tensors["\(index).mean"] = .float(Tensor(part.gaussian.mean.map { Float($0) }))
      tensors["\(index).variances"] = .float(Tensor(part.gaussian.variances.map { Float($0) }))
      tensors["\(index).components"] = .float(part.gaussian.components.tensor)
    }
    try writeSafetensors(
      tensors,
      metadata: [
        "format": Self.format, "recording_sha256": recordingSHA256,
        "description": String(decoding: try encoder.encode(header), as: UTF8.self),
      ], to: path)
  }

  /// Reads what `save` wrote.
  /// - Throws: `ProbeError.notANormality` for any other safetensors file; `CheckpointError` for a damaged one.
  public init(path: String) throws {
    func refuse(_ problem: String) -> ProbeError { .notANormality(path: path, problem: problem) }
    let file = try SafetensorsFile(path: path)
    guard file.metadata["format"] == Self.format else { throw refuse("its header names another format") }
    guard let hash = file.metadata["recording_sha256"],
      let header = try? JSONDecoder().decode(
        Header.self, from: Data((file.metadata["description"] ?? "").utf8))
    else { throw refuse("its header is incomplete") }
    let width = header.source.dModel
    guard width > 0, header.promptCount > 0, !header.parts.isEmpty else {
      throw refuse("\(header.parts.count) places of width \(width)")
    }
    func requireSound(_ spread: ScaledChiSquared) throws(ProbeError) {
      guard spread.scale > 0, spread.scale.isFinite, spread.freedom > 0, spread.freedom <= 1e7 else {
        throw refuse("a spread of scale \(spread.scale) and freedom \(spread.freedom)")
      }
    }
    var places: Set<Place> = []
    var parts: [Part] = []
    for (index, part) in header.parts.enumerated() {
      let place = part.place
      try requireSound(part.spread)
      guard (0..<header.source.layers).contains(place.layer),
        place.kind == .head ? (0..<header.source.heads).contains(place.head ?? -1) : place.head == nil,
        place.position == (header.source.position == .each ? -1 : nil), places.insert(place).inserted
      else { throw refuse("there is no place '\(place.name)', or it is there twice") }
      let variances = try file.tensor("\(index).variances")
      guard variances.rank == 1 else { throw refuse("variances of shape \(variances.shape)") }
      let components = try file.tensor("\(index).components", shape: [variances.count, width])
      let mean = try file.tensor("\(index).mean", shape: [width])
      let all = variances.values.map { Double($0) } + (part.restVariance.map { [$0] } ?? [])
      guard all.allSatisfy({ $0 > 0 && $0.isFinite }), components.firstNotFinite() == nil,
        mean.firstNotFinite() == nil
      else { throw refuse("place '\(place.name)' has numbers that no distribution has") }
      parts.append(
        Part(
          place: place,
          gaussian: ShrunkGaussian(
            mean: mean.values.map { Double($0) }, variances: variances.values.map { Double($0) },
            components: DoubleMatrix(components), restVariance: part.restVariance, shrinkage: part.shrinkage),
          spread: part.spread))
    }
    try requireSound(header.spread)
    try requireSound(header.bound)
    self.init(
      source: header.source, recordingSHA256: hash, promptCount: header.promptCount, parts: parts,
      spread: header.spread, bound: header.bound)
  }
}
