/// All passes of one convolution against the plain loop.
struct ConvolutionCheck: Sendable {
  let geometry: ConvolutionGeometry
  let samples: Int
  /// Where the input is spikes: the share that fires.
  var density: Float?
  /// Whether weights and output gradients are rounded in units of their channel's largest.
  var isFixedPoint = false
  /// Whether an error is in units of the largest numbers, from which others are taken away again.
  var isWinograd = false

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
        return ways(geometry, ofSpikes: !name.hasPrefix("stem")).map { way in
          MathCheck(way.engine, "\(name), \(inputs) to \(outputs) channels\(way.detail)") {
            RoundingCheck(
              worstOf: [1, 5].map { samples in
                ConvolutionCheck(
                  geometry: geometry, samples: samples, density: way.ofSpikes ? 0.2 : nil,
                  isFixedPoint: way.engine == .tiles, isWinograd: way.engine == .winograd
                ).check(way.convolution(Arena(capacity: arenaBytes)))
              })
          }
        }
      }
    }
  }

  /// A way to compute a convolution.
  private struct Way: Sendable {
    let engine: MathCheck.Engine
    /// Of its name, after all else.
    var detail = ""
    var ofSpikes = false
    let convolution: @Sendable (Arena) -> any Convolution
  }

  /// Those there are: by libraries, by Winograd's method and by events where there are kernels for it, and by
  /// what multiplies tiles.
  private static func ways(_ geometry: ConvolutionGeometry, ofSpikes: Bool) -> [Way] {
    func backend(_ backend: ConvolutionBackend) -> @Sendable (Arena) -> any Convolution {
      { backend.convolution(geometry, arena: $0) }
    }
    var libraries = [
      Way(engine: .oneDNN, convolution: backend(.oneDNN)),
      Way(engine: .openBLAS, convolution: backend(.openBLAS)),
    ]
    if WinogradConvolution.isPossible(geometry) {
      let winograd = backend(ConvolutionBackend(.openBLAS, kernels: .winograd))
      libraries += [false, true].map { ofSpikes in
        Way(
          engine: .winograd, detail: ofSpikes ? " of spikes" : "", ofSpikes: ofSpikes,
          convolution: winograd)
      }
    }
    if SubsampledConvolution.isPossible(geometry) {
      libraries.append(
        Way(
          engine: .oneDNN, detail: ", of every second pixel",
          convolution: backend(ConvolutionBackend(.oneDNN, kernels: .events))))
    }
    guard ofSpikes else { return libraries }
    let events = Way(
      engine: .events, ofSpikes: true,
      convolution: backend(ConvolutionBackend(.openBLAS, kernels: .events)))
    let tiles = TileEngine.allCases.filter(\.isAvailable).map { engine in
      Way(engine: .tiles, detail: " by \(engine.rawValue)", ofSpikes: true) { arena in
        ChosenConvolution(
          ConvolutionBackend.openBLAS.convolution(geometry, arena: arena), .float32,
          [TileConvolution(geometry, .float32, keepsPacked: true, engine: engine, arena: arena)],
          isForced: true)
      }
    }
    return libraries + (EventConvolution.isPossible(geometry) ? [events] : []) + tiles
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

    /// In place of each number the largest magnitude of its output channel.
    func largest(_ values: [Float]) -> [Float] {
      let channels = geometry.outputChannels
      var largest = [Float](repeating: 0, count: channels)
      for (index, value) in values.enumerated() {
        largest[index % channels] = max(largest[index % channels], value.magnitude)
      }
      return values.indices.map { largest[$0 % channels] }
    }
    func magnitudes(_ values: [Float]) -> [Float] { values.map(\.magnitude) }
    func sizes(_ values: [Float]) -> [Float] {
      isWinograd ? [Float](repeating: values.max()!, count: values.count) : values
    }
    let (absX, absW, absGY) = (magnitudes(x), magnitudes(weights), magnitudes(gy))
    let (sizesW, sizesGY) = isFixedPoint ? (largest(weights), largest(gy)) : (absW, absGY)
    let forward = RoundingCheck(
      y.elements, plain.forward(x, weights: weights, bias: bias, samples: samples),
      magnitudes: sizes(
        plain.forward(absX, weights: sizesW, bias: magnitudes(bias), samples: samples)),
      // The terms, the bias, and the spikes' amplitude.
      roundings: window * geometry.inputChannels + 2)
    let backwardInput = RoundingCheck(
      gx.elements, plain.backwardInput(gy, weights: weights, samples: samples),
      magnitudes: sizes(plain.backwardInput(absGY, weights: absW, samples: samples)),
      // The terms, and of each the products of small parts that are left out.
      roundings: window * geometry.outputChannels + (isFixedPoint ? 4 : 0))
    // The gradients add to what is there, here the weights.
    func sums(_ a: [Float], _ b: [Float]) -> [Float] { zip(a, b).map { $0 + $1 } }
    let gradients = plain.backwardWeights(x, gy, samples: samples)
    let gradientSizes = plain.backwardWeights(absX, sizesGY, samples: samples)
    let backwardWeights = RoundingCheck(
      weightGradient.elements + biasGradient.elements,
      sums(weights, gradients.weights) + sums(bias, gradients.bias),
      magnitudes: sizes(
        sums(absW, gradientSizes.weights) + sums(magnitudes(bias), gradientSizes.bias)),
      roundings: output.pixels + 2)
    return RoundingCheck(worstOf: [forward, backwardInput, backwardWeights])
  }
}
