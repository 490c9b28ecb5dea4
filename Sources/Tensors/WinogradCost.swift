/// What Winograd's method costs against a direct convolution, of a 3x3 window with stride 1.
///
/// Fitted to timings of both on an AVX-512 machine, in cycles of one thread; only the ratio matters, and
/// on narrower vectors both sides grow alike.
struct WinogradCost {
  private let tiles: Double
  /// Of a tile: products and transforms.
  private let perTile: Double
  /// Of the weights' transform, whatever the number of samples.
  private let weights: Double
  /// Of a direct convolution, a sample.
  private let direct: Double

  /// - Parameter precision: of the direct convolution.
  init(_ geometry: ConvolutionGeometry, against precision: Precision = .float32) {
    let (inputs, outputs) = (Double(geometry.inputChannels), Double(geometry.outputChannels))
    let pixels = Double(geometry.inputHeight * geometry.inputWidth)
    // Products are made of whole groups of 64 channels.
    let groups = (outputs / 64).rounded(.up) * 64
    tiles = Double((geometry.inputHeight + 3) / 4 * ((geometry.inputWidth + 3) / 4))
    perTile = 1.3 * inputs * groups + 7 * (inputs + groups)
    weights = 28 * inputs * outputs
    direct = 0.31 * pixels * inputs * outputs * (precision == .mixed ? 0.55 : 1)
  }

  /// Whether the forward pass or the input's gradient is cheaper by Winograd's method.
  func favoursWinograd(samples: Int) -> Bool {
    Double(samples) * tiles * perTile + weights < Double(samples) * direct
  }

  /// Whether the weights' gradient is cheaper by Winograd's method.
  func gradientFavoursWinograd(samples: Int) -> Bool {
    favoursWinograd(samples: samples)
  }
}
