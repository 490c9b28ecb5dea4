import Tensors
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
    var spikes: [[Bool]] = []
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

  private func fired(_ signal: consuming Signal) -> [Bool] {
    guard case .spikes(let s) = signal else { return [] }
    return (0..<s.shape.count).map { s.planes[0].spikes[$0] }
  }

  private func doubles(_ values: [[Float]], times factor: Double) -> [[Double]] {
    values.map { $0.map { factor * Double($0) } }
  }

  struct Case: CustomTestStringConvertible, Sendable {
    var tau: Float
    var learnsTau = false
    var threshold: Float = 1
    var surrogate = SurrogateGradient(.triangle)
    var testDescription: String {
      "tau \(tau)\(learnsTau ? " learnt" : ""), threshold \(threshold), \(surrogate.shape)"
    }
  }

  static let cases: [Case] = [
    Case(tau: 1.1), Case(tau: 2, surrogate: .init(.sigmoid)),
    Case(tau: 4, threshold: 0.8, surrogate: .init(.rectangle, width: 2)),
    Case(tau: .infinity, surrogate: .init(.sigmoid)), Case(tau: 1),
    Case(tau: 2, learnsTau: true),
    Case(tau: 4, learnsTau: true, threshold: 1.2, surrogate: .init(.sigmoid)),
  ]

  @Test(arguments: cases, [false, true])
  func stepsAgreeWithTheReference(_ test: Case, _ isTemporal: Bool) {
    let bench = LayerBench(
      neuron: NeuronSpecification(
        kind: test.learnsTau ? .plif : .lif, tau: test.tau, threshold: test.threshold,
        surrogate: test.surrogate))
    let (inputScale, amplitude) = (Float(0.5), Float(2.75))
    let neuron = LIFNeuron(
      "lif", input: Self.shape, inputScale: inputScale, amplitude: amplitude, bench.builder)
    let store = ParameterStore(parameters: bench.builder.parameters, statistics: [], seed: 1)
    let reference = LIFReference(
      decay: 1 - 1 / Double(test.tau), threshold: Double(test.threshold),
      surrogate: test.surrogate)
    let course = reference.course(of: doubles(Self.inputs, times: Double(inputScale)))
    let expected = reference.gradients(
      of: course, spikeGradients: doubles(Self.spikeGradients, times: Double(amplitude)),
      isTemporal: isTemporal)

    // Twice: a sequence leaves nothing behind.
    for sequence in 1...2 {
      let outcome = run(neuron, bench, isTemporal: isTemporal)
      #expect(outcome.spikes == course.s.map { $0.map { $0 == 1 } })
      #expect(neuron.spikeCount == outcome.spikes.reduce(0) { $0 + $1.count { $0 } })
      #expect(neuron.neuronSteps == Self.timesteps * Self.shape.count)
      for t in 0..<Self.timesteps {
        expectClose(
          outcome.gradients[t], expected.currents[t].map { inputScale * Float($0) },
          "time step \(t)")
      }
      #expect(store.weights.count == (test.learnsTau ? 1 : 0))
      if test.learnsTau {
        // decay = 1 - σ(w)
        let slope = -reference.decay * (1 - reference.decay)
        expectClose(
          store.gradients.elements, [Float(Double(sequence) * expected.decay * slope)], "w")
      }
    }
    #expect(course.s.joined().contains(1) && course.s.joined().contains(0))
  }

  @Test func referenceAgreesWithFiniteDifferences() {
    var reference = LIFReference(
      decay: 0.6, threshold: 0.8, surrogate: .init(.sigmoid, width: 3), isSmooth: true)
    var currents = doubles(Self.inputs.map { Array($0[..<3]) }, times: 1)
    let factors = doubles(Self.spikeGradients.map { Array($0[..<3]) }, times: 1)
    func value() -> Double {
      let s = reference.course(of: currents).s
      return zip(factors.joined(), s.joined()).reduce(0) { $0 + $1.0 * $1.1 }
    }
    let gradients = reference.gradients(
      of: reference.course(of: currents), spikeGradients: factors, isTemporal: true)
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
    let (bench, plain) = (LayerBench(neuron: .init(tau: 2)), LayerBench())
    let norm = BatchNorm("bn", channels: Self.shape.c, bench.builder)
    let neuron = LIFNeuron("lif", input: Self.shape, normalization: norm, bench.builder)
    bench.complete()
    let other = BatchNorm("bn", channels: Self.shape.c, plain.builder)
    plain.complete()
    let outcome = run(neuron, bench, isTemporal: isTemporal)

    // Each time step normalised by itself.
    var currents: [[Double]] = []
    var tape = Tape(arena: plain.arena)
    for x in Self.inputs {
      let affine = other.forward(
        SharedTensor(Tensor(Self.shape, x, in: plain.arena)), &tape)
      currents.append(
        x.enumerated().map {
          let c = $0 % Self.shape.c
          return Double(affine.scale[c]) * Double($1) + Double(affine.shift[c])
        })
    }
    let reference = LIFReference(decay: 0.5, threshold: 1, surrogate: .init(.triangle))
    let course = reference.course(of: currents)
    #expect(outcome.spikes == course.s.map { $0.map { $0 == 1 } })
    let expected = reference.gradients(
      of: course, spikeGradients: doubles(Self.spikeGradients, times: 1), isTemporal: isTemporal)
    for t in (0..<Self.timesteps).reversed() {
      let gradient = expected.currents[t].map { Float($0) }
      let x = Self.inputs[t]
      var g = Tensor(Self.shape, gradient, in: plain.arena)
      let statistics = other.popStatistics(&tape)
      other.sums.takeProducts(ofRows: view(gradient), with: view(x), mean: statistics.mean)
      other.backward(
        &g, input: .exact(SharedTensor(Tensor(Self.shape, x, in: plain.arena))),
        statistics: statistics)
      expectClose(outcome.gradients[t], g.elements, "time step \(t)")
    }
    expectClose(
      bench.store!.gradients.elements, plain.store!.gradients.elements, "weight and bias")
    #expect(
      bench.store!.statisticValues.all.elements == plain.store!.statisticValues.all.elements)
  }
}
