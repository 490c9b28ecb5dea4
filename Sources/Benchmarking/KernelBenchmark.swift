import Configuration
import Distributed
import Support
import SpikingNetworks
import Tensors
import Training

/// Times a network's 3x3 convolutions of spikes, pass by pass, with every kernel there is for them.
///
/// A round goes through all of them, and the kernels of a pass take turns, so that whatever else the machine
/// does hits all alike: neighbours on the same processor slow some instructions more than others, for seconds.
public struct KernelBenchmark {
  private let network: String
  private let samples: Int
  private let precision: Precision
  /// Names of the layers of each shape, in the order of the network.
  private let layers: [(geometry: ConvolutionGeometry, names: [String])]
  private let densities: [Double]
  private let rounds: Int
  private let threads: Int
  private let fits: Bool
  private let arena = Arena()

  /// - Parameters:
  ///   - densities: shares of the inputs that are spikes.
  ///   - rounds: of which the median counts.
  ///   - fits: whether to fit a table of costs to the times.
  /// - Throws: `ConfigurationError` or `NetworkError` where the configuration has no network, or one
  ///   that has no such convolution.
  public init(
    _ configuration: Configuration, densities: [Double], rounds: Int, threads: Int, fits: Bool
  ) throws {
    let configuration = configuration.completedForSyntheticData()
    let specification = try configuration.networkSpecification(classes: nil)
    try configuration.requireMemory(
      for: specification, ConvolutionBackend(), samples: configuration.training.globalBatch,
      SingleProcess())
    let network = try SpikingNetwork(specification, seed: configuration.training.seed)
    var layers: [(geometry: ConvolutionGeometry, names: [String])] = []
    for convolution in network.convolutions
    where convolution.readsSpikes && convolution.geometry.window.kernel == 3 {
      if let index = layers.firstIndex(where: { $0.geometry == convolution.geometry }) {
        layers[index].names.append(convolution.layer)
      } else {
        layers.append((convolution.geometry, [convolution.layer]))
      }
    }
    guard !layers.isEmpty else {
      throw configuration.error(
        configuration.model.layers == nil ? "model.blocks" : "model.layers",
        "leave no 3x3 convolution of spikes to measure")
    }
    self.network = specification.summary
    samples = configuration.samplesAtOnce(ranks: 1)
    precision = ConvolutionBackend(precision: specification.precision).effectivePrecision
    (self.layers, self.densities, self.rounds, self.threads) = (layers, densities, rounds, threads)
    self.fits = fits
  }

  /// Measures all of them.
  public func run() -> KernelReport {
    ThreadPool.setThreads(threads)
    var timings: [[PassTimings]] = layers.map { _ in [] }
    for round in 0..<rounds {
      for (index, layer) in layers.enumerated() {
        let measured = measure(layer.geometry)
        if round == 0 { timings[index] = measured; continue }
        for (pass, new) in measured.enumerated() { timings[index][pass].add(new) }
      }
    }
    return KernelReport(
      network: network, samples: samples, precision: precision.rawValue,
      machine: BenchmarkMachine(threads: threads, SingleProcess()),
      rows: zip(layers, timings).flatMap { layer, timings in
        timings.map { row(layer.geometry, layer.names, $0) }
      },
      fit: fits ? CostFit(timings.flatMap { $0.flatMap(fitSamples) }).text : nil)
  }

  /// Of a pass, on spikes of one density: the kernels, and their times in seconds, round by round.
  private struct PassTimings {
    let pass: ConvolutionPass
    let density: Double?
    let kernels: [ConvolutionBackend.Kernels]
    let terms: [CostTerms]
    var seconds: [[Double]]

    mutating func add(_ round: PassTimings) {
      for (index, new) in round.seconds.enumerated() { seconds[index] += new }
    }
  }

  private func row(
    _ geometry: ConvolutionGeometry, _ names: [String], _ timings: PassTimings
  ) -> KernelReport.Row {
    KernelReport.Row(
      layers: names, geometry, timings.pass, density: timings.density,
      operations: operations(geometry),
      seconds: Dictionary(
        uniqueKeysWithValues: zip(
          timings.kernels.map(\.rawValue), timings.seconds.map(median))),
      chosen: chosen(geometry, timings.pass, timings.density).rawValue)
  }

