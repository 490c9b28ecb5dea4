import ArgumentParser
import Training

struct Import: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make a model of a PyTorch state dict of a published network.",
    discussion: """
      The state dict is a safetensors file with the names of the published models; docs/files.md shows \
      how to make one of a .pth. The configuration says which network it is, and with data.path which \
      classes it knows. evaluate and train --init-from take the result.
      """)

  @OptionGroup var configuration: ConfigurationOptions

  @Option(name: .long, help: "Safetensors file with the state dict.", transform: path)
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
