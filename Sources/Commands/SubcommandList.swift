// The one list of subcommands, in the order the help shows them.

var subcommands: [any Subcommand.Type] {
  [
    GenerateCommand.self,
    RecordCommand.self,
    EvaluateCommand.self,
    TasksCommand.self,
    DoctorCommand.self,
    TrainModelCommand.self,
  ]
}
