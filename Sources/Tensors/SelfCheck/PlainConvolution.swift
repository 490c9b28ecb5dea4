/// A convolution by its definition, one multiplication after the other, in double precision.
struct PlainConvolution {
  let geometry: ConvolutionGeometry

  func forward(_ x: [Float], weights: [Float], bias: [Float]?, samples: Int) -> [Float] {
    let channels = geometry.outputChannels
    var y = (0..<geometry.output(samples: samples).count).map { Double(bias?[$0 % channels] ?? 0) }
    forEachProduct(samples) { y[$2] += Double(x[$0]) * Double(weights[$1]) }
    return y.map { Float($0) }
  }

  func backwardInput(_ gy: [Float], weights: [Float], samples: Int) -> [Float] {
    var gx = [Double](repeating: 0, count: geometry.input(samples: samples).count)
    forEachProduct(samples) { gx[$0] += Double(gy[$2]) * Double(weights[$1]) }
    return gx.map { Float($0) }
  }

  func backwardWeights(_ x: [Float], _ gy: [Float], samples: Int) -> (
    weights: [Float], bias: [Float]
  ) {
    var weights = [Double](repeating: 0, count: geometry.weightCount)
    forEachProduct(samples) { weights[$1] += Double(x[$0]) * Double(gy[$2]) }
    var bias = [Double](repeating: 0, count: geometry.outputChannels)
    for (index, g) in gy.enumerated() { bias[index % bias.count] += Double(g) }
    return (weights.map { Float($0) }, bias.map { Float($0) })
  }

  /// Visits the places in x, weights and y of all products.
  private func forEachProduct(_ samples: Int, _ body: (_ x: Int, _ w: Int, _ y: Int) -> Void) {
    let (input, output) = (geometry.input(samples: samples), geometry.output(samples: samples))
    let window = geometry.window
    for sample in 0..<samples {
      for oy in 0..<output.h {
        for ox in 0..<output.w {
          for ky in 0..<window.kernel {
            for kx in 0..<window.kernel {
              let y = oy * window.stride + ky - window.padding
              let x = ox * window.stride + kx - window.padding
              guard (0..<input.h).contains(y), (0..<input.w).contains(x) else { continue }
              let from = ((sample * input.h + y) * input.w + x) * input.c
              let tap = (ky * window.kernel + kx) * input.c
              let to = ((sample * output.h + oy) * output.w + ox) * output.c
              for i in 0..<input.c {
                for o in 0..<output.c { body(from + i, (tap + i) * output.c + o, to + o) }
              }
            }
          }
        }
      }
    }
  }
}
