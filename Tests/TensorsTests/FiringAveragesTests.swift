import Testing

@testable import Tensors

/// `MembraneDynamicsTests` has what time steps add.
struct FiringAveragesTests {
  private let shape = Shape(n: 2, h: 4, w: 4, c: 64)

  private func dynamics(_ reset: Reset, detaches: Bool) -> MembraneDynamics {
    MembraneDynamics(
      decay: 0.5, threshold: 1, surrogate: .init(.triangle), reset: reset, detachesReset: detaches)
  }

  @Test(arguments: Reset.allCases, [false, true])
  func startAtZeroInAsMuchMemoryAsTheySay(_ reset: Reset, _ detaches: Bool) {
    let (arena, dynamics) = (testArena(), dynamics(reset, detaches: detaches))
    // Of neurons whose reset passes no gradient, all have the same eligibility.
    let tensors = reset == .soft && detaches ? 2 : 3
    do {
      let averages = FiringAverages(shape, of: dynamics, in: arena)
      #expect(arena.bytesInUse == tensors * shape.count * 4)
      #expect(FiringAverages.bytes(shape, of: dynamics) == arena.bytesInUse)
      #expect(averages.spikes.tensor.elements.allSatisfy { $0 == 0 })
      #expect(averages.gains.tensor.elements.allSatisfy { $0 == 0 })
    }
    #expect(arena.bytesInUse == 0)
  }

  /// Potentials grow by the input at each time step: the n-th has 1 + decay + … of it, whatever fired before.
  @Test func theSameEligibilityIsThatOfEach() {
    let (arena, dynamics) = (testArena(), dynamics(.soft, detaches: true))
    let averages = FiringAverages(shape, of: dynamics, in: arena)
    for t in 1...3 {
      // At the threshold, where the surrogate is 1.
      let membrane = Membrane(
        potential: Tensor(shape, [Float](repeating: 1, count: shape.count), in: arena),
        threshold: 1)
      dynamics.average(membrane, into: averages, timesteps: 3)
      let gain = [1, 2.5, 4.25][t - 1] as Float
      expectClose(
        averages.gains.tensor.elements, [Float](repeating: gain / 3, count: shape.count),
        "gains after \(t)")
    }
    expectClose(
      averages.spikes.tensor.elements, [Float](repeating: 1, count: shape.count), "spikes")
  }
}
