import SpikingNetworks
import Support
import Tensors

/// The speed of training iterations, and where their time goes.
public struct StepReport: BenchmarkReport {
  /// An iteration computed in one way. Times are seconds of one iteration.
  struct Variant: Encodable {
    let method: String
    let precision: String
    let kernels: String
    /// Of a rank.
    let threads: Int
    /// Of each round.
    let imagesPerSecond: [Double]
    /// The median of the rounds.
    let iterationSeconds: Double
    let firingRate: Double
    /// Of a rank, as dense convolutions have them, whether events saved some or not.
    let operations: Double
    let phases: [Phase]
    let layers: [Layer]

    /// Without the number of threads.
    var way: String { "\(method) \(precision) \(kernels)" }
    var medianRate: Double { median(imagesPerSecond) }
  }

  struct Phase: Encodable {
    let name: String
    let seconds: Double
    let operations: Double
  }

  struct Layer: Encodable {
    let name: String
    let kind: String
    let output: [Int]
    /// Share of the input's elements that are spikes.
    let inputDensity: Double?
    /// What computed the passes of a convolution: for each kernel its share of the passes.
    let forwardKernels: [String: Double]
    let inputGradientKernels: [String: Double]
    let weightGradientKernels: [String: Double]
    let phases: [Phase]
  }

  let network: String
  let source: String
  let globalBatch: Int
  let timesteps: Int
  let machine: BenchmarkMachine
  /// Floating-point operations a second of one thread in single precision.
  let peakOfOneThread: Double
  let variants: [Variant]

  /// Of so many threads on each rank.
  private func peak(threads: Int) -> Double { peakOfOneThread * Double(threads * machine.ranks) }
}

extension StepReport.Variant {
  init(
    _ variant: StepBenchmark.Variant, _ network: SpikingNetwork, _ profile: StepProfile,
    iterations: Int, seconds: [Double], images: Int, firingRate: Double
  ) {
    let count = Double(iterations)
    func phase(_ phase: StepProfile.Phase, _ usage: StepProfile.Usage) -> StepReport.Phase {
      StepReport.Phase(
        name: phase.rawValue, seconds: usage.seconds / count,
        operations: Double(usage.operations) / count)
    }
    func shares(_ passes: [ConvolutionKernel: Int]?) -> [String: Double] {
      let count = Double(passes?.values.reduce(0, +) ?? 0)
      return Dictionary(
        uniqueKeysWithValues: (passes ?? [:]).map { ($0.rawValue, Double($1) / count) })
    }
    method = variant.method.rawValue
    precision = (network.precisionProblem == nil ? variant.precision : .float32).rawValue
    kernels = variant.kernels.rawValue
    threads = variant.threads
    imagesPerSecond = seconds.map { Double(images) / $0 }
    iterationSeconds = median(seconds)
    self.firingRate = firingRate
    let measured = StepProfile.Phase.allCases.map { phase($0, profile.phases[$0] ?? .init()) }
    operations = measured.reduce(0) { $0 + $1.operations }
    // Residual additions, the loss, clearing gradients.
    let mean = seconds.reduce(0, +) / Double(seconds.count)
    let rest = mean - measured.reduce(0) { $0 + $1.seconds }
    phases = measured + [StepReport.Phase(name: "other", seconds: max(0, rest), operations: 0)]
    layers = network.layers.map(\.summary).compactMap { layer in
      guard let usage = profile.layers[layer.name] else { return nil }
      return StepReport.Layer(
        name: layer.name, kind: layer.kind,
        output: [layer.output.h, layer.output.w, layer.output.c],
        inputDensity: usage.density, forwardKernels: shares(usage.kernels[.forward]),
        inputGradientKernels: shares(usage.kernels[.backwardInput]),
        weightGradientKernels: shares(usage.kernels[.backwardWeights]),
        phases: StepProfile.Phase.allCases.compactMap { kind in
          usage.phases[kind].map { phase(kind, $0) }
        })
    }
  }
}

extension StepReport {
  /// For people.
  public var text: String {
    """
    network  \(network)
    input    \(source); batch \(globalBatch), T = \(timesteps)
    machine  \(machine.text)
    peak     \(machine.ranks * machine.threads) x \(gigaflops(peakOfOneThread)) = \
    \(gigaflops(peak(threads: machine.threads))) GFLOP/s, by products of float32 matrices

    \(summary)\(warning(of: variants.map(\.firingRate)))

    GFLOP/s count what dense convolutions compute: events save most of it and can exceed the peak.

    \(phaseTable)

    \(serialTables.map { $0 + "\n\n" }.joined())\
    \(variants.map(layerTable).joined(separator: "\n\n"))
    """
  }

