import Tensors

/// A part of a network as data. `NetworkBuilder` makes layers of it; names are those of the layers and the
/// beginnings of their parameters' names.
public indirect enum Part: Equatable, Sendable {
  case convolution(ConvolutionPart)
  case neuron(NeuronPart)
  case averagePool(String, Pool)
  /// Is left out where the network drops nothing.
  case dropout(String)
  case linear(LinearPart)
  case sequence([Part])
  case residual(ResidualPart)

  /// How an average pool takes its averages.
  public enum Pool: Equatable, Sendable {
    case window(SlidingWindow)
    /// Over as many windows of nearly equal size.
    case adaptive(height: Int, width: Int)
  }
}

/// A 2-D convolution.
public struct ConvolutionPart: Equatable, Sendable {
  public enum Kind: Equatable, Sendable {
    /// `nil`: without bias.
    case plain(bias: StartValues?)
    /// Scaled weight standardisation.
    case standardized
  }

  public var name: String
  public var outputs: Int
  public var window: SlidingWindow
  public var kind: Kind

  init(_ name: String, outputs: Int, _ window: SlidingWindow, _ kind: Kind) {
    (self.name, self.outputs, self.window, self.kind) = (name, outputs, window, kind)
  }
}

/// A layer of neurons, with what scales their input.
public struct NeuronPart: Equatable, Sendable {
  public var name: String
  /// The name of a batch norm of the input; `nil`: there is none.
  public var batchNorm: String?
  /// Multiplies the input where there is no batch norm.
  public var inputScale: Float
  /// The value that a spike stands for.
  public var amplitude: Float

  init(
    _ name: String, batchNorm: String? = nil, inputScale: Float = 1, amplitude: Float = 1
  ) {
    (self.name, self.batchNorm) = (name, batchNorm)
    (self.inputScale, self.amplitude) = (inputScale, amplitude)
  }
}

/// A fully connected layer.
public struct LinearPart: Equatable, Sendable {
  public var name: String
  public var outputs: Int
  public var weight: StartValues
  public var bias: StartValues

  init(_ name: String, outputs: Int, weight: StartValues, bias: StartValues) {
    (self.name, self.outputs, self.weight, self.bias) = (name, outputs, weight, bias)
  }
}

/// A branch beside a shortcut, and their sum.
public struct ResidualPart: Equatable, Sendable {
  /// A learnt factor of the branch's output, which begins with 0, times a constant.
  public struct Gain: Equatable, Sendable {
    public var name: String
    public var factor: Float
  }

  /// Two parts or more; the last one is a convolution.
  public var branch: [Part]
  /// A convolution; `nil`: the input itself.
  public var shortcut: ConvolutionPart?
  public var base: ResidualBase
  /// Where the branch ends in a standardised convolution.
  public var gain: Gain?

  init(
    branch: [Part], shortcut: ConvolutionPart? = nil, base: ResidualBase, gain: Gain? = nil
  ) {
    (self.branch, self.shortcut, self.base, self.gain) = (branch, shortcut, base, gain)
  }
}

/// How a parameter's first values are drawn, by the layer's own size.
public enum StartValues: String, CaseIterable, Sendable {
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
