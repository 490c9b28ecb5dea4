import TestSupport
import Testing

@testable import Tensors

/// Multiples of 1/32 between -2 and 2: few enough bits that sums and products of a few are exact.
func gridFloats(_ count: Int, seed: Int) -> [Float] {
  var random = RandomStream(seed: UInt64(seed), purpose: .augmentation)
  return (0..<count).map { _ in Float(random.uniform(below: 129) - 64) / 32 }
}

/// Spikes of probability 1/4, equal for equal seeds.
func randomSpikes(_ count: Int, seed: Int) -> [Bool] {
  randomFloats(count, seed: seed).map { $0 < -0.5 }
}

/// Numbers of spikes from 0 to `most`, equal for equal seeds.
func randomNumbers(_ count: Int, upTo most: Int, seed: Int) -> [Int] {
  var random = RandomStream(seed: UInt64(seed), purpose: .augmentation)
  return (0..<count).map { _ in random.uniform(below: most + 1) }
}

extension ConvolutionGeometry {
  /// Of images of `h` x `w` pixels.
  init(
    h: Int, w: Int, inputs: Int, outputs: Int, kernel: Int = 3, stride: Int = 1, padding: Int = 1
  ) {
    self.init(
      input: Shape(n: 1, h: h, w: w, c: inputs), outputChannels: outputs,
      window: SlidingWindow(kernel: kernel, stride: stride, padding: padding))
  }
}

/// Expects a forward pass of `x` to be as defined: with and without bias, into an output that holds
/// nothing yet and added to `start`.
func expectForward(
  of geometry: ConvolutionGeometry, _ x: [Float], weights: [Float], bias: [Float],
  addedTo start: [Float], in arena: Arena, _ what: String,
  by forward: (_ bias: FloatView?, _ y: inout Tensor, _ isAccumulating: Bool) -> Void
) {
  let samples = x.count / geometry.input(samples: 1).count
  for bias in [nil, bias] {
    let expected = PlainConvolution(geometry: geometry)
      .forward(x, weights: weights, bias: bias, samples: samples)
    for isAccumulating in [false, true] {
      let before = isAccumulating ? start : [Float](repeating: .nan, count: start.count)
      var y = Tensor(geometry.output(samples: samples), before, in: arena)
      forward(bias.map { view($0) }, &y, isAccumulating)
      expectClose(
        y.elements, isAccumulating ? zip(expected, start).map { $0 + $1 } : expected,
        "\(what), accumulating \(isAccumulating)")
    }
  }
}

/// Spikes of several planes, and what they stand for.
struct RandomPlanes {
  static let amplitudes: [[Float]] = [[2.75], [1, 2], [0.5, 3, 1.25]]

  let spikes: Spikes
  let values: [Float]

  /// - Parameter amplitudes: of the planes; in each fewer elements fire than in the one before.
  init(_ shape: Shape, amplitudes: [Float], in arena: Arena) {
    let fired = amplitudes.indices.map { plane in
      randomFloats(shape.count, seed: 100 + plane).map { ($0 + 1) / 2 < 0.6 / Float(plane + 1) }
    }
    spikes = Spikes(
      planes: zip(amplitudes, fired).map { amplitude, fired in
        SharedSpikes(SpikeTensor(shape, amplitude: amplitude, in: arena) { fired[$0] })
      })
    values = (0..<shape.count).map { index in
      zip(amplitudes, fired).reduce(0) { $0 + ($1.1[index] ? $1.0 : 0) }
    }
  }
}

extension Spikes {
  /// The given numbers of spikes, up to `levels`, that stand for `amplitude` each.
  init(_ shape: Shape, levels: Int, amplitude: Float = 1, _ numbers: [Int], in arena: Arena) {
    self.init(
      planes: (0..<Self.planes(levels: levels)).map { plane in
        SharedSpikes(
          SpikeTensor(shape, amplitude: amplitude * Float(1 << plane), in: arena) {
            numbers[$0] >> plane & 1 == 1
          })
      }, levels: levels)
  }
}

func testArena() -> Arena { Arena(capacity: 64 << 20) }

/// Expects a difference of at most `tolerance` times the largest expected entry, or times `scale` where
/// that is larger: the size of terms that may have cancelled.
func expectClose(
  _ actual: [Float], _ expected: [Float], tolerance: Float = 1e-5, scale: Float = 0, _ what: String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  guard actual.count == expected.count else {
    Issue.record(
      "\(what): \(actual.count) elements instead of \(expected.count)",
      sourceLocation: sourceLocation)
    return
  }
  let largest = expected.reduce(scale) { max($0, abs($1)) }
  let worst = zip(actual, expected).map { abs($0 - $1) }.enumerated().max {
    // Not a number is the worst of all.
    $0.element < $1.element || $1.element.isNaN
  }
  guard let worst, !(worst.element <= tolerance * largest) else { return }
  Issue.record(
    """
    \(what): element \(worst.offset) is \(actual[worst.offset]) instead of \
    \(expected[worst.offset]), the largest being \(largest)
    """, sourceLocation: sourceLocation)
}

/// Expects the very same numbers; unlike `#expect`, it does not print long arrays.
func expectEqual(
  _ actual: [Float], _ expected: [Float], _ what: String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  expectClose(actual, expected, tolerance: 0, what, sourceLocation: sourceLocation)
}
