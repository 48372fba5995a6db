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
    SuiteCommand.self,
    AblateCommand.self,
    PatchCommand.self,
    HeadsCommand.self,
    AttributeCommand.self,
    MethodsCommand.self,
    FaithfulnessCommand.self,
    ExplainCommand.self,
    FitCommand.self,
    ImportanceCommand.self,
    RulesCommand.self,
    TasksCommand.self,
    CheckCommand.self,
    ModelsCommand.self,
    InspectCommand.self,
    VerifyCommand.self,
    TokenizeCommand.self,
    TrainModelCommand.self,
    DoctorCommand.self,
    LimitsCommand.self,
  ]
}
