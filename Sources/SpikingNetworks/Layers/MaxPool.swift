import Tensors

/// Max pooling. [N, H, W, C] to [N, H', W', C]; spikes stay spikes.
final class MaxPool: Layer, Node {
  let name: String
  private let pooling: MaxPooling
  private let input: LayerInput
  private let profile: StepProfile?

  init(_ name: String, _ pooling: MaxPooling, reads input: LayerInput, _ builder: NetworkBuilder) {
    self.name = name
    self.pooling = pooling
    self.input = input
    profile = builder.profile
  }

  /// Shape of the output for one sample.
  var output: Shape { pooling.output }

  /// Whether its input comes from several neurons.
  var readsSumsOfSpikes: Bool { input.isSpikes && input.source == nil }

  func forward(_ x: consuming Signal, _ tape: inout Tape) -> Signal {
    let start = ContinuousClock.now
    defer { profile?.add(.pooling, of: name, since: start) }
    switch x.comparable(tape) {
    case .spikes(let x):
      tape.push(x)
      guard tape.isUnrolled else { return .spikes(pooling.forward(x, in: tape.arena)) }
      // The pixel with the most spikes of a window has one whenever another has.
      let planes = x.planes.flatMap {
        pooling.forward(Spikes(planes: [$0], levels: 1), in: tape.arena).planes
      }
      return .spikes(Spikes(planes: planes))
    case .floats(let x):
      tape.push(x)
      return .floats(SharedTensor(pooling.forward(x.tensor, in: tape.arena)))
    }
  }

  func backward(_ gradient: consuming Gradient, _ tape: inout Tape) -> Gradient {
    let start = ContinuousClock.now
    defer { profile?.add(.pooling, of: name, since: start) }
    var gradient = gradient
    gradient.settle(in: tape.arena)
    let gy = gradient.value
    switch tape.popInput() {
    case .spikes(let x):
      return Gradient(pooling.backward(gy.tensor, input: x, in: tape.arena))
    case .floats(let x):
      return Gradient(pooling.backward(gy.tensor, input: x.tensor, in: tape.arena))
    }
  }

  var summary: LayerSummary {
    LayerSummary(
      name: name, kind: "max pool", output: output,
      tapeBytes: input.keptBytes(pooling.input),
      averagesBytes: input.averagesBytes(pooling.input) + output.count * 4)
  }
}

extension Signal {
  /// The signal in a form whose elements can be compared: sums of unlike spikes cannot. Those that neurons
  /// fire one by one are compared plane by plane.
  fileprivate consuming func comparable(_ tape: borrowing Tape) -> Signal {
    switch consume self {
    case .floats(let x): return .floats(x)
    case .spikes(let x):
      guard x.levels == nil && !tape.isUnrolled else { return .spikes(x) }
      return .floats(SharedTensor(x.unpacked(in: tape.arena)))
    }
  }
}
