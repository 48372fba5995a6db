// What `inspect` can look into: one file a kind, one line here.

/// A kind of file or folder that `inspect` can describe.
protocol Inspection {
  /// What it is, for the message about paths that are none of the kinds: "a model folder".
  static var kind: String { get }

  /// Lines that describe what is at `path`; nil where it is something else.
  /// - Throws: where it is of this kind, but not sound.
  static func describe(_ path: String) throws -> [String]?
}

/// The kinds, in the order they are tried.
var inspections: [any Inspection.Type] {
  [
    ModelFolderInspection.self,
    RecordingInspection.self,
    DictionaryInspection.self, NormalityInspection.self, AutoencoderInspection.self,
    PromptFileInspection.self,
    TaskInspection.self,
  ]
}
