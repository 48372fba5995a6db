// Training put down and taken up again: what is stored is enough to go on bit by bit as if nothing had happened.
//
// A file in safetensors format: `model.NAME`, `adam.first.NAME` and `adam.second.NAME` for every parameter, and in its
// header the step and the caller's settings. Batches are drawn from the seed, the step's number and what was noted on
// the way, so a checkpoint says where in the data training stands.

import Checkpoints
import Tensors

/// The state of a training after a number of steps.
public struct TrainingCheckpoint: Sendable {
  /// All parameters, in their layout.
  public var parameters: Tensor
  /// The optimiser's memory; its `step` counts the steps taken.
  public var state: AdamWState
  /// Texts of the caller's: what must be the same when training goes on, and what was noted on the way.
  public var notes: [String: String]
  /// How often codes of codebooks were chosen since they were last replaced, by their table's name.
  public var codeUses: [String: Tensor] = [:]

  /// A state to be stored.
  public init(parameters: Tensor, state: AdamWState, notes: [String: String] = [:]) {
    self.parameters = parameters
    self.state = state
    self.notes = notes
  }

  /// Writes the state, whole or not at all.
  /// - Throws: `FileError` where the file cannot be written.
  public func write(to path: String, layout: ParameterLayout) throws {
    var tensors: [String: SafetensorsValue] = [:]
    for slice in layout.slices {
      for (prefix, tensor) in [
        ("model.", parameters), ("adam.first.", state.firstMoment), ("adam.second.", state.secondMoment),
      ] {
        tensors[prefix + slice.name] = .float(layout.tensor(slice, of: tensor))
      }
    }
    for (name, counts) in codeUses { tensors["uses." + name] = .float(counts) }
    try writeSafetensors(tensors, metadata: notes.merging(["step": String(state.step)]) { $1 }, to: path)
  }

  /// Reads a state.
  /// - Throws: `FileError` or `CheckpointError` where the file cannot be read or belongs to another architecture,
  ///   `TrainingError.incompleteCheckpoint` where it has no step.
  public init(path: String, layout: ParameterLayout) throws {
    let file = try SafetensorsFile(path: path)
    guard let step = file.metadata["step"].flatMap({ Int($0) }), step >= 0 else {
      throw TrainingError.incompleteCheckpoint(path: path, missing: "step")
    }
    func collected(_ prefix: String) throws -> Tensor {
      var values = [Float](repeating: 0, count: layout.count)
      for slice in layout.slices {
        let tensor = try file.tensor(prefix + slice.name, shape: slice.shape)
        values.replaceSubrange(slice.offset..<slice.offset + slice.count, with: tensor.values)
      }
      return Tensor(values)
    }
    parameters = try collected("model.")
    state = AdamWState(
      step: step, firstMoment: try collected("adam.first."), secondMoment: try collected("adam.second."))
    notes = file.metadata.filter { $0.key != "step" }
    for slice in layout.slices where slice.isCodes {
      codeUses[slice.name] = try file.tensor("uses." + slice.name, shape: [slice.shape[0]])
    }
  }

  /// Refuses to go on under another setting than the one that was stored.
  /// - Throws: `TrainingError.otherSetting` or `incompleteCheckpoint`.
  public func require(_ setting: String, _ expected: String, path: String) throws(TrainingError) {
    guard let found = notes[setting] else { throw .incompleteCheckpoint(path: path, missing: setting) }
    guard found == expected else {
      throw .otherSetting(path: path, setting: setting, found: found, expected: expected)
    }
  }
}
