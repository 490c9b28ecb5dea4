import ArgumentParser
import Training

struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a checkpoint's weights as a PyTorch state dict of the published network.",
    discussion: """
      It is a safetensors file; in Python: model.load_state_dict(safetensors.torch.load_file(OUTPUT)). Its \
      metadata say all that its use needs, so that predict and evaluate take it alone; inspect --checkpoint \
      OUTPUT shows it. With --half or --quantize, evaluate tells what that costs; docs/files.md says what the \
      tensors of int8 weights are.
      """)

  enum Quantization: String, CaseIterable, ExpressibleByArgument {
    case int8
  }

  @OptionGroup var model: ModelOptions

  @Flag(name: .long, help: "Store weights in float16.")
  var half = false

  @Option(name: .long, help: "Store weights in int8, with one scale for each output channel.")
  var quantize: Quantization?

  @Option(name: .long, help: "File to write.", transform: path)
  var output: String

  func validate() throws {
    if half && quantize != nil {
      throw ValidationError("--half and --quantize store the same weights: give one of them")
    }
  }

  func run() {
    onOneRank("export") { _ in
      let encoding: WeightEncoding = half ? .float16 : quantize == .int8 ? .int8 : .float32
      print(try StateDict.exportModel(from: model.checkpoint, to: output, encoding))
    }
  }
}
