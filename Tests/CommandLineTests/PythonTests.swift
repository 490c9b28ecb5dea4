import TestSupport
import Testing

/// What Python's `safetensors` makes of our checkpoints.
@Suite(
  .enabled(if: Python.has("safetensors", "numpy"), "no Python with safetensors and numpy"))
struct PythonTests {
  /// Prints names, types and shapes of a file's tensors, and `format` of its metadata.
  private static let script = """
    import sys, safetensors, safetensors.numpy
    tensors = safetensors.numpy.load_file(sys.argv[1])
    for name in sorted(tensors):
      print(name, tensors[name].dtype, *tensors[name].shape)
    print("format", safetensors.safe_open(sys.argv[1], "numpy").metadata()["format"])
    """

  private func listing(_ model: [String], width: Int) throws -> [String] {
    let workspace = try Workspace.withImages()
    let training = try workspace.run(
      ["train", "--config", "small.yaml", "--output", "run", "--set", "model.width=\(width)"]
        + ["--set", "training.max_iterations=1"] + model.flatMap { ["--set", $0] })
    try #require(training.status == 0, "\(training.errors)")
    let output = try Python.run(
      Self.script, workspace.file("run/checkpoints/best/model.safetensors"))
    return output.split(separator: "\n").map { String($0) }
  }

  /// With smaller weights, and what a stranger needs to know.
  @Test(arguments: [
    (["--half"], "float16"), (["--quantize", "int8"], "int8"), ([String](), "float32"),
  ])
  func readsExports(_ options: [String], _ type: String) throws {
    let workspace = try Workspace.withImages()
    let training = try workspace.run(
      "train", "--config", "small.yaml", "--output", "run", "--set", "training.max_iterations=1")
    try #require(training.status == 0, "\(training.errors)")
    let export = try workspace.run(
      ["export", "--checkpoint", "run", "--output", "x.safetensors"] + options,
      usesOneThread: false)
    try #require(export.status == 0, "\(export.errors)")
    let output = try Python.run(
      """
      import sys, json, numpy, safetensors, safetensors.numpy
      tensors = safetensors.numpy.load_file(sys.argv[1])
      metadata = safetensors.safe_open(sys.argv[1], "numpy").metadata()
      card = json.loads(metadata["model_card"])
      weight = tensors["conv1.weight"].astype(numpy.float32)
      if "conv1.weight.scale" in tensors:
        weight *= tensors["conv1.weight.scale"].reshape(-1, 1, 1, 1)
      whole = safetensors.numpy.load_file(sys.argv[2])["conv1.weight"]
      print(tensors["conv1.weight"].dtype, tensors["fc.bias"].dtype, *json.loads(metadata["classes"]))
      print(card["parameters"] == sum(t.size for n, t in tensors.items() if "scale" not in n))
      print(abs(weight - whole).max() <= abs(whole).max() / 200)
      """, workspace.file("x.safetensors"),
      workspace.file("run/checkpoints/best/model.safetensors"))
    #expect(output == "\(type) float32 0 1 2\nTrue\nTrue\n")
  }

  private func expect(_ listing: [String], equals tensors: [(String, [Int])]) {
    let expected = tensors.map { name, shape in
      (["\(name)", "float32"] + shape.map(String.init)).joined(separator: " ")
    }
    #expect(listing == expected.sorted() + ["format pt"])
  }

  /// A batch norm of PyTorch, but for its number of batches.
  private func batchNorm(_ name: String, _ channels: Int) -> [(String, [Int])] {
    ["weight", "bias", "running_mean", "running_var"].map { ("\(name).\($0)", [channels]) }
  }

  private func convolution(
    _ name: String, _ inputs: Int, _ outputs: Int, kernel: Int, hasBias: Bool = true
  ) -> [(String, [Int])] {
    [("\(name).weight", [outputs, inputs, kernel, kernel])]
      + (hasBias ? [("\(name).bias", [outputs])] : [])
  }

  /// A convolution with standardised weights.
  private func scaledConvolution(
    _ name: String, _ inputs: Int, _ outputs: Int, kernel: Int
  ) -> [(String, [Int])] {
    convolution(name, inputs, outputs, kernel: kernel) + [("\(name).gain", [outputs, 1, 1, 1])]
  }

  @Test func readsAPreActivationResNet() throws {
    let listing = try listing(["model.family=resnet", "model.blocks=[1,1]"], width: 4)
    expect(
      listing,
      equals: convolution("conv1", 1, 4, kernel: 3, hasBias: false)
        + batchNorm("layer1.0.bn1", 4) + convolution("layer1.0.conv1", 4, 4, kernel: 3)
        + batchNorm("layer1.0.bn2", 4) + convolution("layer1.0.conv2", 4, 4, kernel: 3)
        + batchNorm("layer2.0.bn1", 4) + convolution("layer2.0.conv1", 4, 8, kernel: 3)
        + batchNorm("layer2.0.bn2", 8) + convolution("layer2.0.conv2", 8, 8, kernel: 3)
        + convolution("layer2.0.shortcut", 4, 8, kernel: 1)
        + batchNorm("bn1", 8) + [("linear.weight", [3, 8 * 2 * 2]), ("linear.bias", [3])])
  }

  @Test func readsANormalizerFreeResNet() throws {
    let listing = try listing(["model.family=nf-resnet-bottleneck", "model.blocks=[2]"], width: 4)
    expect(
      listing,
      equals: scaledConvolution("conv1", 1, 4, kernel: 7)
        + scaledConvolution("layer1.0.conv1", 4, 4, kernel: 1)
        + scaledConvolution("layer1.0.conv2", 4, 4, kernel: 3)
        + scaledConvolution("layer1.0.conv3", 4, 16, kernel: 1)
        + scaledConvolution("layer1.0.downsample", 4, 16, kernel: 1)
        + scaledConvolution("layer1.1.conv1", 16, 4, kernel: 1)
        + scaledConvolution("layer1.1.conv2", 4, 4, kernel: 3)
        + scaledConvolution("layer1.1.conv3", 4, 16, kernel: 1)
        + [("layer1.0.skipinit_gain", []), ("layer1.1.skipinit_gain", [])]
        + [("fc.weight", [3, 16]), ("fc.bias", [3])])
  }

  @Test func readsAVGG() throws {
    let listing = try listing(["model.family=vgg", "model.blocks=[1,2]"], width: 4)
    expect(
      listing,
      equals: convolution("layer1.0", 1, 4, kernel: 3) + batchNorm("layer1.1", 4)
        + convolution("layer2.0", 4, 8, kernel: 3) + batchNorm("layer2.1", 8)
        + convolution("layer2.4", 8, 8, kernel: 3) + batchNorm("layer2.5", 8)
        + [("classifier.1.weight", [3, 8 * 7 * 7]), ("classifier.1.bias", [3])])
  }
}
