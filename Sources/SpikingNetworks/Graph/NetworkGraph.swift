import Tensors

/// A trained network as layers of neurons joined by linear maps, as it is in evaluation. Normalisation,
/// standardised weights, gains and the amplitudes of spikes are folded into the weights of the maps.
///
/// Shapes are those of one sample in PyTorch's order: [C, H, W], or [C] behind a linear layer.
public struct NetworkGraph {
  /// `y = W x + b`
  public struct LinearMap {
    /// Row-major; the first dimension is that of outputs.
    public internal(set) var weights: [Float]
    /// One for each output, or output channel.
    public internal(set) var biases: [Float]
  }

  public enum Operation {
    /// Weights [out, in, kernel, kernel].
    case convolution(LinearMap, SlidingWindow)
    /// Weights [out, in].
    case linear(LinearMap)
    /// From [C, H, W] to [C H W].
    case flatten
    /// Padding counts as zeros.
    case averagePool(SlidingWindow)
    /// Its input is added to the membrane potential as it is, and a spike stands for 1.
    case neurons(MembraneDynamics)
  }

  public struct Node {
    /// The layer's path, for nodes that are layers.
    public let name: String
    public internal(set) var operation: Operation
    /// The nodes whose sum it gets; empty: it gets the network's input.
    public let sources: [String]
    public let inputShape: [Int]
    public let outputShape: [Int]
  }

  /// After those that they get their input from.
  public let nodes: [Node]
  public let inputShape: [Int]
  /// The nodes whose sum are the logits.
  public let outputs: [String]
  public let outputShape: [Int]

  /// - Throws: `NetworkGraphError` where a layer is neither neurons nor a linear map.
  public init(_ network: SpikingNetwork) throws(NetworkGraphError) {
    let input = network.specification.input
    var builder = NetworkGraphBuilder(network.arena)
    let logits = try builder.pass(
      network.plan.body, GraphSignal(shape: [input.c, input.h, input.w], terms: []))
    (outputs, _) = try builder.sources(of: logits, for: "the network's output")
    nodes = builder.nodes
    inputShape = [input.c, input.h, input.w]
    outputShape = logits.shape
  }
}

/// A layer that has no place in a graph.
public struct NetworkGraphError: Error, Equatable, CustomStringConvertible {
  /// Its path.
  public let layer: String
  /// Follows its name.
  public let problem: String

  public init(layer: String, problem: String) {
    (self.layer, self.problem) = (layer, problem)
  }

  public var description: String { "layer '\(layer)' \(problem)" }
}

extension NetworkGraph.LinearMap {
  /// The map whose outputs are `scale[o] y[o] + shift[o]`.
  func followed(by scale: [Float], plus shift: [Float]) -> Self {
    let count = weights.count / biases.count
    return Self(
      weights: weights.indices.map { weights[$0] * scale[$0 / count] },
      biases: biases.indices.map { biases[$0] * scale[$0] + shift[$0] })
  }
}

extension NetworkGraph.Node {
  /// The same with another affine map of each output channel after it.
  ///
  /// - Precondition: it is a convolution, or linear.
  func followed(by scale: [Float], plus shift: [Float]) -> Self {
    var node = self
    switch operation {
    case .convolution(let map, let window):
      node.operation = .convolution(map.followed(by: scale, plus: shift), window)
    case .linear(let map): node.operation = .linear(map.followed(by: scale, plus: shift))
    case .flatten, .averagePool, .neurons: preconditionFailure("the node has no weights")
    }
    return node
  }
}
