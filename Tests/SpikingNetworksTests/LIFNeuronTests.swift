import Tensors
import TestSupport
import Testing

@testable import SpikingNetworks

struct LIFNeuronTests {
  static let shape = Shape(n: 2, h: 3, w: 2, c: 5)
  static let timesteps = 5

  /// Inputs and gradients of the spikes; [time step][neuron].
  static let inputs = (0..<timesteps).map { t in
    randomFloats(shape.count, seed: t).map { 3 * $0 + 1 }
  }
  static let spikeGradients = (0..<timesteps).map { randomFloats(shape.count, seed: 100 + $0) }

  struct Outcome {
    var spikes: [[Int]] = []
    var gradients = [[Float]](repeating: [], count: timesteps)
    /// Bytes of the arena that are in use after each time step.
    var bytes: [Int] = []
  }

  /// Runs the time steps; the backward passes follow each forward pass or all of them.
  private func run(
    _ neuron: LIFNeuron, _ bench: LayerBench, isTemporal: Bool, trained: Set<Int> = Set(0..<5)
  ) -> Outcome {
    var outcome = Outcome()
    var tape = Tape(arena: bench.arena)
    var pending: [Int] = []
    neuron.beginSequence(IterationContext())
    for t in 0..<Self.timesteps {
      tape.isRecording = trained.contains(t)
      tape.beginStep()
      outcome.spikes.append(
        fired(neuron.forward(.floats(Self.shape, Self.inputs[t], in: bench.arena), &tape)))
      if trained.contains(t) { pending.append(t) }
      if !isTemporal || t == Self.timesteps - 1 {
        while let t = pending.popLast() {
          let g = Tensor(Self.shape, Self.spikeGradients[t], in: bench.arena)
          outcome.gradients[t] = neuron.backward(Gradient(g), &tape).value.tensor.elements
          tape.endStep()
        }
      }
      outcome.bytes.append(bench.arena.bytesInUse)
    }
    #expect(tape.bytes == 0)
    return outcome
  }

  /// The numbers of spikes.
  private func fired(_ signal: consuming Signal) -> [Int] {
    guard case .spikes(let s) = signal else { return [] }
    return (0..<s.shape.count).map { index in
      s.planes.enumerated().reduce(0) { $0 + ($1.element.spikes[index] ? 1 << $1.offset : 0) }
    }
  }

  private func numbers(_ spikes: [[Double]]) -> [[Int]] { spikes.map { $0.map { Int($0) } } }

  private func doubles(_ values: [[Float]], times factor: Double) -> [[Double]] {
    values.map { $0.map { factor * Double($0) } }
  }

  struct Case: CustomTestStringConvertible, Sendable {
    var neuron: NeuronSpecification

    init(_ neuron: NeuronSpecification) { self.neuron = neuron }

    var testDescription: String {
      "\(neuron.kind), tau \(neuron.tau), threshold \(neuron.threshold), \(neuron.reset)"
        + (neuron.detachesReset ? " detached" : "") + ", \(neuron.levels) \(neuron.firing)"
        + ", \(neuron.thresholdRule), \(neuron.surrogate.shape)"
    }
  }

