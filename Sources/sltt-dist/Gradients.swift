import ArgumentParser
import Distributed
import Tensors
import Training

struct Gradients: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "One iteration without an update, to compare with other implementations.",
    discussion: """
      Reads and writes safetensors files. Weights: parameters under their published names, or as \
      param.NAME, with running statistics as NAME or buffer_before.NAME. Batch: frames [1, N, C, H, W] \
      (a static image) or [T, N, C, H, W], and labels [N]. Output: logits [T, N, classes], loss, \
      firing_rate, grad.NAME and buffer_after.NAME in the published shapes, float32.
      """)

  @OptionGroup var configuration: ConfigurationOptions
  @OptionGroup var compute: ComputeOptions

  @Option(name: .long, help: "Safetensors file with the weights.", transform: path)
  var weights: String

  @Option(name: .long, help: "Safetensors file with frames and labels.", transform: path)
  var batch: String

  @Option(
    name: .long,
    help: "Time steps that SLTT-K back-propagates, from 0, such as 1,3; drawn when left out.",
    transform: { try counts($0, of: "time steps", in: 0...9999) })
  var trainedTimesteps: [Int]?

  @OptionGroup var file: TensorOutputOptions

  func run() {
    onOneRank("gradients") { communicator in
      let resolved = try configuration.read(communicator)
      ThreadPool.setThreads(try compute.threadCount(communicator))
      let probe = try GradientProbe(
        resolved, weights: weights, batch: batch, backend: compute.backend)
      try probe.run(trainedTimesteps: trainedTimesteps, output: file.output)
    }
  }
}
