import Configuration
import Distributed
import SpikingNetworks
import Tensors
import Training

/// Times a network's 3x3 convolutions of spikes, pass by pass, with every kernel there is for them.
///
/// The kernels take turns, round by round, so that whatever else the machine does hits all of them alike.
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
    var rows: [KernelReport.Row] = []
    var timings: [CostFit.Sample] = []
    for layer in layers { rows += measure(layer.geometry, layer.names, &timings) }
    return KernelReport(
      network: network, samples: samples, precision: precision.rawValue,
      machine: BenchmarkMachine(threads: threads, SingleProcess()), rows: rows,
      fit: fits ? CostFit(timings).text : nil)
  }

  private func measure(
    _ geometry: ConvolutionGeometry, _ names: [String], _ timings: inout [CostFit.Sample]
  ) -> [KernelReport.Row] {
    let weights = ConvolutionWeights(view(count: geometry.weightCount))
    let weightGradient = view(count: geometry.weightCount)
    let output = geometry.output(samples: samples)
    let operations = 2 * output.pixels * geometry.weightCount
    let gy = Tensor(output, noise(count: output.count), in: arena)
    func row(
      _ pass: ConvolutionPass, _ density: Double? = nil, _ body: (any Convolution) -> Void
    ) -> KernelReport.Row {
      let convolutions = convolutions(geometry, pass, density)
      let seconds = times(convolutions.map(\.convolution), operations, body)
      for (convolution, seconds) in zip(convolutions.map(\.convolution), seconds) {
        timings.append(
          CostFit.Sample(
            terms: convolution.costTerms(for: pass, samples: samples, density: density),
            precision: precision, nanoseconds: 1e9 * Double(threads) * seconds))
      }
      return KernelReport.Row(
        layers: names, geometry, pass, density: density, operations: operations,
        seconds: Dictionary(
          uniqueKeysWithValues: zip(convolutions.map(\.name.rawValue), seconds)),
        chosen: chosen(geometry, pass, density).rawValue)
    }
    var rows: [KernelReport.Row] = []
    for density in densities {
      let spikes = SpikeTensor(
        random: geometry.input(samples: samples), probability: Float(density), in: arena
      ) { RandomStream(seed: 1, purpose: .initialization, index: $0) }
      var y = gy.copy(in: arena)
      rows.append(
        row(.forward, density) {
          $0.forward(spikes, weights: weights, bias: nil, into: &y, accumulating: false)
        })
      rows.append(
        row(.backwardWeights, density) {
          $0.backwardWeights(spikes, gy, into: weightGradient, bias: nil)
        })
    }
    let input = geometry.input(samples: samples)
    var gx = Tensor(input, noise(count: input.count), in: arena)
    rows.append(row(.backwardInput) { $0.backwardInput(gy, weights: weights, into: &gx) })
    return rows
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

  /// Seconds of one call of `body` with each of the convolutions.
  private func times(
    _ convolutions: [any Convolution], _ operations: Int, _ body: (any Convolution) -> Void
  ) -> [Double] {
    // Small ones are over before a clock tells much.
    let repetitions = max(1, 500_000_000 / operations)
    var measured = [[Double]](repeating: [], count: convolutions.count)
    // The first round also makes room and puts weights in order.
    for round in 0...rounds {
      for (index, convolution) in convolutions.enumerated() {
        let start = ContinuousClock.now
        for _ in 0..<repetitions { body(convolution) }
        let seconds = (ContinuousClock.now - start) / .seconds(1) / Double(repetitions)
        if round > 0 { measured[index].append(seconds) }
      }
    }
    return measured.map(median)
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
