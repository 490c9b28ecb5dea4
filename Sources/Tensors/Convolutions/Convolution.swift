/// What a convolution's shape depends on, but for the number of samples.
public struct ConvolutionGeometry: Hashable, Sendable {
  /// Height of the input in pixels.
  public let inputHeight: Int
  /// Width of the input in pixels.
  public let inputWidth: Int
  /// Channels of the input.
  public let inputChannels: Int
  /// Channels of the output.
  public let outputChannels: Int
  /// Extent, stride and padding of the kernel.
  public let window: SlidingWindow

  /// - Parameter input: the number of samples is ignored.
  public init(input: Shape, outputChannels: Int, window: SlidingWindow) {
    inputHeight = input.h
    inputWidth = input.w
    inputChannels = input.c
    self.outputChannels = outputChannels
    self.window = window
  }

  /// Shape of the input for `samples` samples.
  public func input(samples: Int) -> Shape {
    Shape(n: samples, h: inputHeight, w: inputWidth, c: inputChannels)
  }

  /// Shape of the output for `samples` samples.
  public func output(samples: Int) -> Shape {
    window.output(of: input(samples: samples), channels: outputChannels)
  }

  /// Number of weights, laid out [kernel, kernel, input channels, output channels].
  public var weightCount: Int { window.kernel * window.kernel * inputChannels * outputChannels }
}

/// The three passes of a 2-D convolution of one geometry, for any number of samples.
///
/// Images are NHWC, weights [kernel, kernel, input channels, output channels].
public protocol ConvolutionPasses: AnyObject {
  /// The shape of the work.
  var geometry: ConvolutionGeometry { get }

  /// Where temporary tensors live.
  var arena: Arena { get }

  /// Says that the weights passed from now on have new values, so that packed copies are stale.
  func weightsDidChange()

  /// `y = x * weights + bias`, added to `y` where `accumulating`.
  func forward(
    _ x: borrowing Tensor, weights: ConvolutionWeights, bias: FloatView?, into y: inout Tensor,
    accumulating: Bool)

  /// `gx = dL/dx` from `gy = dL/dy`.
  func backwardInput(_ gy: borrowing Tensor, weights: ConvolutionWeights, into gx: inout Tensor)

  /// Adds dL/dweights to `weightGradient` and dL/dbias to `biasGradient`.
  func backwardWeights(
    _ x: borrowing Tensor, _ gy: borrowing Tensor, into weightGradient: FloatView,
    bias biasGradient: FloatView?)

  /// The forward pass of a plane of spikes.
  func forward(
    _ spikes: borrowing SpikeTensor, weights: ConvolutionWeights, bias: FloatView?,
    into y: inout Tensor,
    accumulating: Bool)

  /// The gradient of the weights for a plane of spikes.
  func backwardWeights(
    _ spikes: borrowing SpikeTensor, _ gy: borrowing Tensor, into weightGradient: FloatView,
    bias biasGradient: FloatView?)
}

/// A convolution that computes all of its passes.
public protocol Convolution: ConvolutionPasses {
  /// What computes a pass.
  ///
  /// - Parameter density: the share of the input's elements that are spikes; nil where it is not spikes.
  func kernel(for pass: ConvolutionPass, samples: Int, density: Double?) -> ConvolutionKernel

  /// What makes up the time of a pass, by the model of what computes it.
  func costTerms(for pass: ConvolutionPass, samples: Int, density: Double?) -> CostTerms

  /// The gradient of the weights for floats many of which may be 0, such as traces of spikes.
  ///
  /// - Returns: what computed it.
  @discardableResult func backwardWeights(
    ofSparse x: borrowing Tensor, _ gy: borrowing Tensor, into weightGradient: FloatView,
    bias biasGradient: FloatView?
  ) -> ConvolutionKernel

  /// Bytes of a copy of the weights in another layout that is held for a pass over so many samples, from
  /// one such pass to the next.
  ///
  /// - Parameter ofSpikes: whether the input is spikes, few enough to go by events.
  func packedBytes(for pass: ConvolutionPass, samples: Int, ofSpikes: Bool) -> Int

  /// Bytes of temporary memory that a pass over so many samples takes besides its operands and results,
  /// at most, with the pool's present number of threads.
  func scratchBytes(samples: Int) -> Int
}

extension Convolution {
  /// Those of a direct convolution.
  public func costTerms(
    for pass: ConvolutionPass, samples: Int, density: Double?
  ) -> CostTerms {
    CostTerms(
      kernel(for: pass, samples: samples, density: density), pass, density: density,
      DirectCost(geometry: geometry).terms(of: pass, samples: samples))
  }
}

extension Convolution {
  /// As any floats.
  public func backwardWeights(
    ofSparse x: borrowing Tensor, _ gy: borrowing Tensor, into weightGradient: FloatView,
    bias biasGradient: FloatView?
  ) -> ConvolutionKernel {
    backwardWeights(x, gy, into: weightGradient, bias: biasGradient)
    return kernel(for: .backwardWeights, samples: gy.shape.n, density: nil)
  }
}

extension ConvolutionPasses {
  /// As floats.
  public func forward(
    _ spikes: borrowing SpikeTensor, weights: ConvolutionWeights, bias: FloatView?,
    into y: inout Tensor,
    accumulating: Bool
  ) {
    let x = spikes.unpacked(in: arena)
    forward(x, weights: weights, bias: bias, into: &y, accumulating: accumulating)
  }

  /// As floats.
  public func backwardWeights(
    _ spikes: borrowing SpikeTensor, _ gy: borrowing Tensor, into weightGradient: FloatView,
    bias biasGradient: FloatView?
  ) {
    let x = spikes.unpacked(in: arena)
    backwardWeights(x, gy, into: weightGradient, bias: biasGradient)
  }

  func checkShapes(_ input: Shape, _ output: Shape) {
    precondition(
      input == geometry.input(samples: input.n) && output == geometry.output(samples: input.n),
      "input \(input) and output \(output) do not fit \(geometry)")
  }
}
