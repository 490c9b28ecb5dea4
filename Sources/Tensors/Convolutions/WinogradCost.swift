/// What makes up the time of a pass by Winograd's method.
struct WinogradCost {
  let geometry: ConvolutionGeometry

  /// Products and transforms of tiles of 4x4 outputs, and transforms of weights. Products are made of whole
  /// groups of 64 channels.
  func terms(of pass: ConvolutionPass, samples: Int) -> [Double] {
    let (inputs, outputs) = (Double(geometry.inputChannels), Double(geometry.outputChannels))
    let tiles = Double(
      samples * ((geometry.inputHeight + 3) / 4) * ((geometry.inputWidth + 3) / 4))
    let (from, to) = pass == .backwardInput ? (outputs, inputs) : (inputs, outputs)
    let group = (to / 64).rounded(.up) * 64
    return [tiles * from * group, tiles * (from + group), from * group]
  }

  /// Whether there are channels enough: a few, as of a stem, leave too few products to make up for the
  /// transforms.
  var isWorthwhile: Bool { min(geometry.inputChannels, geometry.outputChannels) >= 16 }
}
