/// What products of tiles cost, a direct convolution in single precision being 1.
///
/// The figures are of a 2-core Emerald Rapids with AMX, whose tile products ran at their full speed or at a
/// quarter of it, by what else the machine did: they reckon with half. On processors without AMX, no
/// layer is wide enough for what multiplies tiles there.
struct TileCost {
  private let geometry: ConvolutionGeometry
  private let precision: Precision
  private let engine: TileEngine

  init(_ geometry: ConvolutionGeometry, _ precision: Precision, _ engine: TileEngine) {
    (self.geometry, self.precision, self.engine) = (geometry, precision, engine)
  }

  /// Of a pass, whatever the density of its spikes.
  func share(of pass: ConvolutionPass) -> Double {
    guard engine == .amx else { return 4 }
    let isMixed = precision == .mixed
    // A window of one pixel makes few products of what is unpacked for it.
    let isNarrow = geometry.window.kernel == 1
    let full: Double =
      switch pass {
      case .forward: isMixed ? (isNarrow ? 0.4 : 0.17) : (isNarrow ? 0.5 : 0.23)
      case .backwardInput: isMixed ? (isNarrow ? 0.4 : 0.2) : (isNarrow ? 1 : 0.6)
      case .backwardWeights: isMixed ? 0.22 : 0.31
      }
    let (inputs, outputs) = (geometry.inputChannels, geometry.outputChannels)
    return pass == .backwardInput
      ? full / filled(outputs, 32) / filled(inputs, 32)
      : full / filled(inputs, 64) / filled(outputs, 32)
  }

  /// The share of tiles of `size` that `count` channels fill.
  private func filled(_ count: Int, _ size: Int) -> Double {
    Double(count) / Double((count + size - 1) / size * size)
  }
}
