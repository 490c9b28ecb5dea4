import ArgumentParser
import Training

struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a checkpoint's weights as a PyTorch state dict of the published network.",
    discussion: """
      In Python: model.load_state_dict(safetensors.torch.load_file(OUTPUT)).
      """)

  @Option(
    name: .long,
    help: "Directory of a run (its best checkpoint) or of a checkpoint, or its model.safetensors.",
    transform: path)
  var checkpoint: String

  @Option(name: .long, help: "Safetensors file to write.", transform: path)
  var output: String

  func run() {
    onEveryRank { communicator in
      guard communicator.size == 1 else {
        throw ValidationError("export runs in one process: start it without mpirun")
      }
      print(try StateDict.exportModel(from: checkpoint, to: output))
    }
  }
}
