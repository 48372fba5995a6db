// The one list of subcommands, in the order the help shows them.

var subcommands: [any Subcommand.Type] {
  [
    GenerateCommand.self,
    EvaluateCommand.self,
    TasksCommand.self,
    FitCommand.self,
    DoctorCommand.self,
  ]
}
