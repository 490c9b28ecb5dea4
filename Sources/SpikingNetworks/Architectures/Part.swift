import Tensors

/// A part of a network as data. `NetworkBuilder` makes layers of it; names are those of the layers and the
/// beginnings of their parameters' names.
enum Part: Equatable, Sendable {
  case convolution(ConvolutionPart)
  case neuron(NeuronPart)
  case averagePool(String, Pool)
  /// Is left out where the network drops nothing.
  case dropout(String)
  case linear(LinearPart)
  case sequence([Part])
  case residual(ResidualPart)

  /// How an average pool takes its averages.
  enum Pool: Equatable, Sendable {
    case window(SlidingWindow)
    /// Over as many windows of nearly equal size.
    case adaptive(height: Int, width: Int)
  }
}

/// A 2-D convolution.
struct ConvolutionPart: Equatable, Sendable {
  enum Kind: Equatable, Sendable {
    /// `nil`: without bias.
    case plain(bias: StartValues?)
    /// Scaled weight standardisation.
    case standardized
  }

  var name: String
  var outputs: Int
  var window: SlidingWindow
  var kind: Kind

  init(_ name: String, outputs: Int, _ window: SlidingWindow, _ kind: Kind) {
    (self.name, self.outputs, self.window, self.kind) = (name, outputs, window, kind)
  }
}

/// A layer of neurons, with what scales their input.
struct NeuronPart: Equatable, Sendable {
  var name: String
  /// The name of a batch norm of the input; `nil`: there is none.
  var batchNorm: String?
  /// Multiplies the input where there is no batch norm.
  var inputScale: Float
  /// The value that a spike stands for.
  var amplitude: Float

  init(
    _ name: String, batchNorm: String? = nil, inputScale: Float = 1, amplitude: Float = 1
  ) {
    (self.name, self.batchNorm) = (name, batchNorm)
    (self.inputScale, self.amplitude) = (inputScale, amplitude)
  }
}

/// A fully connected layer.
struct LinearPart: Equatable, Sendable {
  var name: String
  var outputs: Int
  var weight: StartValues
  var bias: StartValues

  init(_ name: String, outputs: Int, weight: StartValues, bias: StartValues) {
    (self.name, self.outputs, self.weight, self.bias) = (name, outputs, weight, bias)
  }
}

/// A branch beside a shortcut, and their sum.
struct ResidualPart: Equatable, Sendable {
  /// A learnt factor of the branch's output, which begins with 0, times a constant.
  struct Gain: Equatable, Sendable {
    var name: String
    var factor: Float
  }

  /// Two parts or more; the last one is a convolution.
  var branch: [Part]
  /// A convolution; `nil`: the input itself.
  var shortcut: ConvolutionPart?
  var base: ResidualBase
  /// Where the branch ends in a standardised convolution.
  var gain: Gain?

  init(
    branch: [Part], shortcut: ConvolutionPart? = nil, base: ResidualBase, gain: Gain? = nil
  ) {
    (self.branch, self.shortcut, self.base, self.gain) = (branch, shortcut, base, gain)
  }
}

/// How a parameter's first values are drawn, by the layer's own size.
enum StartValues: Sendable {
  case zero
  /// Uniform between -1/sqrt(fanIn) and 1/sqrt(fanIn), PyTorch's default.
  case uniform
  /// Normal with a deviation of 0.01.
  case normal

  func initialization(fanIn: Int) -> Initialization {
    switch self {
    case .zero: .constant(0)
    case .uniform: .uniform(fanIn: fanIn)
    case .normal: .normal(deviation: 0.01)
    }
  }
}
