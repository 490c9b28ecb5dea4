import ArgumentParser

struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure parts of the program on this machine.",
    subcommands: [
      BenchData.self, BenchStep.self, BenchKernels.self, BenchMemory.self, BenchScaling.self,
      BenchAllReduce.self,
    ])
}
