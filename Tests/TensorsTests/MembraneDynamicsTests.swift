import Testing

@testable import Tensors

/// The neuron's kernels against `PlainMembrane`. All numbers have few bits, so that the forward pass
/// is exact, the threshold and the surrogates' edges being met now and then.
struct MembraneDynamicsTests {
  static let channelCounts = [1, 3, 10, 16, 24, 64, 100]
  static let surrogates: [SurrogateGradient] = [
    .init(.triangle), .init(.rectangle), .init(.sigmoid), .init(.triangle, width: 0.5),
    .init(.rectangle, width: 2), .init(.sigmoid, width: 2),
  ]

  /// Large enough that three threads take part.
  private static func shape(_ channels: Int) -> Shape {
    Shape(n: 1, w: 3 * pixelGrain(channels: channels) + 5, c: channels)
  }

  @Test(arguments: channelCounts, [1, 2, 3])
  func chargesFiresAndResets(_ channels: Int, _ threads: Int) {
    let (arena, shape) = (testArena(), Self.shape(channels))
    let dynamics = MembraneDynamics(decay: 0.75, threshold: 0.5, surrogate: .init(.triangle))
    let reference = PlainMembrane(decay: 0.75, threshold: 0.5, surrogate: .init(.triangle))
    let x = gridFloats(shape.count, seed: 1)
    let (scale, shift) = (gridFloats(channels, seed: 2), gridFloats(channels, seed: 3))
    let affine = ChannelAffine(scale: view(scale), shift: view(shift))
    let input = Tensor(shape, x, in: arena)
    let membrane = gridFloats(shape.count, seed: 4)
    var edges = 0
    for (hasPrevious, isInPlace) in [(false, false), (true, false), (true, true)] {
      let previous = SharedTensor(Tensor(shape, membrane, in: arena))
      let next = isInPlace ? previous : SharedTensor(Tensor(shape, in: arena))
      // Whatever was there before goes, unused bits included.
      var spikes = SpikeTensor(shape, in: arena) { _ in true }
      let fired = withThreads(threads) {
        dynamics.forward(
          input, affine, previous: hasPrevious ? previous : nil, next: next, spikes: &spikes)
      }
      var (expected, expectedSpikes): ([Float], [Bool]) = ([], [])
      for index in 0..<shape.count {
        let c = index % channels
        let current = Double(scale[c]) * Double(x[index]) + Double(shift[c])
        let result = reference.forward(
          current: current, previous: hasPrevious ? Double(membrane[index]) : 0)
        expected.append(Float(result.membrane))
        expectedSpikes.append(result.fires)
        edges += result.fires && result.membrane == 0 ? 1 : 0
      }
      expectEqual(next.tensor.elements, expected, "membrane")
      let differing = (0..<shape.count).first { spikes[$0] != expectedSpikes[$0] }
      #expect(differing == nil)
      #expect(fired == expectedSpikes.count { $0 })
      let words = SpikeTensor.wordsPerPixel(channels: channels)
      if channels % 64 != 0 {
        let last = (0..<shape.pixels).map { spikes.words[$0 * words + words - 1] }
        #expect(last.allSatisfy { $0 >> UInt64(channels % 64) == 0 })
      }
    }
    #expect(edges > 0)
  }

  @Test(arguments: surrogates, channelCounts)
  func backwardAgreesWithTheReference(_ surrogate: SurrogateGradient, _ channels: Int) {
    let fixture = Fixture(shape: Self.shape(channels), surrogate)
    for flags in 0..<8 {
      fixture.check(
        threads: 1 + flags % 3, hasLater: flags & 1 != 0, hasEarlier: flags & 2 != 0,
        hasPrevious: flags & 4 != 0, isInPlace: flags == 7)
    }
  }

  /// A time step's numbers, and what the reference makes of them.
  private struct Fixture {
    let shape: Shape
    let dynamics: MembraneDynamics
    let reference: PlainMembrane
    let amplitude: Float = 2.5
    let membrane, gradient, later, previous, input, scale, mean: [Float]
    let fires: [Bool]

    init(shape: Shape, _ surrogate: SurrogateGradient) {
      self.shape = shape
      dynamics = MembraneDynamics(decay: 0.75, threshold: 0.5, surrogate: surrogate)
      reference = PlainMembrane(decay: 0.75, threshold: 0.5, surrogate: surrogate)
      let values = (1...5).map { gridFloats(shape.count, seed: $0) }
      (membrane, gradient, later, previous, input) =
        (values[0].map { $0 / 2 }, values[1], values[2], values[3], values[4])
      scale = gridFloats(shape.c, seed: 6)
      mean = gridFloats(shape.c, seed: 7)
      fires = randomSpikes(shape.count, seed: 8)
    }

