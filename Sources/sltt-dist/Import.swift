import ArgumentParser
import Training

struct Import: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make a model of a PyTorch state dict of a published network.",
    discussion: """
      The state dict has the names of the published models. It is a safetensors file, or one of \
      torch.save (.pth, .pt), by itself or in a checkpoint's dictionary under 'net', 'state_dict', \
      'model' or 'model_state_dict'. The configuration says which network it is, and with data.path \
      which classes it knows. \
      evaluate and train --init-from take the result.
      """)

  @OptionGroup var configuration: ConfigurationOptions

  @Option(name: .long, help: "File with the state dict.", transform: path)
  var stateDict: String

  @Option(name: .long, help: "The model's file (.safetensors) to write.", transform: path)
  var output: String

  func run() {
    onOneRank("import") { communicator in
      print(
        try StateDict.importModel(
          from: stateDict, try configuration.read(communicator), to: output))
    }
  }
}
