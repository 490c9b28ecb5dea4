/// What Winograd's method costs against a direct convolution, of a 3x3 window with stride 1.
///
/// Fitted to timings of both on an AVX-512 machine, in cycles of one thread; only the ratio matters, and
/// on narrower vectors both sides grow alike.
struct WinogradCost {
  private let inputs: Double
  private let outputs: Double
  /// Of a sample.
  private let tiles: Double
  /// Of a sample, for each input and output channel.
  private let direct: Double

  /// - Parameter precision: of the direct convolution.
  init(_ geometry: ConvolutionGeometry, against precision: Precision = .float32) {
    (inputs, outputs) = (Double(geometry.inputChannels), Double(geometry.outputChannels))
    tiles = Double((geometry.inputHeight + 3) / 4 * ((geometry.inputWidth + 3) / 4))
    let pixels = Double(geometry.inputHeight * geometry.inputWidth)
    direct = 0.31 * pixels * (precision == .mixed ? 0.55 : 1)
  }

  /// What a pass costs by Winograd's method, directly being 1.
  func share(for pass: ConvolutionPass, samples: Int) -> Double {
    guard samples > 0 else { return 1 }
    let (from, to) = pass == .backwardInput ? (outputs, inputs) : (inputs, outputs)
    // Products are made of whole groups of 64 channels.
    let group = (to / 64).rounded(.up) * 64
    let tile = 1.3 * from * group + 7 * (from + group)
    let weights = 28 * from * group
    return (tiles * tile + weights / Double(samples)) / (direct * from * to)
  }
}