    func check(
      threads: Int, hasLater: Bool, hasEarlier: Bool, hasPrevious: Bool, isInPlace: Bool
    ) {
      let arena = testArena()
      let what = "later \(hasLater), earlier \(hasEarlier), previous \(hasPrevious)"
      let expected = (0..<shape.count).map {
        reference.backward(
          spike: Double(amplitude * gradient[$0]), later: hasLater ? Double(later[$0]) : 0,
          fires: fires[$0], membrane: Double(membrane[$0]))
      }
      let expectedDecay = (0..<shape.count).reduce(0.0) {
        $0 + (hasPrevious ? expected[$1] * Double(previous[$1]) : 0)
      }
      let spikes = SpikeTensor(shape, amplitude: amplitude, in: arena) { fires[$0] }
      func step() -> MembraneDynamics.Step {
        func shared(_ values: [Float], _ isThere: Bool) -> SharedTensor? {
          isThere ? SharedTensor(Tensor(shape, values, in: arena)) : nil
        }
        let later = shared(later, hasLater)
        return MembraneDynamics.Step(
          membrane: shared(membrane, true)!, previous: shared(previous, hasPrevious),
          laterGradient: later,
          earlierGradient: isInPlace
            ? later : shared([Float](repeating: .nan, count: shape.count), hasEarlier))
      }

      func checkCommon(_ g: [Float], scale: [Float]?, _ step: MembraneDynamics.Step, _ d: Double) {
        expectClose(
          g, expected.enumerated().map { Float($1) * (scale?[$0 % shape.c] ?? 1) },
          "gradient with \(what)")
        if let earlier = step.earlierGradient {
          expectClose(
            earlier.tensor.elements, expected.map { Float(0.75 * $0) }, "earlier with \(what)")
        }
        #expect(abs(d - expectedDecay) <= 1e-6 * Double(shape.count), "decay with \(what)")
      }

      withThreads(threads) {
        var g = Tensor(shape, gradient, in: arena)
        let plain = step()
        let decay = dynamics.backward(
          &g, spikes: spikes, step: plain, scale: view(scale), rounding: true)
        checkCommon(g.elements, scale: scale, plain, decay)
        expectEqual(
          BFloat16BlockTests.floats(roundedIn: g) ?? [],
          g.elements.map(BFloat16BlockTests.rounded), "rounded gradient")

        // The gradient is that of what dropout made of the spikes.
        let mask = DropoutMask(shape, probability: 0.5, in: arena) {
          RandomStream(seed: 9, purpose: .dropout, index: $0)
        }
        var masked = step()
        masked.dropout = mask
        g = Tensor(shape, gradient, in: arena)
        _ = dynamics.backward(&g, spikes: spikes, step: masked, scale: view(scale))
        var through = Tensor(shape, gradient, in: arena)
        mask.apply(to: &through)
        _ = dynamics.backward(&through, spikes: spikes, step: step(), scale: view(scale))
        expectClose(g.elements, through.elements, "gradient through dropout")

        // A part of the result comes past the neuron.
        let skip = SharedTensor(Tensor(shape, input, in: arena))
        g = Tensor(shape, gradient, in: arena)
        _ = dynamics.backward(&g, spikes: spikes, step: step(), scale: view(scale), skip: skip)
        expectClose(
          g.elements,
          expected.indices.map { Float(expected[$0]) * self.scale[$0 % shape.c] + input[$0] },
          "gradient with a skip")

        // The gradient comes in two parts.
        let (sums, summed) = (ChannelSums(channels: shape.c), step())
        g = Tensor(shape, gradient.indices.map { gradient[$0] - input[$0] }, in: arena)
        let again = dynamics.backward(
          &g, more: skip, spikes: spikes, step: summed,
          input: .exact(SharedTensor(Tensor(shape, input, in: arena))), mean: view(mean),
          sums: sums)
        checkCommon(g.elements, scale: nil, summed, again)
        var first = [Double](repeating: 0, count: shape.c)
        var second = first
        for index in 0..<shape.count {
          let c = index % shape.c
          first[c] += expected[index]
          second[c] += expected[index] * Double(input[index] - mean[c])
        }
        let scale = Float(shape.w).squareRoot()
        expectClose(
          (0..<shape.c).map { Float(sums.first($0)) }, first.map { Float($0) }, scale: scale,
          "sums")
        expectClose(
          (0..<shape.c).map { Float(sums.second($0)) }, second.map { Float($0) }, scale: scale,
          "products")

        // With the input in half the memory.
        let centered = RoundedTensor(shape, in: arena)
        var thrown = SpikeTensor(shape, in: arena)
        let affine = ChannelAffine(uniform: 1, channels: shape.c)
        _ = dynamics.forward(
          skip.tensor, affine, previous: nil, next: SharedTensor(Tensor(shape, in: arena)),
          spikes: &thrown, centered: centered, mean: view(mean))
        g = Tensor(shape, gradient.indices.map { gradient[$0] - input[$0] }, in: arena)
        _ = dynamics.backward(
          &g, more: skip, spikes: spikes, step: step(), input: .centered(centered),
          mean: view(mean), sums: sums)
        var ofRounded = [Double](repeating: 0, count: shape.c)
        for index in 0..<shape.count {
          let c = index % shape.c
          ofRounded[c] +=
            expected[index] * Double(BFloat16BlockTests.rounded(input[index] - mean[c]))
        }
        expectClose(
          (0..<shape.c).map { Float(sums.second($0)) }, ofRounded.map { Float($0) }, scale: scale,
          "products of rounded")
      }
    }
  }
}
