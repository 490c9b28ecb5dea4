/// What a pass over a block of 64 input and 16 output channels at one pixel costs by events, against the
/// dense convolution.
///
/// Fitted to timings of both on an AVX-512 machine, in nanoseconds; only the ratio matters, and on
/// narrower vectors both sides grow alike.
struct EventCost {
  /// Whatever fires.
  var fixed: Double
  /// If every neuron fired.
  var spiking: Double
  /// The dense convolution.
  var dense: Double

  /// Costs of the forward pass, at an output pixel. Lists of spikes are shared by all output blocks.
  ///
  /// - Parameter precision: of the dense convolution.
  static func forward(
    _ geometry: ConvolutionGeometry, against precision: Precision = .float32
  ) -> EventCost {
    EventCost(
      fixed: 2.5 + 22 / outputBlocks(geometry), spiking: 120 * fill(geometry.inputChannels, 64),
      dense: 74 * usefulShare(geometry) * share(of: precision))
  }

  /// Costs of the weights' gradient, at an input pixel.
  ///
  /// - Parameter precision: of the dense convolution.
  static func weightGradient(
    _ geometry: ConvolutionGeometry, against precision: Precision = .float32
  ) -> EventCost {
    // With stride 2 an input pixel meets a quarter of the windows.
    let share = 1 / Double(geometry.window.stride * geometry.window.stride)
    return EventCost(
      fixed: 3 + 5 * share, spiking: (33 + 67 * share) * fill(geometry.inputChannels, 64),
      dense: 77 * share * usefulShare(geometry) * self.share(of: precision))
  }

  /// Whether events are cheaper where `density` of the neurons fire.
  ///
  /// - Parameter share: what the pass costs otherwise, the dense convolution being 1.
  func favoursEvents(at density: Double, against share: Double = 1) -> Bool {
    fixed + spiking * density < dense * share
  }

  /// What dense convolutions cost against those in single precision, rounding their operands included.
  private static func share(of precision: Precision) -> Double {
    precision == .mixed ? 0.55 : 1
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
