import Tensors

/// A convolution whose passes are measured.
final class ProfiledConvolution: Convolution {
  private let base: any Convolution
  private let layer: String
  private let profile: StepProfile

  var geometry: ConvolutionGeometry { base.geometry }
  var arena: Arena { base.arena }

  init(_ base: any Convolution, layer: String, _ profile: StepProfile) {
    (self.base, self.layer, self.profile) = (base, layer, profile)
  }

  func weightsDidChange() { base.weightsDidChange() }

  func kernel(for pass: ConvolutionPass, density: Double?) -> ConvolutionKernel {
    base.kernel(for: pass, density: density)
  }

  func forward(
    _ x: borrowing Tensor, weights: FloatView, bias: FloatView?, into y: inout Tensor,
    accumulating: Bool
  ) {
    let start = ContinuousClock.now
    base.forward(x, weights: weights, bias: bias, into: &y, accumulating: accumulating)
    add(.forward, since: start, samples: x.shape.n)
  }

  func backwardInput(_ gy: borrowing Tensor, weights: FloatView, into gx: inout Tensor) {
    let start = ContinuousClock.now
    base.backwardInput(gy, weights: weights, into: &gx)
    add(.backwardInput, since: start, samples: gy.shape.n)
  }

  func backwardWeights(
    _ x: borrowing Tensor, _ gy: borrowing Tensor, into weightGradient: FloatView,
    bias biasGradient: FloatView?
  ) {
    let start = ContinuousClock.now
    base.backwardWeights(x, gy, into: weightGradient, bias: biasGradient)
    add(.backwardWeights, since: start, samples: gy.shape.n)
  }

  func forward(
    _ spikes: borrowing SpikeTensor, weights: FloatView, bias: FloatView?, into y: inout Tensor,
    accumulating: Bool
  ) {
    let start = ContinuousClock.now
    base.forward(spikes, weights: weights, bias: bias, into: &y, accumulating: accumulating)
    add(.forward, since: start, samples: spikes.shape.n, density: spikes.density)
  }

  func backwardWeights(
    _ spikes: borrowing SpikeTensor, _ gy: borrowing Tensor, into weightGradient: FloatView,
    bias biasGradient: FloatView?
  ) {
    let start = ContinuousClock.now
    base.backwardWeights(spikes, gy, into: weightGradient, bias: biasGradient)
    add(.backwardWeights, since: start, samples: gy.shape.n, density: spikes.density)
  }

  /// - Parameter density: of the input, where it is spikes.
  private func add(
    _ pass: ConvolutionPass, since start: ContinuousClock.Instant, samples: Int,
    density: Double? = nil
  ) {
    profile.add(
      StepProfile.Phase(pass), of: layer, since: start,
      operations: 2 * samples * geometry.output(samples: 1).pixels * geometry.weightCount)
    profile.add(pass, of: layer, by: kernel(for: pass, density: density), density: density)
  }
}
