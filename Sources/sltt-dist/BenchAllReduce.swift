import ArgumentParser
import Benchmarking
import Distributed
import Training

struct BenchAllReduce: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "allreduce",
    abstract:
      "Bus bandwidth of the all-reduce against size and chunk, beside a plain MPI_Allreduce.",
    discussion: "Start it on the ranks to measure: mpirun -n 8 sltt-dist bench allreduce.")

  @Option(
    name: .long, parsing: .unconditional,
    help: "The largest size, in MiB; from 16 KiB on, sizes grow fourfold.")
  var largest = 64

  @Option(
    name: .long, help: "Lengths of chunks, in floats, such as 100000,400000.",
    transform: { try counts($0, of: "floats", in: 1...Int(Int32.max)) })
  var chunks = [100_000, GradientReducer.defaultChunkLength, 1_600_000]

  @Option(name: .long, parsing: .unconditional, help: "Rounds; the median counts.")
  var rounds = 5

  @OptionGroup var files: ReportOptions<Self>

  func validate() throws {
    try require("--largest", largest, in: 1...4096)
    try require("--rounds", rounds, in: OptionLimit.rounds)
  }

  func run() {
    onEveryRank { communicator in
      guard communicator.size > 1 else {
        throw ValidationError(
          "bench allreduce needs several ranks: mpirun -n 2 sltt-dist bench allreduce")
      }
      if communicator.isRoot { try files.prepare() }
      let counts = Array(sequence(first: 4096) { $0 * 4 }.prefix { $0 <= largest << 18 })
      let report = try AllReduceBenchmark(communicator, rounds: rounds)
        .run(counts: counts, chunkLengths: chunks)
      if communicator.isRoot { try files.show(report) }
    }
  }
}
