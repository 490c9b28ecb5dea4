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
  /// The dense convolution.
  var dense: Double

  /// Costs of the forward pass, at an output pixel. Lists of spikes are shared by all output blocks.
  ///
  /// - Parameter precision: of the dense convolution, and of the weights that are added up.
  static func forward(
    _ geometry: ConvolutionGeometry, against precision: Precision = .float32
  ) -> EventCost {
    let isMixed = precision == .mixed
    return EventCost(
      fixed: 2 + 12.5 / outputBlocks(geometry),
      spiking: (isMixed ? 82 : 103) * fill(geometry.inputChannels, 64),
      dense: (isMixed ? 34 : 68) * usefulShare(geometry))
  }

  /// Costs of the weights' gradient, at an input pixel.
  ///
  /// - Parameter precision: of the dense convolution.
  static func weightGradient(
    _ geometry: ConvolutionGeometry, against precision: Precision = .float32
  ) -> EventCost {
    // With stride 2 an input pixel meets a quarter of the windows.
    let share = 1 / Double(geometry.window.stride * geometry.window.stride)
    let dense = (6 + 64 * share) * usefulShare(geometry)
    return EventCost(
      fixed: 0.5 + 2.5 * share + 3.5 / outputBlocks(geometry),
      spiking: (6 + 81 * share) * fill(geometry.inputChannels, 64),
      dense: precision == .mixed ? 0.6 * dense : dense)
  }

  /// Whether events are cheaper where `density` of the neurons fire.
  ///
  /// - Parameter share: what the pass costs otherwise, the dense convolution being 1.
  func favoursEvents(at density: Double, against share: Double = 1) -> Bool {
    fixed + spiking * density < dense * share
  }

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
