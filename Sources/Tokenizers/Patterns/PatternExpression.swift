// The tree of a pattern, and its translation into a program.

/// A parsed regular expression.
indirect enum PatternExpression: Sendable {
  case set(ScalarSet)
  case sequence([PatternExpression])
  case choice([PatternExpression])
  case repetition(PatternExpression, minimum: Int, maximum: Int, isPossessive: Bool)
  case ahead(PatternExpression, isNegative: Bool)

  /// Whether it can match without consuming anything.
  var isNullable: Bool {
    switch self {
    case .set: false
    case .sequence(let parts): parts.allSatisfy(\.isNullable)
    case .choice(let parts): parts.contains(where: \.isNullable)
    case .repetition(let part, let minimum, _, _): minimum == 0 || part.isNullable
    case .ahead: true
    }
  }

  /// Appends the program; `stepwise` takes runs that may be given back character by character.
  func emit(into program: inout [Pattern.Instruction], stepwise: Bool = false) {
    switch self {
    case .set(let set):
      program.append(.one(set))
    case .sequence(let parts):
      for part in parts { part.emit(into: &program, stepwise: stepwise) }
    case .choice(let parts):
      emit(choice: parts[...], into: &program, stepwise: stepwise)
    case .repetition(.set(let set), let minimum, let maximum, let isPossessive)
    where isPossessive || !stepwise:
      program.append(
        isPossessive
          ? .possessive(set, minimum: minimum, maximum: maximum)
          : .many(set, minimum: minimum, maximum: maximum))
    case .repetition(let part, let minimum, let maximum, _):
      emit(repetition: part, minimum, maximum, into: &program, stepwise: stepwise)
    case .ahead(let part, let isNegative):
      let own = program.count
      program.append(.accept)
      part.emit(into: &program, stepwise: stepwise)
      program.append(.accept)
      program[own] = .ahead(isNegative: isNegative, end: program.count)
    }
  }

  private func emit(
    choice parts: ArraySlice<PatternExpression>, into program: inout [Pattern.Instruction], stepwise: Bool
  ) {
    guard let first = parts.first else { return }
    guard parts.count > 1 else { return first.emit(into: &program, stepwise: stepwise) }
    let fork = program.count
    program.append(.accept)
    first.emit(into: &program, stepwise: stepwise)
    let exit = program.count
    program.append(.accept)
    program[fork] = .either(first: fork + 1, second: program.count)
    emit(choice: parts.dropFirst(), into: &program, stepwise: stepwise)
    program[exit] = .jump(program.count)
  }

  private func emit(
    repetition part: PatternExpression, _ minimum: Int, _ maximum: Int,
    into program: inout [Pattern.Instruction], stepwise: Bool
  ) {
    for _ in 0..<minimum { part.emit(into: &program, stepwise: stepwise) }
    let fork = program.count
    if maximum == .max {
      program.append(.accept)
      part.emit(into: &program, stepwise: stepwise)
      program.append(.jump(fork))
      program[fork] = .either(first: fork + 1, second: program.count)
    } else {
      var forks: [Int] = []
      for _ in minimum..<maximum {
        forks.append(program.count)
        program.append(.accept)
        part.emit(into: &program, stepwise: stepwise)
      }
      for fork in forks { program[fork] = .either(first: fork + 1, second: program.count) }
    }
  }
}
