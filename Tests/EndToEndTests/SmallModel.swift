// A model folder for tests of the command: two layers of four heads, hardly trained, made by the command itself.

import TestSupport
import Testing

/// Calls `body` with a fresh folder that holds the model folder `model`, whose vocabulary is that of the task induction.
func withSmallModel(_ body: (_ folder: String, _ model: String) throws -> Void) throws {
  try withTemporaryFolder { folder in
    let model = folder + "/model"
    let made = try headlamp([
      "train-model", "induction", "--output", model, "--layers", "2", "--heads", "4", "--d-model", "32",
      "--steps", "3", "--batch", "8", "--pairs", "200",
    ])
    try #require(made.exitCode == 0, "\(made.errors)")
    try body(folder, model)
  }
}
