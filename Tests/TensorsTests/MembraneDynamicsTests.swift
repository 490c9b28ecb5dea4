import TestSupport
import Testing

@testable import Tensors

/// The neuron's kernels against `PlainMembrane`. All numbers have few bits, so that the forward pass
/// is exact but for complementary neurons, the thresholds and the surrogates' edges being met now and then.
struct MembraneDynamicsTests {
  static let channelCounts = [1, 3, 10, 16, 24, 64, 100]

  struct Case: CustomTestStringConvertible, Sendable {
    var surrogate = SurrogateGradient(.triangle)
    var reset = Reset.soft
    var detachesReset = false
    var levels = 1
    var firing = Firing.floor
    var isComplementary = false

    var dynamics: MembraneDynamics {
      MembraneDynamics(
        decay: 0.75, threshold: 0.5, surrogate: surrogate, reset: reset,
        detachesReset: detachesReset, levels: levels, firing: firing,
        isComplementary: isComplementary)
    }

    var testDescription: String {
      "\(surrogate.shape) \(surrogate.width), \(reset)\(detachesReset ? " detached" : "")"
        + ", \(levels) levels, \(firing)\(isComplementary ? ", complementary" : "")"
    }
  }

  static let surrogates: [SurrogateGradient] = [
    .init(.triangle), .init(.rectangle), .init(.sigmoid), .init(.arctan),
    .init(.triangle, width: 0.5), .init(.rectangle, width: 2), .init(.sigmoid, width: 2),
    .init(.arctan, width: 5),
  ]
  static let kinds: [Case] = [
    Case(reset: .hard), Case(detachesReset: true), Case(reset: .hard, detachesReset: true),
    Case(levels: 2), Case(surrogate: .init(.rectangle, width: 0.5), levels: 4, firing: .round),
    Case(surrogate: .init(.sigmoid), detachesReset: true, levels: 15),
    Case(firing: .round), Case(isComplementary: true),
  ]
  static let cases = surrogates.map { Case(surrogate: $0) } + kinds

  /// Large enough that three threads take part.
  private static func shape(_ channels: Int) -> Shape {
    Shape(n: 1, w: 3 * pixelGrain(channels: channels) + 5, c: channels)
  }

