// The two protocols a user can name.

import CircuitDiscovery
import SparseAutoencoders

/// `paper` for the published procedure, `default` for ours.
enum ProtocolName: String, CaseIterable, ArgumentValue {
  case standard = "default"
  case paper

  /// How autoencoders are trained.
  var training: TrainingProtocol { self == .paper ? .paper : .standard }
  /// How heads are ranked.
  var ranking: RankingProtocol { self == .paper ? .paper : .standard }
}
