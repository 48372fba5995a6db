// The one list of subcommands, in the order the help shows them.

var subcommands: [any Subcommand.Type] {
  [
    DiscoverCommand.self,
    GenerateCommand.self,
    RecordCommand.self,
    TrainCommand.self,
    RankCommand.self,
    EvaluateCommand.self,
    VerifyCommand.self,
    InspectCommand.self,
    TasksCommand.self,
    TokenizeCommand.self,
    DoctorCommand.self,
    TrainModelCommand.self,
  ]
}