  /// Of each kind, reset and way of firing.
  static let kinds: [Case] = [
    Case(.init(tau: 2)), Case(.init(kind: .if)), Case(.init(kind: .plif, tau: 2)),
    Case(.init(kind: .clif, tau: 2)), Case(.init(tau: 2, reset: .hard)),
    Case(.init(kind: .plif, tau: 2, reset: .hard)),
    Case(.init(tau: 2, detachesReset: true)),
    Case(.init(kind: .plif, tau: 2, detachesReset: true)),
    Case(.init(kind: .if, reset: .hard, detachesReset: true)),
    Case(.init(tau: 2, threshold: 0.5, levels: 2)),
    Case(.init(tau: 2, threshold: 0.125, levels: 15, firing: .round)),
    Case(
      .init(kind: .plif, tau: 2, threshold: 0.4, detachesReset: true, levels: 4, firing: .round)),
    Case(.init(tau: 2, firing: .round)), Case(.init(tau: 2, thresholdRule: .stabilized)),
    Case(.init(kind: .plif, tau: 2, thresholdRule: .stabilized, detachesReset: true)),
  ]
  static let surrogates: [Case] = [
    Case(.init(tau: 1.1)), Case(.init(tau: 2, surrogate: .init(.sigmoid))),
    Case(.init(tau: 4, threshold: 0.8, surrogate: .init(.rectangle, width: 2))),
    Case(.init(tau: .infinity, surrogate: .init(.sigmoid))), Case(.init(tau: 1)),
    Case(.init(kind: .plif, tau: 4, threshold: 1.2, surrogate: .init(.sigmoid))),
    Case(.init(tau: 2, surrogate: .init(.arctan))),
    Case(.init(tau: 2, reset: .hard, surrogate: .init(.arctan, width: 4))),
    Case(.init(kind: .clif, tau: 4, threshold: 0.8, surrogate: .init(.rectangle))),
    Case(.init(kind: .clif, tau: 2, surrogate: .init(.arctan))),
    Case(.init(tau: 2, threshold: 0.4, levels: 3, surrogate: .init(.sigmoid, width: 2))),
    Case(.init(tau: 2, threshold: 0.4, levels: 3, firing: .round, surrogate: .init(.arctan))),
  ]

  @Test(arguments: kinds + surrogates, [false, true])
  func stepsAgreeWithTheReference(_ test: Case, _ isTemporal: Bool) {
    let learnsTau = test.neuron.kind == .plif
    let bench = LayerBench(neuron: test.neuron)
    let (inputScale, amplitude) = (Float(0.5), Float(2.75))
    let neuron = LIFNeuron(
      "lif", input: Self.shape, inputScale: inputScale, amplitude: amplitude, bench.builder)
    let store = ParameterStore(parameters: bench.builder.parameters, statistics: [], seed: 1)
    let reference = LIFReference(test.neuron)
    let course = reference.course(of: doubles(Self.inputs, times: Double(inputScale)))
    let expected = reference.gradients(
      of: course, spikeGradients: doubles(Self.spikeGradients, times: Double(amplitude)),
      isTemporal: isTemporal)

    // Twice: a sequence leaves nothing behind.
    for sequence in 1...2 {
      let outcome = run(neuron, bench, isTemporal: isTemporal)
      #expect(outcome.spikes == numbers(course.s))
      #expect(neuron.spikeCounts == outcome.spikes.map { $0.reduce(0, +) })
      #expect(neuron.neuronSteps == Self.timesteps * Self.shape.count)
      for t in 0..<Self.timesteps {
        expectClose(
          outcome.gradients[t], expected.currents[t].map { inputScale * Float($0) },
          "time step \(t)")
      }
      #expect(store.weights.count == (learnsTau ? 1 : 0))
      if learnsTau {
        // decay = 1 - σ(w)
        let slope = -reference.decay * (1 - reference.decay)
        expectClose(
          store.gradients.elements, [Float(Double(sequence) * expected.decay * slope)], "w")
      }
    }
    #expect(course.s.joined().contains(0))
    #expect(course.s.joined().contains(Double(test.neuron.levels)))
  }

