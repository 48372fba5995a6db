// The program's entry; everything it does is in Commands.

import Commands

@main
enum Headlamp {
  static func main() {
    runHeadlamp(arguments: Array(CommandLine.arguments.dropFirst()))
  }
}
