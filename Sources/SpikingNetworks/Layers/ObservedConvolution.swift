import Tensors

/// A layer's convolution that counts the spikes which come in, and notes the time of its passes where
/// somebody measures.
public final class ObservedConvolution: Convolution {
  /// Name of the layer.
  public let layer: String
  /// Whether the input is spikes.
  public let readsSpikes: Bool
  /// Spikes of the inputs of the sequence so far, and elements that could have been spikes; each plane
  /// counts.
  public private(set) var inputActivity = (spikes: 0, sites: 0)
  /// The same, whatever the planes that hold the spikes.
  var spikeInput = SpikeInput()
  private let base: any Convolution
  private let profile: StepProfile?

  public var geometry: ConvolutionGeometry { base.geometry }
  public var arena: Arena { base.arena }

  init(_ base: any Convolution, layer: String, readsSpikes: Bool, _ profile: StepProfile?) {
    (self.base, self.layer, self.readsSpikes, self.profile) = (base, layer, readsSpikes, profile)
  }

  /// A new sequence of time steps starts.
  func beginSequence() {
    inputActivity = (0, 0)
    spikeInput = SpikeInput()
  }

  public func packedBytes(for pass: ConvolutionPass, samples: Int, ofSpikes: Bool) -> Int {
    base.packedBytes(for: pass, samples: samples, ofSpikes: ofSpikes)
  }

  public func scratchBytes(samples: Int) -> Int { base.scratchBytes(samples: samples) }

  public func weightsDidChange() { base.weightsDidChange() }

  public func kernel(for pass: ConvolutionPass, samples: Int, density: Double?) -> ConvolutionKernel
  {
    base.kernel(for: pass, samples: samples, density: density)
  }

  public func forward(
    _ x: borrowing Tensor, weights: ConvolutionWeights, bias: FloatView?, into y: inout Tensor,
    accumulating: Bool
  ) {
    let start = ContinuousClock.now
    base.forward(x, weights: weights, bias: bias, into: &y, accumulating: accumulating)
    add(.forward, since: start, samples: x.shape.n)
  }

  public func backwardInput(
    _ gy: borrowing Tensor, weights: ConvolutionWeights, into gx: inout Tensor
  ) {
    let start = ContinuousClock.now
    base.backwardInput(gy, weights: weights, into: &gx)
    add(.backwardInput, since: start, samples: gy.shape.n)
  }

  public func backwardWeights(
    _ x: borrowing Tensor, _ gy: borrowing Tensor, into weightGradient: FloatView,
    bias biasGradient: FloatView?
  ) {
    let start = ContinuousClock.now
    base.backwardWeights(x, gy, into: weightGradient, bias: biasGradient)
    add(.backwardWeights, since: start, samples: gy.shape.n)
  }

  @discardableResult public func backwardWeights(
    ofSparse x: borrowing Tensor, _ gy: borrowing Tensor, into weightGradient: FloatView,
    bias biasGradient: FloatView?
  ) -> ConvolutionKernel {
    let start = ContinuousClock.now
    let kernel = base.backwardWeights(
      ofSparse: x, gy, into: weightGradient, bias: biasGradient)
    add(.backwardWeights, since: start, samples: gy.shape.n, by: kernel)
    return kernel
  }

  public func forward(
    _ spikes: borrowing SpikeTensor, weights: ConvolutionWeights, bias: FloatView?,
    into y: inout Tensor,
    accumulating: Bool
  ) {
    let start = ContinuousClock.now
    inputActivity.spikes += spikes.spikeCount
    inputActivity.sites += spikes.shape.count
    base.forward(spikes, weights: weights, bias: bias, into: &y, accumulating: accumulating)
    add(.forward, since: start, samples: spikes.shape.n, density: spikes.density)
  }

  public func backwardWeights(
    _ spikes: borrowing SpikeTensor, _ gy: borrowing Tensor, into weightGradient: FloatView,
    bias biasGradient: FloatView?
  ) {
    let start = ContinuousClock.now
    base.backwardWeights(spikes, gy, into: weightGradient, bias: biasGradient)
    add(.backwardWeights, since: start, samples: gy.shape.n, density: spikes.density)
  }

  /// - Parameters:
  ///   - density: of the input, where it is spikes.
  ///   - kernel: what computed the pass; left out: what the density tells.
  private func add(
    _ pass: ConvolutionPass, since start: ContinuousClock.Instant, samples: Int,
    density: Double? = nil, by kernel: ConvolutionKernel? = nil
  ) {
    guard let profile else { return }
    profile.add(
      StepProfile.Phase(pass), of: layer, since: start,
      operations: 2 * samples * geometry.output(samples: 1).pixels * geometry.weightCount)
    profile.add(
      pass, of: layer,
      by: kernel ?? self.kernel(for: pass, samples: samples, density: density), density: density)
  }
}
