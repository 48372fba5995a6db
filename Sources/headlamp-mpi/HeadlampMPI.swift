// headlamp's commands by many processes at once; everything but MPI itself is in Commands.

import CAllocation
import CMPI
import Commands
import Tensors
import Transformers

/// The ranks of an MPI program.
struct MPITeam: StageTeam {
  var rank: Int { Int(cmpi_rank()) }
  var size: Int { Int(cmpi_size()) }
  var ranksOnNode: Int { Int(cmpi_ranks_on_node()) }

  func handOut(_ count: Int) { cmpi_hand_out(Int32(clamping: count)) }
  func next() -> Int? {
    let number = cmpi_next()
    return number == 0 ? nil : Int(number)
  }
  func sum(_ values: [Double]) -> [Double] {
    var sums = values
    unsafe cmpi_sum(&sums, Int32(clamping: sums.count))
    return sums
  }
  func waitForAll() { cmpi_wait_for_all() }
  func finish() { cmpi_finish() }
  func abort(_ code: Int32) { cmpi_abort(code) }

  func firstProblem(_ code: Int32) -> (rank: Int, code: Int32)? {
    var code = code
    let rank = unsafe cmpi_first_problem(&code)
    return rank < 0 ? nil : (Int(rank), code)
  }

  func send(_ message: StageMessage, to rank: Int) {
    let numbers = message.numbers.map { Int64($0) }
    message.values.withValues { values in
      unsafe values.withUnsafeBufferPointer { values in
        unsafe cmpi_send(
          numbers, Int64(numbers.count), values.baseAddress, Int64(values.count), Int32(rank))
      }
    }
  }

  func receive(from rank: Int) -> StageMessage {
    var counts: (numbers: Int64, values: Int64) = (0, 0)
    unsafe cmpi_receive_counts(Int32(rank), &counts.numbers, &counts.values)
    var numbers = [Int64](repeating: 0, count: Int(counts.numbers))
    let values = Tensor(shape: [Int(counts.values)]) { values in
      unsafe values.withUnsafeMutableBufferPointer { values in
        unsafe cmpi_receive(&numbers, counts.numbers, values.baseAddress, counts.values, Int32(rank))
      }
    }
    return StageMessage(numbers: numbers.map { Int($0) }, values: values)
  }
}

@main
enum HeadlampMPI {
  static func main() {
    allocation_is_explained()
    LinearAlgebraLibrary.restartWithFittingKernels()
    let arguments = Array(CommandLine.arguments.dropFirst())
    guard cmpi_start() == 0 else { refuseTeam(program: "headlamp-mpi") }
    runHeadlamp(arguments: arguments, with: MPITeam(), program: "headlamp-mpi")
  }
}
