import SpikingNetworks
import TestSupport
import Testing

@testable import Configuration

/// Networks that are written layer by layer.
struct LayerListTests {
  private func read(_ yaml: String, _ overrides: [String] = []) throws -> Configuration {
    var configuration = Configuration()
    try configuration.apply(yaml: yaml, from: "own.yaml")
    try configuration.apply(overrides: overrides)
    try configuration.validate()
    return configuration
  }

  private static let every = """
    model:
      layers:
        - convolution: {name: stem, channels: 8, kernel: 5, stride: 2, padding: 1, bias: none}
        - average_pool: {kernel: 3, stride: 2, padding: 1}
        - repeat:
            name: stage
            times: 2
            layers:
              - batch_norm
              - neuron: {tau: 2, threshold: 0.5, surrogate: sigmoid, surrogate_width: 3,
                         kind: plif, reset: soft, levels: 3, amplitude: 1.5}
              - residual:
                  shortcut: {name: short, channels: 8, kernel: 1}
                  skip_init: 0.2
                  branch:
                    - dropout: {probability: 0.25}
                    - neuron: {name: "null", input_scale: 0.98058075}
                    - convolution: {channels: 8, kernel: 3, standardized: true}
        - sequence: {layers: [neuron: {}]}
        - max_pool: {kernel: 3, stride: 2, padding: 1}
        - residual:
            branch: [convolution: {channels: 8, kernel: 3}, neuron: {}]
            shortcut:
              - convolution: {channels: 8, kernel: 1}
              - neuron: {name: short}
        - adaptive_pool: {size: 2}
        - linear: {outputs: 12, weight: normal}
        - neuron:
        - linear: {name: fc, bias: zero}
    """

  private static let everyPart: [Part] = {
    var stem = ConvolutionPart("stem", channels: 8, kernel: 5, stride: 2, bias: .none)
    stem.padding = 1
    var neuron = NeuronPart(amplitude: 1.5)
    (neuron.tau, neuron.threshold, neuron.surrogate) = (2, 0.5, .sigmoid)
    (neuron.surrogateWidth, neuron.kind) = (3, .plif)
    (neuron.reset, neuron.levels) = (.soft, 3)
    var dropout = DropoutPart()
    dropout.probability = 0.25
    return [
      .convolution(stem), .averagePool(WindowPoolPart(kernel: 3, stride: 2, padding: 1)),
      .repetition(
        RepetitionPart(
          "stage", times: 2,
          [
            .batchNorm(BatchNormPart()), .neuron(neuron),
            .residual(
              ResidualPart(
                branch: [
                  .dropout(dropout), .neuron(NeuronPart("null", inputScale: 0.98058075)),
                  .convolution(ConvolutionPart(channels: 8, kernel: 3, isStandardized: true)),
                ], shortcut: [.convolution(ConvolutionPart("short", channels: 8, kernel: 1))],
                skipInit: 0.2)),
          ])),
      .sequence(SequencePart(nil, [.neuron(NeuronPart())])),
      .maxPool(WindowPoolPart(kernel: 3, stride: 2, padding: 1)),
      .residual(
        ResidualPart(
          branch: [
            .convolution(ConvolutionPart(channels: 8, kernel: 3)), .neuron(NeuronPart()),
          ],
          shortcut: [
            .convolution(ConvolutionPart(channels: 8, kernel: 1)), .neuron(NeuronPart("short")),
          ])),
      .adaptivePool(AdaptivePoolPart(size: 2)),
      .linear(LinearPart(outputs: .count(12), weight: .normal)), .neuron(NeuronPart()),
      .linear(LinearPart("fc", bias: .zero)),
    ]
  }()

  @Test func partsTakeTheirParametersAndDefaults() throws {
    let configuration = try read(Self.every)
    #expect(configuration.model.layers?.parts == Self.everyPart)
    #expect(try configuration.network.parts == Self.everyPart)
    // A value for each parameter of each kind is among them.
    let names = PartKind.all.flatMap { kind in kind.parameters.map { "\($0.name):" } }
    #expect(names.allSatisfy(Self.every.contains))
    #expect(PartKind.all.allSatisfy { Self.every.contains("\($0.name)") })
  }

  @Test func readsBackToTheSame() throws {
    let configuration = try read(Self.every)
    let copy = try read(configuration.yaml)
    #expect(copy == configuration && copy.yaml == configuration.yaml)
    #expect(copy.model.layers?.parts == Self.everyPart)
    #expect(copy != Configuration())
  }

  /// A key of earlier versions is read, never written.
  @Test func learnableTauIsKindPLIF() throws {
    let configuration = try read(
      "model: {layers: [neuron: {learnable_tau: true}, neuron: {learnable_tau: false}, neuron]}")
    let neurons = configuration.model.layers?.parts.neurons(NeuronSpecification(kind: .if))
    #expect(neurons?.map(\.kind) == [.plif, .lif, .if])
    #expect(configuration.yaml.contains("- neuron: {kind: plif}\n    - neuron: {kind: lif}\n"))
    #expect(!configuration.yaml.contains("learnable_tau"))
  }

  /// What is at its default is left out, what must be there never.
  @Test func isWrittenShortly() throws {
    let yaml = try read("model: {layers: [convolution: {channels: 1, kernel: 1}, linear]}").yaml
    #expect(yaml.contains("\n    - convolution: {channels: 1, kernel: 1}\n    - linear: {}\n"))
    #expect(yaml.contains("\n  # family:") && yaml.contains("\n  # width:"))
  }

  @Test(arguments: Architecture.allCases)
  func publishedNetworksCanBeWrittenOut(_ architecture: Architecture) throws {
    let published = try read("", ["model.architecture=\(architecture.rawValue)"])
    let own = try read(published.withLayers().yaml)
    #expect(own.model.layers?.parts == (try published.network.parts))
    #expect(own.model.family == nil && own.model.architecture == nil && own.model.width == nil)
  }

