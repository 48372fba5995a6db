// What tells two sets of prompts apart.

import Files

extension PromptSet {
  /// SHA-256 of all prompts' tokens, answers, pairs and positions, in hexadecimal.
  public var digest: String {
    let digest = SHA256Digest()
    for prompt in prompts {
      let positions = prompt.positions.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
      digest.update(
        "\(prompt.tokens) \(prompt.isPositive) \(prompt.answers) \(prompt.wrong) \(prompt.lead) "
          + "\(prompt.pair ?? -1) \(positions)\n")
    }
    return digest.hexadecimal()
  }
}
