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
public protocol Convolution: AnyObject {
  /// The shape of the work.
  var geometry: ConvolutionGeometry { get }

  /// Where temporary tensors live.
  var arena: Arena { get }

  /// What computes a pass.
  ///
  /// - Parameter density: the share of the input's elements that are spikes; nil where it is not spikes.
  func kernel(for pass: ConvolutionPass, samples: Int, density: Double?) -> ConvolutionKernel

  /// Bytes of a copy of the weights in another layout that is held for a pass over so many samples, from
  /// one such pass to the next.
  ///
  /// - Parameter ofSpikes: whether the input is spikes, few enough to go by events.
  func packedBytes(for pass: ConvolutionPass, samples: Int, ofSpikes: Bool) -> Int

  /// Bytes of temporary memory that a pass over so many samples takes besides its operands and results,
  /// at most, with the pool's present number of threads.
  func scratchBytes(samples: Int) -> Int

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

extension Convolution {
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

/// How convolutions are computed. Results differ by rounding only.
public struct ConvolutionBackend: Sendable {
  /// The library for dense convolutions, named as on the command line.
  public enum Library: String, CaseIterable, Sendable {
    /// Direct convolutions.
    case oneDNN = "onednn"
    /// A matrix product over unfolded images.
    case openBLAS = "openblas"
  }

  /// The kernels for convolutions of spikes, named as on the command line.
  public enum Kernels: String, CaseIterable, Sendable {
    /// By events where few neurons fire, else by Winograd's method or directly, as a cost model says.
    case auto
    /// Directly, by the library, as if spikes were any numbers.
    case dense
    /// By events wherever there is a kernel for it, else directly.
    case events
    /// By Winograd's method wherever there is a kernel for it, else directly.
    case winograd
  }

  public var library: Library
  public var kernels: Kernels
  /// As asked for; see `effectivePrecision`.
  public var precision: Precision
  public var memory: MemoryUse

  public init(
    _ library: Library = .oneDNN, kernels: Kernels = .auto, precision: Precision = .float32,
    memory: MemoryUse = .fast
  ) {
    self.library = library
    self.kernels = kernels
    self.precision = precision
    self.memory = memory
  }

  /// Dense convolutions by oneDNN only.
  public static let oneDNN = ConvolutionBackend(.oneDNN, kernels: .dense)
  /// Dense convolutions by OpenBLAS only.
  public static let openBLAS = ConvolutionBackend(.openBLAS, kernels: .dense)

  /// A convolution of the given geometry, with temporary tensors in `arena`.
  public func convolution(_ geometry: ConvolutionGeometry, arena: Arena) -> any Convolution {
    func direct(_ geometry: ConvolutionGeometry) -> any Convolution {
      switch library {
      case .oneDNN: OneDNNConvolution(geometry, effectivePrecision, arena: arena)
      case .openBLAS: MatrixConvolution(geometry, arena: arena)
      }
    }
    let dense =
      kernels != .dense && SubsampledConvolution.isPossible(geometry)
      ? SubsampledConvolution(geometry, direct) : direct(geometry)
    let winogradCost =
      (kernels == .auto || kernels == .winograd) && WinogradConvolution.isPossible(geometry)
      ? WinogradCost(geometry, against: effectivePrecision) : nil
    let floats =
      winogradCost.map {
        WinogradConvolution(dense, $0, isForced: kernels == .winograd)
      } ?? dense
    guard kernels == .auto || kernels == .events, EventConvolution.isPossible(geometry) else {
      return floats
    }
    return EventConvolution(
      floats, effectivePrecision, winogradCost: winogradCost, isForced: kernels == .events,
      keepsPacked: memory == .fast)
  }
}
