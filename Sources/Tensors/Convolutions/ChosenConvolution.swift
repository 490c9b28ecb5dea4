/// A convolution each of whose passes goes the way that costs least: directly, or by one of some methods.
///
/// Which one it is depends on the shape, the precision, the processor, and the density of the spikes, never
/// on timing, so that runs repeat.
final class ChosenConvolution: Convolution {
  let direct: any Convolution
  let methods: [any ConvolutionMethod]
  private let precision: Precision
  private let isForced: Bool

  /// - Parameters:
  ///   - precision: of the direct convolution.
  ///   - isForced: whether to take a method wherever there is one, whatever it costs.
  init(
    _ direct: any Convolution, _ precision: Precision, _ methods: [any ConvolutionMethod],
    isForced: Bool
  ) {
    precondition(methods.allSatisfy { $0.geometry == direct.geometry })
    (self.direct, self.precision, self.methods) = (direct, precision, methods)
    self.isForced = isForced
  }

  var geometry: ConvolutionGeometry { direct.geometry }
  var arena: Arena { direct.arena }

  /// nil: directly.
  private func method(
    for pass: ConvolutionPass, samples: Int, density: Double? = nil
  ) -> (any ConvolutionMethod)? {
    var best: (any ConvolutionMethod)?
    var least = isForced ? Double.infinity : precision.directCost(of: pass)
    for method in methods {
      guard let cost = method.cost(of: pass, samples: samples, density: density), cost < least
      else { continue }
      (best, least) = (method, cost)
    }
    return best
  }

  private func passes(
    for pass: ConvolutionPass, samples: Int, density: Double? = nil
  ) -> any ConvolutionPasses {
    method(for: pass, samples: samples, density: density) ?? direct
  }

  func kernel(for pass: ConvolutionPass, samples: Int, density: Double?) -> ConvolutionKernel {
    method(for: pass, samples: samples, density: density)?.kernel
      ?? direct.kernel(for: pass, samples: samples, density: density)
  }

  func packedBytes(for pass: ConvolutionPass, samples: Int, ofSpikes: Bool) -> Int {
    method(for: pass, samples: samples, density: ofSpikes ? 0 : nil)?.packedBytes(for: pass)
      ?? direct.packedBytes(for: pass, samples: samples, ofSpikes: ofSpikes)
  }

  func scratchBytes(samples: Int) -> Int {
    // Costs grow with the density or do not depend on it, so that no method is left out.
    ConvolutionPass.allCases.flatMap { pass in
      [nil, 0, 1].map { density in
        method(for: pass, samples: samples, density: density)?
          .scratchBytes(for: pass, samples: samples) ?? direct.scratchBytes(samples: samples)
      }
    }.max()!
  }

  func weightsDidChange() {
    direct.weightsDidChange()
    for method in methods { method.weightsDidChange() }
  }

  func forward(
    _ x: borrowing Tensor, weights: ConvolutionWeights, bias: FloatView?, into y: inout Tensor,
    accumulating: Bool
  ) {
    passes(for: .forward, samples: x.shape.n).forward(
      x, weights: weights, bias: bias, into: &y, accumulating: accumulating)
  }

  func forward(
    _ spikes: borrowing SpikeTensor, weights: ConvolutionWeights, bias: FloatView?,
    into y: inout Tensor, accumulating: Bool
  ) {
    passes(for: .forward, samples: spikes.shape.n, density: spikes.density).forward(
      spikes, weights: weights, bias: bias, into: &y, accumulating: accumulating)
  }

  func backwardInput(_ gy: borrowing Tensor, weights: ConvolutionWeights, into gx: inout Tensor) {
    passes(for: .backwardInput, samples: gy.shape.n).backwardInput(gy, weights: weights, into: &gx)
  }

  func backwardWeights(
    _ x: borrowing Tensor, _ gy: borrowing Tensor, into weightGradient: FloatView,
    bias biasGradient: FloatView?
  ) {
    passes(for: .backwardWeights, samples: gy.shape.n).backwardWeights(
      x, gy, into: weightGradient, bias: biasGradient)
  }

  func backwardWeights(
    _ spikes: borrowing SpikeTensor, _ gy: borrowing Tensor, into weightGradient: FloatView,
    bias biasGradient: FloatView?
  ) {
    passes(for: .backwardWeights, samples: gy.shape.n, density: spikes.density).backwardWeights(
      spikes, gy, into: weightGradient, bias: biasGradient)
  }
}
