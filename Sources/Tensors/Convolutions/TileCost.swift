/// What makes up the time of a pass by products of tiles. Units are a pixel and the 64 bytes and 32 columns
/// of a product.
struct TileCost {
  let geometry: ConvolutionGeometry

  /// Products with each part of the weights, input pixels that are unpacked, and output pixels that are
  /// stored.
  func forward(samples: Int, parts: Int) -> [Double] {
    let output = Double(geometry.output(samples: samples).pixels)
    let reads = geometry.window.kernel > 1 ? geometry.input(samples: samples).pixels : nil
    let input = reads.map { Double($0) } ?? output
    let (blocks, pairs) = (units(geometry.inputChannels, 64), units(geometry.outputChannels, 32))
    return [output * blocks * pairs * taps * Double(parts), input * blocks, output * pairs]
  }

  /// Products with each part of the output's gradient, sums of the parts, and what is prepared.
  func weightGradient(samples: Int, parts: Int) -> [Double] {
    let output = Double(geometry.output(samples: samples).pixels)
    let (blocks, pairs) = (units(geometry.inputChannels, 64), units(geometry.outputChannels, 32))
    let products = output * blocks * pairs * taps
    return [products * Double(parts), products, output * (blocks + pairs)]
  }

  /// Products of pairs of parts, input pixels that are stored, and output pixels that are cut into parts.
  func inputGradient(samples: Int, parts: Int) -> [Double] {
    let output = Double(geometry.output(samples: samples).pixels)
    let input = Double(geometry.input(samples: samples).pixels)
    let (blocks, pairs) = (units(geometry.outputChannels, 32), units(geometry.inputChannels, 32))
    return [
      output * blocks * pairs * taps * Double(parts * (parts + 1) / 2), input * pairs,
      output * blocks * Double(parts),
    ]
  }

  private var taps: Double { Double(geometry.window.kernel * geometry.window.kernel) }

  private func units(_ channels: Int, _ size: Int) -> Double {
    Double((channels + size - 1) / size)
  }
}
