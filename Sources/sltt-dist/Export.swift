import ArgumentParser
import Training

struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a checkpoint's network for PyTorch, or as a graph for neuromorphic hardware.",
    discussion: """
      As safetensors, it is a state dict of the published network; in Python: \
      model.load_state_dict(safetensors.torch.load_file(OUTPUT)). Its metadata say all that its use needs, so \
      that predict and evaluate take it alone; inspect --checkpoint OUTPUT shows it. With --half or --quantize, \
      evaluate tells what that costs; docs/files.md says what the tensors of int8 weights are.

      As nir, it is a graph of the Neuromorphic Intermediate Representation, in evaluation: nir.read(OUTPUT). \
      It can say networks whose neurons reset hard, without max pools.
      """)

  enum Format: String, CaseIterable, ExpressibleByArgument {
    case safetensors, nir
  }

  enum Quantization: String, CaseIterable, ExpressibleByArgument {
    case int8
  }

  @OptionGroup var model: ModelOptions

  @Option(name: .long, help: "Format of the file.")
  var format = Format.safetensors

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
    if format == .nir && (half || quantize != nil) {
      throw ValidationError("--half and --quantize are for --format safetensors: leave them out")
    }
  }

  func run() {
    onOneRank("export") { _ in
      switch format {
      case .safetensors:
        let encoding: WeightEncoding = half ? .float16 : quantize == .int8 ? .int8 : .float32
        print(try StateDict.exportModel(from: model.checkpoint, to: output, encoding))
      case .nir: print(try NIRExport.write(from: model.checkpoint, to: output))
      }
    }
  }
}
