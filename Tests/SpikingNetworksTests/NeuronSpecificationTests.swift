import Tensors
import Testing

@testable import SpikingNetworks

struct NeuronSpecificationTests {
  /// Neurons that make no sense, the key that must be named, and the problem.
  static let mistakes: [(neuron: NeuronSpecification, key: String, problem: String)] = [
    (
      .init(tau: 0.5), "tau", "0.5 must be at least 1 (for kind plif greater, and finite)"
    ),
    (
      .init(kind: .plif, tau: 1), "tau",
      "1.0 must be at least 1 (for kind plif greater, and finite)"
    ),
    (.init(levels: 0), "levels", "0 must be from 1 to 15"),
    (.init(levels: 16), "levels", "16 must be from 1 to 15"),
    (
      .init(kind: .clif, reset: .hard), "reset",
      "hard makes no sense for kind clif, whose reset subtracts: set it to soft"
    ),
    (
      .init(kind: .clif, detachesReset: true), "detach_reset",
      "is not defined for kind clif, which remembers its resets: set it to false"
    ),
    (
      .init(reset: .hard, levels: 2), "levels",
      "2 need a reset that subtracts as many thresholds as spikes: set reset to soft"
    ),
    (
      .init(thresholdRule: .stabilized, reset: .hard), "threshold_rule",
      "stabilized is defined for a reset that subtracts: set reset to soft"
    ),
    (
      .init(kind: .clif, levels: 2), "levels",
      "2 are not defined for kind clif: set levels to 1"
    ),
    (
      .init(kind: .clif, firing: .round), "firing",
      "round is not defined for kind clif: set firing to floor"
    ),
    (
      .init(thresholdRule: .stabilized, levels: 3), "levels",
      "3 are not defined for threshold_rule stabilized: set levels to 1"
    ),
    (
      .init(thresholdRule: .stabilized, firing: .round), "firing",
      "round is not defined for threshold_rule stabilized: set firing to floor"
    ),
    (
      .init(kind: .clif, thresholdRule: .stabilized), "threshold_rule",
      "stabilized is not defined for kind clif: set it to fixed"
    ),
  ]

  @Test(arguments: mistakes)
  func mistakesAreExplained(_ neuron: NeuronSpecification, _ key: String, _ expected: String) {
    #expect(neuron.problem?.key == key && neuron.problem?.problem == expected)
  }

  @Test(arguments: [
    NeuronSpecification(), .init(kind: .if, tau: 1, reset: .hard, detachesReset: true),
    .init(kind: .plif, tau: 2, reset: .hard), .init(kind: .clif, tau: .infinity),
    .init(detachesReset: true, levels: 15, firing: .round),
    .init(kind: .plif, thresholdRule: .stabilized, detachesReset: true),
    .init(reset: .hard, firing: .round),
  ])
  func othersMakeSense(_ neuron: NeuronSpecification) {
    #expect(neuron.problem == nil)
  }

  @Test func kindsDifferInDecayAndReset() {
    #expect(NeuronSpecification(tau: 4).dynamics().decay == 0.75)
    #expect(NeuronSpecification(tau: .infinity).dynamics().decay == 1)
    #expect(NeuronSpecification(kind: .if, tau: 4).dynamics().decay == 1)
    #expect(NeuronSpecification(kind: .plif, tau: 4).dynamics(decay: 0.25).decay == 0.25)
    let kinds = NeuronSpecification.Kind.allCases
    #expect(
      kinds.filter { NeuronSpecification(kind: $0).dynamics().isComplementary } == [.clif])
    let neuron = NeuronSpecification(
      threshold: 0.5, reset: .soft, detachesReset: true, levels: 3, firing: .round,
      surrogate: .init(.arctan))
    let dynamics = neuron.dynamics()
    #expect(dynamics.threshold == 0.5 && neuron.dynamics(threshold: 2).threshold == 2)
    #expect(dynamics.reset == .soft && dynamics.detachesReset && dynamics.levels == 3)
    #expect(dynamics.firing == .round && dynamics.surrogate == .init(.arctan, width: 2))
  }
}
