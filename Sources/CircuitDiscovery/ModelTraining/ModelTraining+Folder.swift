// A trained model as a folder that every other command can open.

import Files
import Tokenizers
import Transformers

extension ModelTraining {
  /// Writes `config.json`, `model.safetensors`, `tokenizer.json` (with `tokenizer_config.json`) and `training.json`.
  ///
  /// - Parameters:
  ///   - folder: an existing folder.
  ///   - command: the command line that repeats the training.
  ///   - version: the version of the program.
  /// - Throws: `FileError` where a file cannot be written.
  public func writeModel(to folder: String, command: String, version: String) throws {
    try trainer.model.write(
      toFolder: folder, beginningToken: tokens.beginningToken,
      metadata: ["created_by": "headlamp \(version)", "seed": String(plan.seed)])
    try tokens.write(toFolder: folder)
    try writeFile(record(command: command, version: version).text(), to: folder + "/training.json")
  }

  private func record(command: String, version: String) -> JSONValue {
    .object([
      JSONMember("created_by", .string("headlamp \(version)")),
      JSONMember("command", .string(command)),
      JSONMember("seed", .integer(Int(truncatingIfNeeded: plan.seed))),
      JSONMember("steps", .integer(step)),
      JSONMember("settings", .string(plan.description)),
      JSONMember("parameters", .integer(trainer.layout.slices.reduce(0) { $0 + $1.count })),
      JSONMember(
        "tasks",
        .array(
          mixture.corpora.map { corpus in
            .object([
              JSONMember("name", .string(corpus.name)),
              JSONMember("learned_positives", .integer(corpus.positives.count)),
              JSONMember("learned_negatives", .integer(corpus.negatives.count)),
              JSONMember("held_out", .integer(corpus.heldOut.count)),
            ])
          })),
      JSONMember(
        "held_out_rule",
        .string(
          "one pair in \(TaskCorpus.heldOutShare), by FNV-1a of the positive's token ids; never learned from")
      ),
      JSONMember(
        "accuracy", .string("the most likely next token, of the whole vocabulary, is a right answer")),
      JSONMember(
        "final",
        history.examinations.last.map { examination in
          .object(examination.tasks.map { JSONMember($0.task, $0.json) })
        } ?? .null),
      JSONMember("loss", history.lossesJSON), JSONMember("code_use", history.codeUseJSON),
      JSONMember("examinations", history.examinationsJSON),
    ])
  }
}