  @Test func standsInPlaceOfAnArchitecture() throws {
    for override in ["model.architecture=vgg11", "model.family=vgg", "model.blocks=[2]"] {
      let complete = override.contains("family") ? ["model.blocks=[1]"] : []
      let family = override.contains("blocks") ? ["model.family=resnet"] : []
      let configuration = try read(Self.every, [override] + complete + family)
      #expect(configuration.model.layers == nil)
      #expect(configuration.model.width == Configuration().model.width)
    }
    for key in ["architecture: vgg11", "family: vgg", "blocks: [1]", "width: 8"] {
      let name = key.prefix { $0 != ":" }
      #expect(
        message { _ = try read("model:\n  \(key)\n  layers: [linear]") }
          == "own.yaml:2: model.\(name) and model.layers exclude each other: remove one of them")
    }
    #expect(
      message { _ = try read(Self.every, ["model.width=8"]) }
        == "--set model.width=8: model.width and model.layers exclude each other: remove one of them"
    )
  }

  @Test func batchNormIsFoundWhereverItIs() throws {
    let rule = ["method.name=sltt-k", "method.k=1", "method.skip_trailing=true"]
    #expect(
      message { _ = try read(Self.every, rule) }.contains("running statistics of batch norm"))
    _ = try read(Self.every.replacing("- batch_norm\n", with: "- neuron\n"), rule)
  }

  static let mistakes: [(layers: String, message: String)] = [
    ("[]", ":2: model.layers is [], but must be a list of layers"),
    ("resnet18", ":2: model.layers is 'resnet18', but must be a list of layers"),
    (
      "\n  - linear\n  - conv: {channels: 8}",
      ":4: unknown key 'model.layers[1].conv'; did you mean 'convolution'? Allowed are convolution,"
        + " batch_norm, neuron, average_pool, max_pool, adaptive_pool, dropout, linear, sequence, repeat, residual"
    ),
    (
      "\n  - convolution:\n      channels: 8\n      kernal: 3",
      ":5: unknown key 'model.layers[0].convolution.kernal'; did you mean 'kernel'? Allowed are name,"
        + " channels, kernel, stride, padding, standardized, bias"
    ),
    (
      "\n  - convolution: {channels: 8}",
      ":3: model.layers[0].convolution has no kernel: add it, as in {kernel: …}"
    ),
    (
      "\n  - convolution",
      ":3: model.layers[0].convolution has no channels: add it, as in {channels: …}"
    ),
    (
      "\n  - convolution: 8",
      ":3: model.layers[0].convolution is '8', but must be a mapping such as {channels: …}"
    ),
    (
      "\n  - convolution: {channels: 0, kernel: 3}",
      ":3: model.layers[0].convolution.channels is '0', but must be an integer from 1 to 65536"
    ),
    (
      "\n  - convolution:\n    channels: 8\n    kernel: 3",
      ":3: model.layers[0] has the keys 'convolution', 'channels', 'kernel', but takes one: indent what"
        + " belongs to 'convolution' further"
    ),
    (
      "\n  - [linear]",
      ":3: model.layers[0] is [linear], but must be one layer such as convolution: {channels: 16,"
        + " kernel: 3}"
    ),
    (
      "\n  - repeat:\n      times: 2\n      layers:\n        - neuron: {name: a.b}",
      ":6: model.layers[0].repeat.layers[0].neuron.name is 'a.b', but must be a name of letters,"
        + " digits, _ and -"
    ),
    (
      "\n  - linear: {outputs: all}",
      ":3: model.layers[0].linear.outputs is 'all', but must be classes, or an integer from 1 to"
        + " 1000000"
    ),
    (
      "\n  - residual: {branch: [linear], shortcut: {kernel: 1}}",
      ":3: model.layers[0].residual.shortcut has no channels: add it, as in {channels: …}"
    ),
  ]

  @Test(arguments: mistakes)
  func mistakesAreNamedWithTheirLine(_ layers: String, _ expected: String) {
    #expect(
      message { _ = try read("model:\n  layers: \(layers.replacing("\n", with: "\n  "))") }
        == "own.yaml\(expected)")
  }

  /// Problems of a network are told at the line of the layer.
  @Test func linesAreThoseOfTheWrittenLayers() throws {
    let layers = try #require(try read(Self.every).model.layers)
    // Depth first; the shortcut after the branch, though it is written before.
    #expect(
      layers.lines == [
        3, 4, 5, 9, 10, 12, 16, 17, 18, 13, 19, 19, 20, 21, 22, 22, 24, 25,
        26, 27, 28, 29,
      ])
    let overridden = try read("", ["model.layers=[linear]"])
    #expect(overridden.model.layers?.parts == [.linear(LinearPart())])
    let problem = NetworkSpecification(parts: Self.everyPart, classes: 2, imageSize: 4).problem
    let error = try read(Self.every).error(#require(problem))
    #expect(
      error.description.hasPrefix(
        "own.yaml:9: model.layers make no network: layer 'stage.0.0' "))
  }

  /// Anchors that stand for more and more layers are refused, soon.
  @Test func aLimitedNumberOfPartsIsRead() {
    var yaml = "model:\n  layers:\n  - sequence: &a0 {layers: [neuron, neuron]}\n"
    for level in 1...40 {
      let inner = "{sequence: *a\(level - 1)}"
      yaml += "  - sequence: &a\(level) {layers: [\(inner), \(inner)]}\n"
    }
    #expect(message { _ = try read(yaml) }.contains("has more than 20000 parts"))
  }
}
