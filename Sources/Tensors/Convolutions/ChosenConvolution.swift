/// A convolution each of whose passes goes the way that costs least: directly, or by one of some methods.
///
/// Which one it is depends on the shape, the precision, the processor, and the density of the spikes, never
/// on timing, so that runs repeat.
final class ChosenConvolution: Convolution {
  private let direct: any Convolution
  private let methods: [any ConvolutionMethod]
  private let precision: Precision
  private let isForced: Bool
  private let table: CostTable

  /// - Parameters:
  ///   - precision: of the convolution.
  ///   - isForced: whether to take a method wherever there is one, whatever it costs.
  ///   - table: what the ways cost.
  init(
    _ direct: any Convolution, _ precision: Precision, _ methods: [any ConvolutionMethod],
    isForced: Bool, table: CostTable = .current
  ) {
    precondition(methods.allSatisfy { $0.geometry == direct.geometry })
    (self.direct, self.precision, self.methods) = (direct, precision, methods)
    (self.isForced, self.table) = (isForced, table)
  }

  var geometry: ConvolutionGeometry { direct.geometry }
  var arena: Arena { direct.arena }

  /// nil: directly.
  private func method(
    for pass: ConvolutionPass, samples: Int, density: Double? = nil
  ) -> (any ConvolutionMethod)? {
    best(for: pass, samples: samples, density: density).method
  }

  /// The way that costs least, and its time.
  private func best(
    for pass: ConvolutionPass, samples: Int, density: Double? = nil
  ) -> (method: (any ConvolutionMethod)?, time: Double) {
    var best: (any ConvolutionMethod)?
    let directTerms = DirectCost(geometry: geometry).terms(of: pass, samples: samples)
    var least = isForced ? .infinity : time(.oneDNN, pass, density, directTerms)
    for method in methods {
      let counts = method.costs(of: pass, samples: samples, density: density)
      guard let time = counts.map({ time(method.kernel, pass, density, $0) }), time < least
      else { continue }
      (best, least) = (method, time)
    }
    return (best, least)
  }

  /// Nanoseconds of one thread.
  private func time(
    _ kernel: ConvolutionKernel, _ pass: ConvolutionPass, _ density: Double?, _ counts: [Double]
  ) -> Double {
    table.time(CostTerms(kernel, pass, density: density, counts), precision)
  }

  func costTerms(for pass: ConvolutionPass, samples: Int, density: Double?) -> CostTerms {
    guard
      let method = method(for: pass, samples: samples, density: density),
      let counts = method.costs(of: pass, samples: samples, density: density)
    else { return direct.costTerms(for: pass, samples: samples, density: density) }
    return CostTerms(method.kernel, pass, density: density, counts)
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

  func backwardWeights(
    ofSparse x: borrowing Tensor, _ gy: borrowing Tensor, into weightGradient: FloatView,
    bias biasGradient: FloatView?
  ) -> ConvolutionKernel {
    let samples = gy.shape.n
    let (dense, least) = best(for: .backwardWeights, samples: samples)
    for case let method as any SparseMethod in methods {
      let support = SpikeTensor(marking: x, in: arena)
      let density = min(1, support.density * method.costOfValue)
      let counts = method.costs(of: .backwardWeights, samples: samples, density: density)
      guard let time = counts.map({ time(method.kernel, .backwardWeights, density, $0) }),
        isForced || time < least
      else { continue }
      method.backwardWeights(
        x, support: support, gy, into: weightGradient, bias: biasGradient)
      return method.kernel
    }
    guard let dense else {
      return direct.backwardWeights(ofSparse: x, gy, into: weightGradient, bias: biasGradient)
    }
    dense.backwardWeights(x, gy, into: weightGradient, bias: biasGradient)
    return dense.kernel
  }
}
