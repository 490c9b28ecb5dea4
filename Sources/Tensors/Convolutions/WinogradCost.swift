/// What Winograd's method costs against a direct convolution in single precision, of a 3x3 window with stride
/// 1.
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

  init(_ geometry: ConvolutionGeometry) {
    (inputs, outputs) = (Double(geometry.inputChannels), Double(geometry.outputChannels))
    tiles = Double((geometry.inputHeight + 3) / 4 * ((geometry.inputWidth + 3) / 4))
    direct = 0.31 * Double(geometry.inputHeight * geometry.inputWidth)
  }

  /// What a pass costs by Winograd's method, directly being 1.
  ///
  /// - Parameter readsSpikes: whether its input is spikes, which become floats first.
  func share(for pass: ConvolutionPass, samples: Int, readsSpikes: Bool) -> Double {
    // A few channels, as of a stem, leave too few products to make up for the transforms.
    guard samples > 0, min(inputs, outputs) >= 16 else { return 1 }
    let (from, to) = pass == .backwardInput ? (outputs, inputs) : (inputs, outputs)
    // Products are made of whole groups of 64 channels.
    let group = (to / 64).rounded(.up) * 64
    // The weights' gradient sums products of many tiles, which do not stay in the nearest cache.
    let isGradient = pass == .backwardWeights
    let tile = (isGradient ? 1.6 : 1.3) * from * group + (isGradient ? 14 : 7) * (from + group)
    let weights = (isGradient ? 50 : 28) * from * group
    // As measured beside passes by events, for 64 to 512 channels.
    let unpacking = readsSpikes && pass != .backwardInput ? (isGradient ? 1.35 : 1.15) : 1
    return unpacking * (tiles * tile + weights / Double(samples)) / (direct * from * to)
  }
}
