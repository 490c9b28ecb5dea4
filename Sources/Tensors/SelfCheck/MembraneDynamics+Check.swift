extension MembraneDynamics {
  static var checks: [MathCheck] {
    SurrogateGradient.Shape.allCases.map { shape in
      MathCheck(.neurons, "surrogate \(shape.rawValue)") {
        RoundingCheck(
          worstOf: [1, 17, 130].map { channels in
            MembraneDynamics(decay: 0.75, threshold: 0.5, surrogate: SurrogateGradient(shape))
              .check(channels: channels)
          })
      }
    }
  }

  /// Holds a time step of neurons, forward and backward, against an element at a time.
  func check(channels: Int) -> RoundingCheck {
    let arena = Arena(capacity: 16 << 20)
    let shape = Shape(n: 3, h: 5, w: 7, c: channels)
    let plain = PlainMembrane(
      decay: Double(decay), threshold: Double(threshold), surrogate: surrogate)
    // Of so few bits that charging is exact: whether a neuron fires must not hang on rounding.
    func coarse(_ count: Int, _ seed: Int) -> [Float] {
      checkValues(count, seed: seed).map { ($0 * 64).rounded() / 32 }
    }
    let (x, previous) = (coarse(shape.count, 1), coarse(shape.count, 2))
    let (scale, shift) = (coarse(channels, 3), coarse(channels, 4))
    let (gradient, later) = (coarse(shape.count, 5), coarse(shape.count, 6))
    let scales = FlatBuffer(scale).all
    let next = SharedTensor(Tensor(shape, in: arena))
    var spikes = SpikeTensor(shape, in: arena)
    _ = forward(
      Tensor(shape, x, in: arena), ChannelAffine(scale: scales, shift: FlatBuffer(shift).all),
      previous: SharedTensor(Tensor(shape, previous, in: arena)), next: next, spikes: &spikes)
    var g = Tensor(shape, gradient, in: arena)
    _ = backward(
      &g, spikes: spikes,
      step: Step(
        membrane: next, previous: nil,
        laterGradient: SharedTensor(Tensor(shape, later, in: arena)), earlierGradient: nil),
      scale: scales)

    var (expected, magnitudes): ([Float], [Float]) = ([], [])
    var (actual, expectedGradient, sizes): ([Float], [Float], [Float]) = ([], [], [])
    let steepest = Double(surrogate.width) + 1 / Double(surrogate.width)
    for index in 0..<shape.count {
      let channel = index % channels
      let (result, membrane) = plain.forward(
        current: Double(scale[channel]) * Double(x[index]) + Double(shift[channel]),
        previous: Double(previous[index]))
      expected += [result ? 1 : 0, Float(membrane)]
      magnitudes += [0, Float(membrane.magnitude)]
      actual += [spikes[index] ? 1 : 0, next.tensor[index]]
      let du = plain.backward(
        spike: Double(gradient[index]), later: Double(later[index]), fires: result,
        membrane: membrane)
      expectedGradient.append(Float(du * Double(scale[channel])))
      let terms = Double(gradient[index].magnitude) + Double(threshold * later[index].magnitude)
      sizes.append(
        Float(
          (terms * steepest + Double(later[index].magnitude)) * Double(scale[channel].magnitude)))
    }
    return RoundingCheck(worstOf: [
      RoundingCheck(actual, expected, magnitudes: magnitudes, roundings: 0),
      // A dozen operations, one of them an exponential function that may be off by more.
      RoundingCheck(g.elements, expectedGradient, magnitudes: sizes, roundings: 32),
    ])
  }
}
