/// All passes of one convolution against the plain loop.
struct ConvolutionCheck: Sendable {
  let geometry: ConvolutionGeometry
  let samples: Int
  /// Where the input is spikes: the share that fires.
  var density: Float?

  private static let arenaBytes = 64 << 20

  /// The windows that networks are made of, with channel counts and batches that fill no vector.
  private static let windows: [(name: String, size: Int, channels: [(Int, Int)], SlidingWindow)] = [
    ("stem 3x3", 17, [(3, 64)], SlidingWindow(kernel: 3, padding: 1)),
    ("stem 7x7 stride 2", 23, [(3, 40)], SlidingWindow(kernel: 7, stride: 2, padding: 3)),
    ("3x3", 9, [(17, 33), (64, 64)], SlidingWindow(kernel: 3, padding: 1)),
    ("3x3 stride 2", 9, [(17, 33), (64, 128)], SlidingWindow(kernel: 3, stride: 2, padding: 1)),
    ("1x1", 7, [(65, 40)], SlidingWindow(kernel: 1)),
    ("1x1 stride 2", 9, [(9, 33), (64, 128)], SlidingWindow(kernel: 1, stride: 2)),
  ]

  static var checks: [MathCheck] {
    windows.flatMap { name, size, channels, window in
      channels.flatMap { inputs, outputs in
        let geometry = ConvolutionGeometry(
          input: Shape(n: 1, h: size, w: size, c: inputs), outputChannels: outputs, window: window)
        // Convolutions of spikes take another way than dense ones where there are kernels for it.
        let isByEvents = !name.hasPrefix("stem") && EventConvolution.isPossible(geometry)
        let dense: [(MathCheck.Engine, ConvolutionBackend)] = [
          (.oneDNN, .oneDNN), (.openBLAS, .openBLAS),
        ]
        let events: [(MathCheck.Engine, ConvolutionBackend)] = [
          (.events, ConvolutionBackend(.openBLAS, kernels: .events))
        ]
        return (isByEvents ? dense + events : dense).map { engine, backend in
          MathCheck(engine, "\(name), \(inputs) to \(outputs) channels") {
            RoundingCheck(
              worstOf: [1, 5].map { samples in
                ConvolutionCheck(
                  geometry: geometry, samples: samples, density: engine == .events ? 0.2 : nil
                ).check(backend.convolution(geometry, arena: Arena(capacity: arenaBytes)))
              })
          }
        }
      }
    }
  }

  /// Forward, the gradient of the input, and the gradients of weights and bias.
  func check(_ convolution: any Convolution) -> RoundingCheck {
    let (arena, plain) = (convolution.arena, PlainConvolution(geometry: geometry))
    let (input, output) = (geometry.input(samples: samples), geometry.output(samples: samples))
    let window = geometry.window.kernel * geometry.window.kernel
    let values = checkValues(input.count, seed: 1)
    let amplitude: Float = 2.75
    let fires = values.map { ($0 + 1) / 2 < density ?? 0 }
    let x = density == nil ? values : fires.map { $0 ? amplitude : 0 }
    let weights = checkValues(geometry.weightCount, seed: 2)
    let bias = checkValues(geometry.outputChannels, seed: 3)
    let gy = checkValues(output.count, seed: 4)
    let weightView = ConvolutionWeights(FlatBuffer(weights).all)
    let biasView = FlatBuffer(bias).all
    let (weightGradient, biasGradient) = (FlatBuffer(weights).all, FlatBuffer(bias).all)
    var y = Tensor(output, [Float](repeating: .nan, count: output.count), in: arena)
    var gx = Tensor(input, [Float](repeating: .nan, count: input.count), in: arena)
    let outputGradient = Tensor(output, gy, in: arena)

    if density == nil {
      let x = Tensor(input, x, in: arena)
      convolution.forward(x, weights: weightView, bias: biasView, into: &y, accumulating: false)
      convolution.backwardWeights(x, outputGradient, into: weightGradient, bias: biasGradient)
    } else {
      let x = SpikeTensor(input, amplitude: amplitude, in: arena) { fires[$0] }
      convolution.forward(x, weights: weightView, bias: biasView, into: &y, accumulating: false)
      convolution.backwardWeights(x, outputGradient, into: weightGradient, bias: biasGradient)
    }
    convolution.backwardInput(outputGradient, weights: weightView, into: &gx)

    func magnitudes(_ values: [Float]) -> [Float] { values.map(\.magnitude) }
    let (absX, absW, absGY) = (magnitudes(x), magnitudes(weights), magnitudes(gy))
    let forward = RoundingCheck(
      y.elements, plain.forward(x, weights: weights, bias: bias, samples: samples),
      magnitudes: plain.forward(absX, weights: absW, bias: magnitudes(bias), samples: samples),
      // The terms, the bias, and the spikes' amplitude.
      roundings: window * geometry.inputChannels + 2)
    let backwardInput = RoundingCheck(
      gx.elements, plain.backwardInput(gy, weights: weights, samples: samples),
      magnitudes: plain.backwardInput(absGY, weights: absW, samples: samples),
      roundings: window * geometry.outputChannels)
    // The gradients add to what is there, here the weights.
    func sums(_ a: [Float], _ b: [Float]) -> [Float] { zip(a, b).map { $0 + $1 } }
    let gradients = plain.backwardWeights(x, gy, samples: samples)
    let sizes = plain.backwardWeights(absX, absGY, samples: samples)
    let backwardWeights = RoundingCheck(
      weightGradient.elements + biasGradient.elements,
      sums(weights, gradients.weights) + sums(bias, gradients.bias),
      magnitudes: sums(absW, sizes.weights) + sums(magnitudes(bias), sizes.bias),
      roundings: output.pixels + 2)
    return RoundingCheck(worstOf: [forward, backwardInput, backwardWeights])
  }
}
