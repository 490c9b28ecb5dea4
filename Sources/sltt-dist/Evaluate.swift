import ArgumentParser
import Training

struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure a checkpoint's accuracy on the validation split.",
    discussion: """
      The configuration is the one that the checkpoint was trained with, unless --config names another. \
      Through mpirun, the ranks share the samples; each sample counts exactly once.

      With --unroll: a network whose neurons fire up to L spikes at a time step runs a second time with \
      single spikes, over L times as many steps, and the two are compared.

      With --energy: multiply-accumulates, spikes' accumulates and energy by layer, at the measured firing \
      rates, beside the same network as an ANN.
      """)

  @OptionGroup var model: ModelOptions
  @OptionGroup var configuration: ConfigurationOptions
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var operations: EnergyOptions

  @Flag(name: .long, help: "Show the operations of each layer and their energy.")
  var energy = false

  @Flag(name: .long, help: "Compare the network of several levels with itself in single spikes.")
  var unroll = false

  func validate() throws {
    guard energy && unroll else { return }
    throw ValidationError("--energy counts the network as it is: leave --unroll out")
  }

  func run() {
    onEveryRank { communicator in
      let file = try ModelFile(at: model.checkpoint, communicator)
      let resolved = try configuration.read(communicator, base: file.configuration)
      let evaluation = try Evaluation(
        of: file, resolved, backend: compute.backend, threads: compute.threadCount(communicator),
        communicator)
      let report =
        try unroll
        ? evaluation.runUnrolled() : evaluation.run(energy: energy ? operations.energy : nil)
      if communicator.isRoot { print(report) }
    }
  }
}