  private var summary: String {
    var rows = [
      [
        "method", "precision", "kernels", "threads", "images/s", "lowest", "highest",
        "ms/iteration", "firing rate", "GFLOP/s", "of peak",
      ]
    ]
    rows += variants.map { variant in
      let speed = variant.operations * Double(machine.ranks) / variant.iterationSeconds
      return [
        variant.method, variant.precision, variant.kernels, "\(variant.threads)",
        Format.rate(variant.medianRate), Format.rate(variant.imagesPerSecond.min()!),
        Format.rate(variant.imagesPerSecond.max()!),
        milliseconds(variant.iterationSeconds), Format.percent(variant.firingRate),
        gigaflops(speed), Format.percent(speed / peak(threads: variant.threads), digits: 0),
      ]
    }
    return table(rows, leftAligned: 3)
  }

  private func name(_ variant: Variant) -> String {
    Set(variants.map(\.threads)).count == 1
      ? variant.way : "\(variant.way), \(Format.counted(variant.threads, "thread"))"
  }

  private var phaseTable: String {
    let names = variants[0].phases.map(\.name)
    var rows = [["ms an iteration"] + variants.map(name)]
    rows += names.indices.map { index in
      [names[index]] + variants.map { milliseconds($0.phases[index].seconds) }
    }
    return table(rows, leftAligned: 1)
  }

  /// For each way that was measured with several numbers of threads, what does not get faster with them.
  private var serialTables: [String] {
    var ways: [String] = []
    for variant in variants where !ways.contains(variant.way) { ways.append(variant.way) }
    return ways.compactMap { way in
      let variants = variants.filter { $0.way == way }
      guard Set(variants.map(\.threads)).count > 1 else { return nil }
      func serial(_ seconds: (Variant) -> Double) -> SerialShare {
        SerialShare(variants.map { ($0.threads, seconds($0)) })
      }
      let all = serial(\.iterationSeconds)
      let rows =
        variants[0].phases.indices.map { index in
          (variants[0].phases[index].name, serial { $0.phases[index].seconds })
        } + [("iteration", all)]
      return table(
        [["\(way), ms of one thread", "divided", "serial", "serial share of the iteration"]]
          + rows.map { name, part in
            [
              name, milliseconds(part.divided), milliseconds(part.serial),
              Format.percent(part.serial / (all.serial + all.divided)),
            ]
          }, leftAligned: 1)
    }
  }

  private func layerTable(_ variant: Variant) -> String {
    let phases: [StepProfile.Phase] = [
      .stem, .forward, .backwardInput, .backwardWeights, .neuron, .norm, .dropout, .pooling,
      .classifier,
    ].filter { phase in
      variant.layers.contains { $0.phases.contains { $0.name == phase.rawValue } }
    }
    var rows = [
      [name(variant), "kind", "output"] + ConvolutionPass.allCases.map { "\($0.rawValue) by" }
        + ["input density"] + phases.map(\.rawValue) + ["GFLOP/s"]
    ]
    rows += variant.layers.map { layer in
      let seconds = layer.phases.reduce(0) { $0 + $1.seconds }
      let operations = layer.phases.reduce(0) { $0 + $1.operations }
      return [
        layer.name, layer.kind, layer.output.map { "\($0)" }.joined(separator: "x"),
        kernels(layer.forwardKernels), kernels(layer.inputGradientKernels),
        kernels(layer.weightGradientKernels),
        layer.inputDensity.map { Format.percent($0) } ?? "",
      ]
        + phases.map { phase in
          layer.phases.first { $0.name == phase.rawValue }.map { milliseconds($0.seconds) } ?? ""
        } + [operations == 0 ? "" : gigaflops(operations / seconds)]
    }
    return table(rows, leftAligned: 6)
  }

  /// - Parameter shares: of the passes that each kernel computed.
  private func kernels(_ shares: [String: Double]) -> String {
    shares.sorted { $0.key < $1.key }.map { name, share in
      share == 1 ? name : "\(name) \(Format.percent(share, digits: 0))"
    }
    .joined(separator: ", ")
  }

  private func milliseconds(_ seconds: Double) -> String { Format.fixed(seconds * 1000, 2) }

  private func gigaflops(_ perSecond: Double) -> String { Format.rate(perSecond / 1e9) }
}
