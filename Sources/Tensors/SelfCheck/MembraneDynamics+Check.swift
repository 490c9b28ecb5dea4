extension MembraneDynamics {
  static var checks: [MathCheck] {
    let surrogates = SurrogateGradient.Shape.allCases.map {
      ("surrogate \($0.rawValue)", dynamics(SurrogateGradient($0)))
    }
    let others = [
      ("hard reset", dynamics(reset: .hard)),
      ("levels", dynamics(.init(.rectangle), detachesReset: true, levels: 5, firing: .round)),
      ("complementary", dynamics(isComplementary: true)),
    ]
    return (surrogates + others).map { name, dynamics in
      MathCheck(.neurons, name) {
        RoundingCheck(worstOf: [1, 17, 130].map { dynamics.check(channels: $0) })
      }
    }
  }

  private static func dynamics(
    _ surrogate: SurrogateGradient = .init(.triangle), reset: Reset = .soft,
    detachesReset: Bool = false, levels: Int = 1, firing: Firing = .floor,
    isComplementary: Bool = false
  ) -> MembraneDynamics {
    MembraneDynamics(
      decay: 0.75, threshold: 0.5, surrogate: surrogate, reset: reset,
      detachesReset: detachesReset, levels: levels, firing: firing,
      isComplementary: isComplementary)
  }

  /// Holds a time step of neurons, forward and backward, against an element at a time.
  func check(channels: Int) -> RoundingCheck {
    let arena = Arena(capacity: 16 << 20)
    let shape = Shape(n: 3, h: 5, w: 7, c: channels)
    let plain = PlainMembrane(dynamics: self)
    // Of so few bits that charging is exact: whether a neuron fires must not hang on rounding.
    func coarse(_ count: Int, _ seed: Int) -> [Float] {
      checkValues(count, seed: seed).map { ($0 * 64).rounded() / 32 }
    }
    func membrane(_ potential: [Float], _ complement: [Float]) -> Membrane {
      Membrane(
        potential: Tensor(shape, potential, in: arena),
        complement: isComplementary ? SharedTensor(Tensor(shape, complement, in: arena)) : nil,
        threshold: threshold)
    }
    let (x, gradient) = (coarse(shape.count, 1), coarse(shape.count, 5))
    // Whose reset is exact, that of complementary neurons, too: they did not fire.
    let before = coarse(shape.count, 2).map { isComplementary ? min($0, threshold / 2) : $0 }
    let complement = coarse(shape.count, 7).map(\.magnitude)
    let (scale, shift) = (coarse(channels, 3), coarse(channels, 4))
    let (later, laterComplement) = (coarse(shape.count, 6), coarse(shape.count, 8))
    let scales = FlatBuffer(scale).all
    let (previous, next) = (membrane(before, complement), membrane(x, x))
    let spikes = forward(
      Tensor(shape, x, in: arena), ChannelAffine(scale: scales, shift: FlatBuffer(shift).all),
      previous: previous, next: next, in: arena)
    let fired = spikes.unpacked(in: arena)
    var g = Tensor(shape, gradient, in: arena)
    _ = backward(
      &g,
      by: .step(
        Step(
          membrane: next, previous: isComplementary ? previous : nil,
          laterGradient: membrane(later, laterComplement))), scale: scales)

    var (expected, magnitudes): ([Float], [Float]) = ([], [])
    var (actual, expectedGradient, sizes): ([Float], [Float], [Float]) = ([], [], [])
    let steepest = Double(levels) * (Double(surrogate.width) + 1 / Double(surrogate.width))
    for index in 0..<shape.count {
      let channel = index % channels
      let state = plain.forward(
        current: Double(scale[channel]) * Double(x[index]) + Double(shift[channel]),
        previous: .init(u: Double(before[index]), m: Double(complement[index])))
      expected += [Float(plain.spikes(state.u)), Float(state.u), Float(state.m)]
      magnitudes += [0, Float(state.u.magnitude), Float(state.m)]
      actual += [fired[index], next.potential.tensor[index], next.complement?.tensor[index] ?? 0]
      let du = plain.backward(
        spike: Double(gradient[index]), later: Double(later[index]),
        laterComplement: Double(laterComplement[index]), state,
        previousComplement: isComplementary ? Double(complement[index]) : 0
      ).u
      expectedGradient.append(Float(du * Double(scale[channel])))
      let (g, l) = (Double(gradient[index].magnitude), Double(later[index].magnitude))
      let m = isComplementary ? Double(laterComplement[index].magnitude) + l : 0
      let terms = g + l * max(Double(threshold), state.u.magnitude) + m
      sizes.append(
        Float(
          (terms * steepest + l + m * Double(complement[index]))
            * Double(scale[channel].magnitude)))
    }
    return RoundingCheck(worstOf: [
      RoundingCheck(actual, expected, magnitudes: magnitudes, roundings: isComplementary ? 8 : 0),
      // A dozen operations, some of them exponential functions that may be off by more.
      RoundingCheck(g.elements, expectedGradient, magnitudes: sizes, roundings: 32),
    ])
  }
}
