// What a head's output is replaced with when the head is ablated.

/// Where the values come from that stand in for an ablated head's.
public enum HeadReplacement: String, CaseIterable, Sendable {
  /// The head's mean over all negative prompts of the same length, position by position (Wang et al. 2022,
  /// section 2.2, take the mean over prompts in which no name repeats).
  case negatives
  /// The head's mean over all prompts of the same length, position by position.
  case prompts
  /// The head's value in the prompt's own negative, position by position.
  case pair
}
