import Configuration
import Distributed
import SpikingNetworks
import Support
import Tensors

/// A network in figures, layer by layer, and its memory under each method.
public struct NetworkReport {
  /// For people.
  public let text: String

  /// - Parameters:
  ///   - backend: what would compute convolutions.
  ///   - firingRate: spikes for each element that a layer reads and time step, at which operations are to be
  ///     told.
  ///   - energy: of these operations.
  /// - Throws: `ConfigurationError`, `NetworkError`; `DatasetError` where the number of classes must
  ///   come from the data.
  public init(
    _ configuration: Configuration, backend: ConvolutionBackend = ConvolutionBackend(),
    firingRate: Double? = nil, energy: OperationEnergy = OperationEnergy()
  ) throws {
    let classes =
      try configuration.model.classes == nil ? DataSplits(configuration).classes().count : nil
    let specification = try configuration.networkSpecification(classes: classes)
    let teacher = try TeacherCheckpoint(
      of: configuration, student: specification, classes: nil, SingleProcess())
    let before = residentBytes()
    let network = try NetworkPlan(specification, backend: backend)
    let layers = network.layers.map(\.summary)
    var rows = [["layer", "kind", "output", "parameters", "MACs", "state", "tape"]]
    rows += layers.map { layer in
      [
        layer.name, layer.kind, "\(layer.output.h)x\(layer.output.w)x\(layer.output.c)",
        layer.parameters == 0 ? "" : Format.count(layer.parameters),
        layer.macs == 0 ? "" : Format.count(layer.macs),
        layer.stateBytes == 0 ? "" : Format.bytes(layer.stateBytes),
        layer.tapeBytes == 0 ? "" : Format.bytes(layer.tapeBytes),
      ]
    }
    rows.append([
      "total", "", "", Format.count(network.weightCount),
      Format.count(layers.reduce(0) { $0 + $1.macs }),
      Format.bytes(layers.reduce(0) { $0 + $1.stateBytes }),
      Format.bytes(layers.reduce(0) { $0 + $1.tapeBytes }),
    ])
    let operations = firingRate.map { rate in
      NetworkOperations(
        network, timesteps: configuration.method.timesteps,
        isStatic: configuration.framesOfASample == 1, firingRate: rate)
    }
    text = """
      \(specification.summary)

      \(table(rows, leftAligned: 3))

      Figures are for one sample and one time step; MACs are multiply-accumulates. State passes from
      time step to time step; the tape holds what a recorded one needs for its backward pass.

      \(Self.kernels(network, samples: configuration.samplesAtOnce(ranks: 1)))

      \(Self.methods(
        configuration, network,
        teacher: try teacher.map { try NetworkPlan($0.specification, backend: backend) },
        residentBefore: before))
      """
      + (operations.map { "\n\n" + $0.text(energy) } ?? "")
      + (teacher.map { "\n\nIn all includes the teacher, \($0.summary)." } ?? "")
  }

  /// What computes the convolutions at which densities.
  private static func kernels(_ network: NetworkPlan, samples: Int) -> String {
    var rows = [["convolution"] + ConvolutionPass.allCases.map(\.rawValue)]
    rows += network.convolutions.map { convolution in
      [convolution.layer]
        + ConvolutionPass.allCases.map { pass in
          // At a density at which none goes by events.
          let dense = convolution.kernel(
            for: pass, samples: samples, density: convolution.readsSpikes ? 1 : nil
          ).rawValue
          guard convolution.readsSpikes,
            let greatest = convolution.greatestEventDensity(for: pass, samples: samples)
          else { return dense }
          let events = ConvolutionKernel.events.rawValue
          return greatest == 1
            ? events : "\(events) to \(Format.percent(greatest)), else \(dense)"
        }
    }
    return """
      \(table(rows, leftAligned: 4))

      Up to the density of input spikes that is given a convolution goes by events.
      """
  }

  private static func methods(
    _ configuration: Configuration, _ network: NetworkPlan, teacher: NetworkPlan?,
    residentBefore: Int
  ) -> String {
    let (timesteps, batch) = (configuration.method.timesteps, configuration.training.globalBatch)
    var rows = [
      [
        "T = \(timesteps), batch \(batch)", "tape", "state", "parameters", "in all",
        "MACs an image",
      ]
    ]
    var refusals = ""
    for name in Configuration.Method.Name.allCases {
      let learning: Configuration
      do {
        learning = try configuration.learning(by: name)
      } catch {
        rows.append([name.rawValue, "–", "–", "–", "–", "–"])
        refusals += "\nNo \(name.rawValue): \(error)"
        continue
      }
      let memory = MemoryEstimate(
        network, learning, ranks: 1, batch: batch,
        optimizerBuffers: learning.optimizerBuffers, teacher: teacher,
        before: residentBefore)
      rows.append([
        name.rawValue, Format.bytes(memory.tapeBytes), Format.bytes(memory.stateBytes),
        Format.bytes(memory.parameterBytes), Format.bytes(memory.totalBytes),
        Format.count(
          Int(min(network.trainingMACs(learning.method.rule), 0x1p62))),
      ])
    }
    return """
      \(table(rows, leftAligned: 1))

      MACs of training, as if every layer were dense: events save most of those under spikes.\(refusals)
      """
  }
}