  /// Means, not medians: what counts is how long a run takes, in its slow stretches, too.
  private func fitSamples(_ timings: PassTimings) -> [CostFit.Sample] {
    zip(timings.terms, timings.seconds).map { terms, seconds in
      CostFit.Sample(
        terms: terms, precision: precision,
        nanoseconds: 1e9 * Double(threads) * seconds.reduce(0, +) / Double(seconds.count))
    }
  }

  private func operations(_ geometry: ConvolutionGeometry) -> Int {
    2 * geometry.output(samples: samples).pixels * geometry.weightCount
  }

  /// One round.
  private func measure(_ geometry: ConvolutionGeometry) -> [PassTimings] {
    let weights = ConvolutionWeights(view(count: geometry.weightCount))
    let weightGradient = view(count: geometry.weightCount)
    let output = geometry.output(samples: samples)
    let gy = Tensor(output, noise(count: output.count), in: arena)
    func timings(
      _ pass: ConvolutionPass, _ density: Double? = nil, _ body: (any Convolution) -> Void
    ) -> PassTimings {
      let convolutions = convolutions(geometry, pass, density)
      return PassTimings(
        pass: pass, density: density, kernels: convolutions.map(\.name),
        terms: convolutions.map {
          $0.convolution.costTerms(for: pass, samples: samples, density: density)
        },
        seconds: convolutions.map { [time($0.convolution, operations(geometry), body)] })
    }
    var all: [PassTimings] = []
    for density in densities {
      let spikes = SpikeTensor(
        random: geometry.input(samples: samples), probability: Float(density), in: arena
      ) { RandomStream(seed: 1, purpose: .initialization, index: $0) }
      var y = gy.copy(in: arena)
      all.append(
        timings(.forward, density) {
          $0.forward(spikes, weights: weights, bias: nil, into: &y, accumulating: false)
        })
      all.append(
        timings(.backwardWeights, density) {
          $0.backwardWeights(spikes, gy, into: weightGradient, bias: nil)
        })
    }
    let input = geometry.input(samples: samples)
    var gx = Tensor(input, noise(count: input.count), in: arena)
    all.append(timings(.backwardInput) { $0.backwardInput(gy, weights: weights, into: &gx) })
    return all
  }

  /// A convolution for each kernel that there is for a pass.
  private func convolutions(
    _ geometry: ConvolutionGeometry, _ pass: ConvolutionPass, _ density: Double?
  ) -> [(name: ConvolutionBackend.Kernels, convolution: any Convolution)] {
    var kernels: Set<ConvolutionKernel> = []
    return KernelReport.kernels.map { name in
      (
        name,
        ConvolutionBackend(kernels: name, precision: precision)
          .convolution(geometry, arena: arena)
      )
    }
    .filter { kernels.insert($1.kernel(for: pass, samples: samples, density: density)).inserted }
  }

  /// What training takes.
  private func chosen(
    _ geometry: ConvolutionGeometry, _ pass: ConvolutionPass, _ density: Double?
  ) -> ConvolutionBackend.Kernels {
    let kernel = ConvolutionBackend(precision: precision).convolution(geometry, arena: arena)
      .kernel(for: pass, samples: samples, density: density)
    return ConvolutionBackend.Kernels(rawValue: kernel.rawValue) ?? .dense
  }

  /// Seconds of one call of `body`.
  private func time(
    _ convolution: any Convolution, _ operations: Int, _ body: (any Convolution) -> Void
  ) -> Double {
    // The first call also makes room and puts weights in order.
    body(convolution)
    // Small ones are over before a clock tells much.
    let repetitions = max(1, 500_000_000 / operations)
    let start = ContinuousClock.now
    for _ in 0..<repetitions { body(convolution) }
    return (ContinuousClock.now - start) / .seconds(1) / Double(repetitions)
  }

  private func view(count: Int) -> FloatView {
    let view = FlatBuffer(count: count).all
    view.assign(noise(count: count))
    return view
  }

  /// Written memory has pages of its own; what was never written is one page of zeros.
  private func noise(count: Int) -> [Float] {
    var random = RandomStream(seed: 0, purpose: .initialization)
    return (0..<count).map { _ in random.uniform() - 0.5 }
  }
}
