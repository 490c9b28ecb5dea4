import ArgumentParser
import Training

struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a checkpoint's weights as a PyTorch state dict of the published network.",
    discussion: """
      In Python: model.load_state_dict(safetensors.torch.load_file(OUTPUT)). The file's metadata say \
      all that its use needs, so that predict and evaluate take it alone; inspect --checkpoint OUTPUT shows \
      it.
      """)

  @OptionGroup var model: ModelOptions
  @OptionGroup var file: TensorOutputOptions

  func run() {
    onOneRank("export") { _ in
      print(try StateDict.exportModel(from: model.checkpoint, to: file.output))
    }
  }
}
