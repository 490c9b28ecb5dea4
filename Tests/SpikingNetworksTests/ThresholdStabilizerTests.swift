import Tensors
import TestSupport
import Testing

@testable import SpikingNetworks

struct ThresholdStabilizerTests {
  private let shape = Shape(n: 2, h: 3, w: 2, c: 5)
  private let arena = Arena(capacity: 4 << 20)
  private let stabilizer = ThresholdStabilizer(channels: 5)

  private func threshold(of potentials: [Float], first: Float) -> Float {
    let membrane = Membrane(shape, in: arena)
    for (index, u) in potentials.enumerated() { membrane.potential.tensor[index] = u }
    return stabilizer.threshold(of: membrane, first: first)
  }

  /// Potentials whose channels differ.
  private func potentials(seed: Int) -> [Float] {
    randomFloats(shape.count, seed: seed).enumerated().map {
      Float(1 + seed) * $1 + 0.25 * Float($0 % shape.c)
    }
  }

  private func moments(_ u: [Float]) -> (mean: Double, deviation: Double) {
    let mean = u.reduce(0) { $0 + Double($1) } / Double(u.count)
    let squares = u.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
    return (mean, (squares / Double(u.count - 1)).squareRoot())
  }

  @Test func followsMeanAndDeviationOfAllPotentials() {
    // Twice: a sequence leaves nothing behind.
    for sequence in 0..<2 {
      stabilizer.beginSequence()
      let first = moments(potentials(seed: sequence))
      for t in 0..<4 {
        let u = potentials(seed: sequence + t)
        let (mean, deviation) = moments(u)
        let expected = mean + deviation * (0.75 - first.mean) / first.deviation
        #expect(abs(Double(threshold(of: u, first: 0.75)) - expected) < 1e-5, "time step \(t)")
      }
    }
  }

  /// The same neurons fire where all potentials are stretched and moved.
  @Test func asGreatAShareFires() {
    let u = potentials(seed: 1)
    let first = threshold(of: u, first: 1)
    #expect(first == 1 && u.contains { $0 >= 1 } && u.contains { $0 < 1 })
    for (factor, offset) in [(Float(2), Float(0)), (0.5, -3), (8, 40)] {
      let moved = u.map { factor * $0 + offset }
      let threshold = threshold(of: moved, first: 1)
      #expect(zip(u, moved).allSatisfy { ($0 >= 1) == ($1 >= threshold) })
    }
  }

  /// Potentials that are all the same have no deviation to follow, as in a layer to which no spike has come:
  /// it must not fire for that.
  @Test func equalPotentialsLeaveTheThreshold() {
    let equal = [Float](repeating: 0.5, count: shape.count)
    #expect(threshold(of: equal, first: 1) == 1)
    #expect(threshold(of: equal, first: 1) == 1)
    // Then the first ones that differ are followed.
    let (u, next) = (potentials(seed: 1), potentials(seed: 2))
    #expect(threshold(of: u, first: 1) == 1)
    let expected =
      moments(next).mean + moments(next).deviation * (1 - moments(u).mean) / moments(u).deviation
    #expect(abs(Double(threshold(of: next, first: 1)) - expected) < 1e-5)

    stabilizer.beginSequence()
    #expect(threshold(of: u, first: 1) == 1)
    #expect(threshold(of: equal, first: 1) == 0.5)
  }
}
