/// How many spikes a layer with weights reads.
public struct InputRate: Equatable, Sendable {
  public var layer: String
  /// Spikes for each element of the input and time step; of several levels, and of sums, each counts.
  public var rate: Double
}

extension [InputRate] {
  /// By the layers' names.
  var byLayer: [String: Double] {
    Dictionary(uniqueKeysWithValues: map { ($0.layer, $0.rate) })
  }
}
