/// What makes up the time of a direct convolution's pass, in units of a 3x3 window, a pixel, 64 input and
/// 16 output channels.
struct DirectCost {
  let geometry: ConvolutionGeometry

  /// Products with stride 1, and those with another, for which libraries have other kernels; for the weights'
  /// gradient all products, and input pixels.
  func terms(of pass: ConvolutionPass, samples: Int) -> [Double] {
    let channels = Double(geometry.inputChannels * geometry.outputChannels) / 1024
    let windows = Double(geometry.window.kernel * geometry.window.kernel) / 9
    let products = Double(geometry.output(samples: samples).pixels) * windows * channels
    if pass == .backwardWeights {
      return [products, Double(geometry.input(samples: samples).pixels) * channels]
    }
    return geometry.window.stride == 1 ? [products, 0] : [0, products]
  }
}
