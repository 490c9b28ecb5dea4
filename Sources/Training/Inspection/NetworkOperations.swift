import SpikingNetworks
import Support

/// The operations of a network for one sample, over all time steps, as the field counts them.
///
///     MACs of the first layer = its multiplications, once for an image, T times for frames
///     ACs of a layer that reads spikes = spikes x fan-out
///     MACs of another layer = T x its multiplications
///
/// The fan-out is the mean over the input's elements, multiplications / elements; so ACs are firing rate x T
/// x multiplications (Zhou et al., "Spikformer", ICLR 2023). Products with padding count. Nothing but the
/// weights of layers does: no neurons, normalisation, biases, pools, and sums of residuals.
public struct NetworkOperations: Encodable, Sendable {
  /// Of a layer with weights.
  public struct Layer: Encodable, Sendable {
    public var name: String
    public var kind: String
    /// Spikes for each element of the input and time step; nil where the input is not spikes.
    public var inputRate: Double?
    /// Multiplications with addition.
    public var macs: Double
    /// Additions of a weight under a spike (SOPs).
    public var acs: Double
    /// Multiplications with addition of the same layer in an ANN, once.
    public var annMACs: Double

    private enum CodingKeys: String, CodingKey {
      case name, kind, inputRate, macs, acs
      case annMACs = "ann_macs"
    }
  }

  /// In the order of the forward pass.
  public let layers: [Layer]
  public let timesteps: Int

  /// - Parameters:
  ///   - isStatic: whether a sample is one image for all time steps.
  ///   - rates: spikes for each element of the input and time step, by the names of layers that read spikes.
  public init(
    _ network: NetworkPlan, timesteps: Int, isStatic: Bool, rates: [String: Double]
  ) {
    self.timesteps = timesteps
    layers = network.weightedLayers.enumerated().map { index, layer in
      let (macs, rate) = (Double(layer.macs), rates[layer.name])
      // The first one is the stem's convolution.
      let passes = index == 0 && isStatic ? 1 : Double(timesteps)
      return Layer(
        name: layer.name, kind: layer.kind, inputRate: rate,
        macs: rate == nil ? passes * macs : 0, acs: (rate ?? 0) * Double(timesteps) * macs,
        annMACs: macs)
    }
  }

  /// With this rate in the input of each layer that reads spikes.
  public init(
    _ network: NetworkPlan, timesteps: Int, isStatic: Bool, firingRate: Double
  ) {
    let readers = network.weightedLayers.filter { $0.inputPlanes > 0 }
    self.init(
      network, timesteps: timesteps, isStatic: isStatic,
      rates: Dictionary(uniqueKeysWithValues: readers.map { ($0.name, firingRate) }))
  }

  /// A number of operations as people read it; empty where there are none.
  public static func count(_ operations: Double) -> String {
    operations == 0 ? "" : Format.count(Int(min(operations, 0x1p62).rounded()))
  }

  public var macs: Double { layers.reduce(0) { $0 + $1.macs } }
  public var acs: Double { layers.reduce(0) { $0 + $1.acs } }
  public var annMACs: Double { layers.reduce(0) { $0 + $1.annMACs } }

  /// In a table, for people.
  public func text(_ energy: OperationEnergy) -> String {
    var rows = [
      ["layer", "kind", "input rate", "MACs", "ACs", "energy", "MACs as an ANN", "energy"]
    ]
    let total = Layer(name: "total", kind: "", macs: macs, acs: acs, annMACs: annMACs)
    rows += layers.map { layer in
      layer.cells(
        input: layer.inputRate.map { Format.percent($0) } ?? "not spikes", energy)
    }
    rows.append(total.cells(input: "", energy))
    return """
      \(table(rows, leftAligned: 2))

      Operations of one sample over \(Format.counted(timesteps, "time step")). A multiply-accumulate \
      (MAC) takes \(energy.mac) pJ,
      an AC, a weight added under a spike, \(energy.ac) pJ. An ANN of the same layers has MACs only, once.
      """
  }
}

extension NetworkPlan {
  /// Spikes for each element of layers' inputs, by the layers' names, from the densities of planes, in runs
  /// that recorded no more: spikes of several levels count once for each plane that holds one.
  public func inputRates(at densities: [String: Double]) -> [String: Double] {
    let readers = weightedLayers.compactMap { layer in
      densities[layer.name].map { (layer.name, $0 * Double(layer.inputPlanes)) }
    }
    return Dictionary(uniqueKeysWithValues: readers)
  }
}

extension NetworkOperations.Layer {
  /// In picojoules.
  public func energy(_ energy: OperationEnergy) -> Double { energy.of(macs: macs, acs: acs) }

  /// The same layer's in an ANN.
  public func annEnergy(_ energy: OperationEnergy) -> Double { energy.of(macs: annMACs) }

  fileprivate func cells(input: String, _ energy: OperationEnergy) -> [String] {
    let count = NetworkOperations.count
    return [
      name, kind, input, count(macs), count(acs), Format.energy(picojoules: self.energy(energy)),
      count(annMACs), Format.energy(picojoules: annEnergy(energy)),
    ]
  }
}
