import Tensors
import Testing

@testable import SpikingNetworks

/// What is said of parts that make no network.
struct NetworkCheckTests {
  static let stem = Part.convolution(ConvolutionPart("stem", channels: 4, kernel: 3))
  static let neuron = Part.neuron(NeuronPart())
  static let head = Part.linear(LinearPart())

  static func convolution(
    _ name: PartName? = nil, _ channels: Int = 4, kernel: Int = 3, stride: Int = 1,
    isStandardized: Bool = false
  ) -> Part {
    .convolution(
      ConvolutionPart(
        name, channels: channels, kernel: kernel, stride: stride, isStandardized: isStandardized))
  }

  static func residual(
    _ branch: [Part], _ shortcut: ConvolutionPart? = nil, skipInit: Float? = nil
  ) -> Part {
    .residual(
      ResidualPart(
        branch: branch, shortcut: shortcut.map { [.convolution($0)] } ?? [], skipInit: skipInit))
  }

  /// The problem of a network of 8x8 images.
  private func problem(_ parts: [Part]) -> NetworkError? {
    NetworkSpecification(parts: parts, classes: 3, imageSize: 8).problem
  }

  static let mistakes: [(parts: [Part], number: Int?, message: String)] = [
    ([], nil, "the network has no layers"),
    (
      [neuron, head], 0,
      "layer '0' comes first, but a network begins with a convolution of its input"
    ),
    (
      [stem, neuron, convolution()], 2,
      "layer '2' comes last, but a network ends in a linear layer, which gives the classes"
    ),
    (
      [stem, neuron, .linear(LinearPart("fc", outputs: .count(4)))], 2,
      "layer 'fc' comes last and gives 4 outputs, but there are 3 classes: leave its outputs out"
    ),
    ([stem, head], nil, "the network has no neurons: a spiking network needs some"),
    (
      [stem, .batchNorm(BatchNormPart("bn")), .sequence(SequencePart("s", [convolution()])), head],
      1, "layer 'bn' is a batch norm, which needs a neuron right after it, but layer 's.0' follows"
    ),
    (
      [
        stem, neuron,
        residual([.batchNorm(BatchNormPart()), convolution(), neuron, convolution()]),
      ]
        + [head],
      3, "layer '2' is a batch norm, which needs a neuron right after it, but layer '3' follows"
    ),
    (
      [
        stem, neuron, .averagePool(WindowPoolPart(kernel: 8)),
        .batchNorm(BatchNormPart()), neuron, head,
      ], 3,
      "layer '3' normalises 1x1x4, but a single pixel has no variance over one sample: put it where"
        + " there are more pixels, or leave it out"
    ),
    (
      [stem, neuron, .averagePool(WindowPoolPart("p", kernel: 9)), head], 2,
      "layer 'p' has a window of 9x9, which does not fit into 8x8x4"
    ),
    (
      [stem, neuron, .averagePool(WindowPoolPart("p", kernel: 12, padding: 1)), head], 2,
      "layer 'p' has a window of 12x12 with a padding of 1, which does not fit into 8x8x4"
    ),
    (
      [stem, neuron, .averagePool(WindowPoolPart(kernel: 2, padding: 2)), head], 2,
      "layer '2' has a padding of 2 beside windows of 2x2, so that some hold nothing: lower it"
    ),
    (
      [stem, neuron, residual([convolution(), neuron, convolution("c", 8, stride: 2)]), head], 2,
      "a residual has a branch that makes 4x4x8 of 8x8x4, so that the two cannot be added: give it a"
        + " shortcut, a convolution with kernel 1, stride 2 and 8 channels"
    ),
    (
      [
        stem,
        .repetition(
          RepetitionPart(
            "stage", times: 2,
            [
              neuron,
              residual(
                [convolution(), neuron, convolution(nil, 8)],
                ConvolutionPart(channels: 8, kernel: 1, stride: 2)),
            ])), head,
      ], 3,
      "the residual of 'stage.0' has a branch that makes 8x8x8 of 8x8x4, but its shortcut makes 4x4x8"
    ),
    (
      [stem, neuron, residual([neuron, .averagePool(WindowPoolPart(kernel: 1))]), head], 4,
      "layer '3' ends the branch of a residual, which must end in a convolution, or in a neuron for a"
        + " sum of spikes"
    ),
    (
      [stem, residual([convolution(), neuron]), head], 1,
      "a residual adds spikes to floats: put a neuron before it, or give it a shortcut that ends in"
        + " one"
    ),
    (
      [stem, neuron, residual([convolution(nil, 8), neuron]), head], 2,
      "a residual has a branch that makes 8x8x8 of 8x8x4, so that the two cannot be added: give it a"
        + " shortcut that ends in a neuron"
    ),
    (
      [
        stem, neuron,
        .residual(
          ResidualPart(
            branch: [convolution(), neuron],
            shortcut: [neuron, convolution("c", stride: 2), neuron])), head,
      ], 2,
      "a residual has a branch that makes 8x8x4 of 8x8x4, but its shortcut makes 4x4x4"
    ),
    (
      [
        stem, neuron,
        .residual(ResidualPart(branch: [convolution(), neuron], shortcut: [convolution("c")])),
        head,
      ], 5,
      "layer 'c' ends the shortcut of a residual whose branch ends in a neuron, so that it must be"
        + " one, too"
    ),
    (
      [
        stem, neuron,
        .residual(
          ResidualPart(branch: [neuron, convolution()], shortcut: [neuron, convolution("c")])),
        head,
      ], 5,
      "layer '4' begins the shortcut of a residual whose branch ends in a convolution, so that it"
        + " must be a single convolution"
    ),
    (
      [stem, neuron, residual([.dropout(DropoutPart()), convolution()]), head], 2,
      "a residual has a single layer in its branch: put neurons, or another layer, before the"
        + " convolution"
    ),
    (
      [stem, .batchNorm(BatchNormPart("bn")), .neuron(NeuronPart("n", inputScale: 2)), head], 2,
      "layer 'n' has an input_scale, but the batch norm before it scales its input: remove one of"
        + " them"
    ),
    (
      [
        stem, neuron,
        .residual(
          ResidualPart(
            branch: [convolution(), neuron],
            shortcut: [convolution(), neuron, .batchNorm(BatchNormPart("bn"))])), neuron, head,
      ], 7,
      "layer 'bn' is a batch norm, which needs a neuron right after it, but ends the shortcut"
    ),
    (
      [stem, residual([neuron, convolution()], skipInit: 0.2), head], 1,
      "a residual has a skip_init, for which its branch must end in a standardised convolution"
    ),
    (
      [
        stem, residual([neuron, convolution(isStandardized: true)], skipInit: 0.2),
        residual([neuron, convolution(isStandardized: true)], skipInit: 0.2), head,
      ], 4,
      "a residual has a skip_init as another one of its group: put each into a sequence of its own"
    ),
    (
      [stem, neuron, convolution("1"), head], 2,
      "layer '1' has the name of another layer: give it one of its own"
    ),
    (
      [
        convolution(nil, 1), neuron,
        convolution("w", kernel: 1, isStandardized: true), neuron, head,
      ], 2,
      "layer 'w' reads 8x8x1 with one weight for each of its channels, which has no variance to"
        + " standardise by"
    ),
    (
      [stem, neuron, convolution("wide", 1 << 30), head], 2,
      "layer 'wide' has an output of 8x8x1073741824, more than 2147483647 numbers for a single image"
    ),
    (
      [stem, neuron, .linear(LinearPart("fc", outputs: .count(1 << 30))), neuron, head], 2,
      "layer 'fc' reads 8x8x4 and gives the network more than 137438953472 weights"
    ),
    (
      [
        stem, neuron,
        .repetition(
          RepetitionPart(
            nil, times: 1000,
            [.repetition(RepetitionPart(nil, times: 1000, [convolution(), neuron]))])),
        head,
      ], nil, "the network has more than 20000 parts: take fewer"
    ),
  ]

  @Test(arguments: mistakes)
  func mistakesNameTheLayerAndItsShapes(_ parts: [Part], _ number: Int?, _ message: String) {
    let problem = problem(parts)
    #expect(problem?.description == message)
    #expect(problem?.layer?.number == number)
  }

  @Test func neuronsMayHaveTheirOwnValues() {
    var part = NeuronPart("n")
    part.tau = 0.5
    #expect(
      problem([Self.stem, .neuron(part), Self.head])?.description
        == "layer 'n' has neurons that make no sense: tau 0.5 must be at least 1 (for kind plif greater,"
        + " and finite)")
    (part.tau, part.threshold) = (nil, 2)
    let defaults = NeuronSpecification(tau: 3, surrogate: .init(.rectangle, width: 0.5))
    #expect(
      part.specification(defaults)
        == NeuronSpecification(tau: 3, threshold: 2, surrogate: .init(.rectangle, width: 0.5)))
    part.surrogate = .sigmoid
    #expect(part.specification(defaults).surrogate == .init(.sigmoid, width: 4))
    (part.surrogate, part.surrogateWidth) = (nil, 2)
    #expect(part.specification(defaults).surrogate == .init(.rectangle, width: 2))
  }
}