  /// Of what gradients flow through: spikes of a detached reset, and thresholds that move, stay.
  @Test(arguments: kinds) func referenceAgreesWithFiniteDifferences(_ test: Case) {
    var reference = LIFReference(test.neuron)
    (reference.surrogate, reference.isSmooth) = (.init(.sigmoid, width: 3), true)
    var currents = doubles(Self.inputs.map { Array($0[..<3]) }, times: 1)
    let factors = doubles(Self.spikeGradients.map { Array($0[..<3]) }, times: 1)
    let start = reference.course(of: currents)
    func value() -> Double {
      let s = reference.course(of: currents, constantsOf: start).s
      return zip(factors.joined(), s.joined()).reduce(0) { $0 + $1.0 * $1.1 }
    }
    let gradients = reference.gradients(
      of: start, spikeGradients: factors, isTemporal: true)
    let step = 1e-5
    func difference(_ move: (Double) -> Void) -> Double {
      move(step)
      let above = value()
      move(-2 * step)
      let below = value()
      move(step)
      return (above - below) / (2 * step)
    }
    for t in currents.indices {
      for neuron in 0..<3 {
        let numerical = difference { currents[t][neuron] += $0 }
        #expect(abs(gradients.currents[t][neuron] - numerical) < 1e-7)
      }
    }
    guard !reference.isComplementary else { return }
    #expect(abs(gradients.decay - difference { reference.decay += $0 }) < 1e-7)
  }

  @Test(arguments: [false, true]) func untrainedStepsOnlyMoveTheState(_ learnsTau: Bool) {
    let bench = LayerBench(
      neuron: NeuronSpecification(kind: learnsTau ? .plif : .lif, tau: 2))
    let neuron = LIFNeuron("lif", input: Self.shape, bench.builder)
    let store = ParameterStore(parameters: bench.builder.parameters, statistics: [], seed: 1)
    let all = run(neuron, bench, isTemporal: false)
    let chosen = run(neuron, bench, isTemporal: false, trained: [1, 4])
    #expect(chosen.spikes == all.spikes)
    for t in 0..<Self.timesteps {
      #expect(chosen.gradients[t] == ([1, 4].contains(t) ? all.gradients[t] : []))
    }
    #expect(store.weights.count == (learnsTau ? 1 : 0))
  }

  @Test func oneMembraneServesAllStepsUnlessTheyAreKept() {
    let bench = LayerBench()
    let neuron = LIFNeuron("lif", input: Self.shape, bench.builder)
    let spatial = run(neuron, bench, isTemporal: false)
    #expect(Set(spatial.bytes) == [256])
    let peak = bench.arena.peakBytes
    _ = run(neuron, bench, isTemporal: true)
    #expect(bench.arena.peakBytes >= peak + 256 * (Self.timesteps - 1))
  }

  /// The neuron takes in the normalisation before it: against one that is computed apart.
  @Test(arguments: [false, true]) func normalisationIsTakenIn(_ isTemporal: Bool) {
    checkNormalisation(BatchNorm.init, isTemporal: isTemporal)
    checkNormalisation(OnlineNorm.init, isTemporal: isTemporal)
  }

  private func checkNormalisation<Norm: Normalization>(
    _ make: (_ name: String, _ channels: Int, NetworkBuilder) -> Norm, isTemporal: Bool
  ) {
    let bench = NormalizationBench(shape: Self.shape, neuron: .init(tau: 2), make)
    let plain = NormalizationBench(shape: Self.shape, make)
    let neuron = LIFNeuron(
      "lif", input: Self.shape, normalization: bench.norm, bench.layers.builder)
    let outcome = run(neuron, bench.layers, isTemporal: isTemporal)

    // Each time step normalised by itself.
    var tape = plain.tape()
    let currents = Self.inputs.map { x in plain.normalised(x, &tape).map { Double($0) } }
    let reference = LIFReference(decay: 0.5, threshold: 1, surrogate: .init(.triangle))
    let course = reference.course(of: currents)
    #expect(outcome.spikes == numbers(course.s))
    let expected = reference.gradients(
      of: course, spikeGradients: doubles(Self.spikeGradients, times: 1), isTemporal: isTemporal)
    for t in (0..<Self.timesteps).reversed() {
      let gx = plain.gradient(
        expected.currents[t].map { Float($0) }, input: Self.inputs[t], &tape)
      expectClose(outcome.gradients[t], gx, "time step \(t)")
    }
    expectClose(
      bench.layers.store!.gradients.elements, plain.layers.store!.gradients.elements,
      "weight and bias")
    #expect(bench.statistics == plain.statistics)
  }
}