  @Test(arguments: [Case()] + kinds, channelCounts)
  func chargesFiresAndResets(_ test: Case, _ channels: Int) {
    let (arena, shape, dynamics) = (testArena(), Self.shape(channels), test.dynamics)
    let reference = PlainMembrane(dynamics: dynamics)
    let x = gridFloats(shape.count, seed: 1).map { 3 * $0 }
    let (scale, shift) = (gridFloats(channels, seed: 2), gridFloats(channels, seed: 3))
    let affine = ChannelAffine(scale: view(scale), shift: view(shift))
    let input = Tensor(shape, x, in: arena)
    let before = gridFloats(shape.count, seed: 4)
    let complement = gridFloats(shape.count, seed: 5).map(\.magnitude)
    func membrane(_ values: [Float]) -> Membrane {
      Membrane(
        potential: Tensor(shape, values, in: arena),
        complement: test.isComplementary
          ? SharedTensor(Tensor(shape, complement, in: arena)) : nil, threshold: 0.5)
    }
    var (edges, mostSpikes) = (0, 0)
    for (index, (hasPrevious, isInPlace)) in [(false, false), (true, false), (true, true)]
      .enumerated()
    {
      let previous = membrane(before)
      let next = isInPlace ? previous : membrane(x)
      let spikes = withThreads(1 + index) {
        dynamics.forward(
          input, affine, previous: hasPrevious ? previous : nil, next: next, amplitude: 3,
          in: arena)
      }
      var (potentials, complements, counts): ([Float], [Float], [Float]) = ([], [], [])
      let actual = next.potential.tensor.elements
      for index in 0..<shape.count {
        let c = index % channels
        let state = reference.forward(
          current: Double(scale[c]) * Double(x[index]) + Double(shift[c]),
          previous: hasPrevious
            ? .init(u: Double(before[index]), m: Double(complement[index])) : nil)
        potentials.append(Float(state.u))
        complements.append(Float(state.m))
        // Where u is rounded it decides about the spikes itself.
        counts.append(Float(reference.spikes(Double(actual[index]))))
        mostSpikes = max(mostSpikes, reference.spikes(state.u))
        edges += reference.spikes(state.u) != reference.spikes(state.u.nextDown) ? 1 : 0
      }
      if test.isComplementary {
        expectClose(actual, potentials, "potential")
        if !hasPrevious { expectEqual(actual, potentials, "first potential") }
        #expect(zip(actual, potentials).count { $0 == $1 } > shape.count / 2)
      } else {
        expectEqual(actual, potentials, "potential")
      }
      expectEqual(spikes.unpacked(in: arena).elements, counts.map { 3 * $0 }, "spikes")
      #expect(Float(spikes.count) == counts.reduce(0, +))
      #expect(spikes.planes.count == Spikes.planes(levels: test.levels))
      #expect(next.threshold == 0.5)
      if let complement = next.complement?.tensor.elements {
        let isEqual = zip(actual, potentials).map { $0 == $1 }
        expectClose(
          zip(complement, isEqual).map { $1 ? $0 : 0 },
          zip(complements, isEqual).map { $1 ? $0 : 0 }, "complement")
      }
      // Unused bits are 0.
      let words = SpikeTensor.wordsPerPixel(channels: channels)
      for plane in spikes.planes where channels % 64 != 0 {
        let last = (0..<shape.pixels).map { plane.spikes.words[$0 * words + words - 1] }
        #expect(last.allSatisfy { $0 >> UInt64(channels % 64) == 0 })
      }
    }
    #expect(mostSpikes > 0 && mostSpikes <= test.levels)
    if channels > 1 { #expect(mostSpikes == test.levels) }
    // Of few channels, none may have a scale with which potentials meet the threshold.
    if channels > 3 { #expect(edges > 0) }
  }

  /// To charge and to fire one after the other is the same as both at once, at another threshold too.
  @Test(arguments: [1, 64, 100]) func firesWhatWasCharged(_ channels: Int) {
    let (arena, shape) = (testArena(), Self.shape(channels))
    let affine = ChannelAffine(uniform: 1, channels: channels)
    let x = Tensor(shape, gridFloats(shape.count, seed: 1), in: arena)
    var dynamics = MembraneDynamics(decay: 0.5, threshold: 0.5, surrogate: .init(.triangle))
    let (once, twice) = (Membrane(shape, in: arena), Membrane(shape, in: arena))
    for threshold: Float in [0.5, 0.25, 1.5] {
      dynamics.threshold = threshold
      let isFirst = threshold == 0.5
      let expected = dynamics.forward(
        x, affine, previous: isFirst ? nil : once, next: once, in: arena)
      dynamics.charge(x, affine, previous: isFirst ? nil : twice, next: twice)
      let spikes = dynamics.fire(twice, in: arena)
      expectEqual(
        twice.potential.tensor.elements, once.potential.tensor.elements, "potential")
      expectEqual(
        spikes.unpacked(in: arena).elements, expected.unpacked(in: arena).elements, "spikes")
      #expect(spikes.count == expected.count && twice.threshold == threshold)
    }
  }

  @Test(arguments: cases, channelCounts)
  func backwardAgreesWithTheReference(_ test: Case, _ channels: Int) {
    let fixture = Fixture(shape: Self.shape(channels), test.dynamics)
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
    let potential, gradient, later, previous, input, scale, mean: [Float]
    /// m[t], m[t-1] and dL/dm[t].
    let complement, previousComplement, laterComplement: [Float]

    init(shape: Shape, _ dynamics: MembraneDynamics) {
      self.shape = shape
      self.dynamics = dynamics
      reference = PlainMembrane(dynamics: dynamics)
      let values = (1...8).map { gridFloats(shape.count, seed: $0) }
      (potential, gradient, later, previous, input) =
        (values[0], values[1], values[2], values[3], values[4])
      (complement, previousComplement, laterComplement) =
        (values[5].map(\.magnitude), values[6].map(\.magnitude), values[7])
      scale = gridFloats(shape.c, seed: 9)
      mean = gridFloats(shape.c, seed: 10)
    }

    func check(
      threads: Int, hasLater: Bool, hasEarlier: Bool, hasPrevious: Bool, isInPlace: Bool
    ) {
      let arena = testArena()
      let isComplementary = dynamics.isComplementary
      let what = "later \(hasLater), earlier \(hasEarlier), previous \(hasPrevious)"
      let results = (0..<shape.count).map { index in
        reference.backward(
          spike: Double(amplitude * gradient[index]),
          later: hasLater ? Double(later[index]) : 0,
          laterComplement: hasLater ? Double(laterComplement[index]) : 0,
          .init(u: Double(potential[index]), m: Double(complement[index])),
          previousComplement: hasPrevious ? Double(previousComplement[index]) : 0)
      }
      let expected = results.map(\.u)
      let expectedDecay = (0..<shape.count).reduce(0.0) { sum, index in
        guard hasPrevious && !isComplementary else { return sum }
        return sum + expected[index] * reference.reset(.init(u: Double(previous[index])))
      }
      func membrane(_ potential: [Float], _ complement: [Float]) -> Membrane {
        Membrane(
          potential: Tensor(shape, potential, in: arena),
          complement: isComplementary
            ? SharedTensor(Tensor(shape, complement, in: arena)) : nil,
          threshold: dynamics.threshold)
      }
      let nothing = [Float](repeating: .nan, count: shape.count)
      func step() -> MembraneDynamics.Step {
        let later = hasLater ? membrane(later, laterComplement) : nil
        return MembraneDynamics.Step(
          membrane: membrane(potential, complement),
          previous: hasPrevious ? membrane(previous, previousComplement) : nil,
          laterGradient: later,
          earlierGradient: isInPlace ? later : hasEarlier ? membrane(nothing, nothing) : nil)
      }

      func checkCommon(_ g: [Float], scale: [Float]?, _ step: MembraneDynamics.Step, _ d: Double) {
        expectClose(
          g, expected.enumerated().map { Float($1) * (scale?[$0 % shape.c] ?? 1) },
          "gradient with \(what)")
        if let earlier = step.earlierGradient {
          expectClose(
            earlier.potential.tensor.elements, expected.map { Float(0.75 * $0) },
            "earlier with \(what)")
          if let complement = earlier.complement?.tensor.elements {
            expectClose(
              complement, results.map { Float($0.complement) }, "earlier complement, \(what)")
          }
        }
        #expect(abs(d - expectedDecay) <= 1e-6 * Double(shape.count), "decay with \(what)")
      }

      withThreads(threads) {
        var g = Tensor(shape, gradient, in: arena)
        let plain = step()
        let decay = dynamics.backward(
          &g, amplitude: amplitude, by: .step(plain), scale: view(scale), rounding: true)
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
        _ = dynamics.backward(&g, amplitude: amplitude, by: .step(masked), scale: view(scale))
        var through = Tensor(shape, gradient, in: arena)
        mask.apply(to: &through)
        _ = dynamics.backward(
          &through, amplitude: amplitude, by: .step(step()), scale: view(scale))
        expectClose(g.elements, through.elements, "gradient through dropout")

        // A part of the result comes past the neuron.
        let skip = SharedTensor(Tensor(shape, input, in: arena))
        g = Tensor(shape, gradient, in: arena)
        _ = dynamics.backward(
          &g, amplitude: amplitude, by: .step(step()), scale: view(scale), skip: skip)
        expectClose(
          g.elements,
          expected.indices.map { Float(expected[$0]) * self.scale[$0 % shape.c] + input[$0] },
          "gradient with a skip")

        // The gradient comes in two parts.
        let (sums, summed) = (ChannelSums(channels: shape.c), step())
        g = Tensor(shape, gradient.indices.map { gradient[$0] - input[$0] }, in: arena)
        let again = dynamics.backward(
          &g, more: skip, amplitude: amplitude, by: .step(summed),
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
        let affine = ChannelAffine(uniform: 1, channels: shape.c)
        _ = dynamics.forward(
          skip.tensor, affine, previous: nil, next: membrane(nothing, nothing), in: arena,
          centered: centered, mean: view(mean))
        g = Tensor(shape, gradient.indices.map { gradient[$0] - input[$0] }, in: arena)
        _ = dynamics.backward(
          &g, more: skip, amplitude: amplitude, by: .step(step()), input: .centered(centered),
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

  /// Averages of time steps, and the gradient that they give.
  @Test(arguments: cases.filter { !$0.isComplementary }, [3, 64])
  func averagesOverTime(_ test: Case, _ channels: Int) {
    let (arena, shape, dynamics) = (testArena(), Self.shape(channels), test.dynamics)
    let reference = PlainMembrane(dynamics: dynamics)
    let averages = FiringAverages(shape, of: dynamics, in: arena)
    let timesteps = 3
    var rates = [Double](repeating: 0, count: shape.count)
    var (gains, eligibility) = (rates, rates)
    for t in 0..<timesteps {
      let potential = gridFloats(shape.count, seed: t)
      withThreads(1 + t) {
        dynamics.average(
          Membrane(potential: Tensor(shape, potential, in: arena), threshold: 0.5),
          into: averages, amplitude: 2, timesteps: timesteps)
      }
      for index in 0..<shape.count {
        let u = Double(potential[index])
        eligibility[index] = 1 + 0.75 * eligibility[index]
        gains[index] += reference.slope(u) * eligibility[index] / 3
        rates[index] += Double(reference.spikes(u)) / 3
        // dv/du is what becomes of dL/dv = 1.
        eligibility[index] *= reference.backward(spike: 0, later: 1, .init(u: u)).u
      }
    }
    expectClose(averages.spikes.tensor.elements, rates.map { Float(2 * $0) }, "rates")
    expectClose(averages.gains.tensor.elements, gains.map { Float($0) }, "gains")
    var g = Tensor(shape, gridFloats(shape.count, seed: 9), in: arena)
    let scale = gridFloats(channels, seed: 10)
    let expected = g.elements.enumerated().map {
      2 * $1 * Float(gains[$0]) * scale[$0 % channels]
    }
    _ = dynamics.backward(&g, amplitude: 2, by: .averages(averages, nil), scale: view(scale))
    expectClose(g.elements, expected, "gradient")
  }
}
