// The one list of subcommands, in the order the help shows them.

var subcommands: [any Subcommand.Type] {
  [
    DiscoverCommand.self,
    GenerateCommand.self,
    RecordCommand.self,
    TrainCommand.self,
    RankCommand.self,
    EvaluateCommand.self,
    CompareCommand.self,
    VerifyCommand.self,
    InspectCommand.self,
    AblateCommand.self,
    TasksCommand.self,
    ExplainCommand.self,
    FitCommand.self,
    ImportanceCommand.self,
    RulesCommand.self,
    TokenizeCommand.self,
    DoctorCommand.self,
    TrainModelCommand.self,
  ]
}
