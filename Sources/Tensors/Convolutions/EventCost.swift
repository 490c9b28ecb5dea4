/// What a pass over a block of 64 input and 16 output channels at one pixel costs by events, against the
/// dense convolution.
///
/// Fitted to timings of both by `sltt-dist bench kernels` on an AVX-512 machine, in nanoseconds; only the
/// ratio matters, and on narrower vectors both sides grow alike.
struct EventCost {
  /// Whatever fires.
  var fixed: Double
  /// If every neuron fired.
  var spiking: Double
  /// The dense convolution in single precision.
  var dense: Double

  /// Costs of the forward pass, at an output pixel. Lists of spikes are shared by all output blocks.
  ///
  /// - Parameter precision: of the weights that are added up.
  static func forward(
    _ geometry: ConvolutionGeometry, _ precision: Precision = .float32
  ) -> EventCost {
    EventCost(
      fixed: 2 + 12.5 / outputBlocks(geometry),
      spiking: (precision == .mixed ? 82 : 103) * fill(geometry.inputChannels, 64),
      dense: 68 * usefulShare(geometry))
  }

  /// Costs of the weights' gradient, at an input pixel.
  static func weightGradient(_ geometry: ConvolutionGeometry) -> EventCost {
    // With stride 2 an input pixel meets a quarter of the windows.
    let share = 1 / Double(geometry.window.stride * geometry.window.stride)
    return EventCost(
      fixed: 0.5 + 2.5 * share + 3.5 / outputBlocks(geometry),
      spiking: (6 + 81 * share) * fill(geometry.inputChannels, 64),
      dense: (6 + 64 * share) * usefulShare(geometry))
  }

  /// What the pass costs where `density` of the neurons fire, the dense convolution being 1.
  func share(at density: Double) -> Double { (fixed + spiking * density) / dense }

  private static func outputBlocks(_ geometry: ConvolutionGeometry) -> Double {
    Double((geometry.outputChannels + 15) / 16)
  }

  /// The share of blocks of `size` that `count` channels fill.
  private static func fill(_ count: Int, _ size: Int) -> Double {
    Double(count) / Double((count + size - 1) / size * size)
  }

  private static func usefulShare(_ geometry: ConvolutionGeometry) -> Double {
    fill(geometry.inputChannels, 64) * fill(geometry.outputChannels, 16)
  }
}
