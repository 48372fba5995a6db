// The protocols a user can name.

import CircuitDiscovery
import SparseAutoencoders

/// `default` for code attribution, `change` for what a recording alone can say, `paper` for the published procedure.
enum ProtocolName: String, CaseIterable, ArgumentValue {
  case attribution = "default"
  case change
  case paper

  /// How autoencoders are trained on a recording.
  var training: TrainingProtocol { self == .paper ? .paper : .change }
  /// How heads are ranked from a recording, which has no gradients.
  var ranking: RankingProtocol { self == .paper ? .paper : .change }
}
