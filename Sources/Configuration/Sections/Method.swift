import SpikingNetworks

extension Configuration {
  /// How gradients are computed.
  public struct Method: Sendable {
    /// The learning rules.
    public enum Name: String, CaseIterable, Sendable, Codable {
      /// Spatial learning through time: gradients stay within their time step.
      case sltt
      /// SLTT that back-propagates only K random time steps in each iteration.
      case slttK = "sltt-k"
      /// Back-propagation through time, the baseline.
      case bptt
      /// Online training through time: SLTT with traces of input spikes.
      case ottt
      /// One backward pass through the averages of the time steps.
      case rate
    }

    public var name = Name.sltt
    public var timesteps = 4
    public var k: Int?
    public var skipsTrailing = false
  }
}

extension Configuration.Method {
  static let keys: [ConfigurationKey] = [
    .init(
      "method.name", \.method.name,
      "How gradients are computed: SLTT, SLTT-K, BPTT (the baseline), OTTT or firing rates."),
    .init(
      "method.timesteps", \.method.timesteps, limit: .timesteps,
      "Time steps T of the network for each image."),
    .init(
      "method.k", \.method.k, limit: .timesteps,
      "Time steps that sltt-k back-propagates in an iteration, at most timesteps."),
    .init(
      "method.skip_trailing", \.method.skipsTrailing,
      "sltt-k: end at the last recorded time step; metrics cover the time steps that ran."),
  ]
}

extension Configuration.Method {
  /// - Precondition: the configuration is valid.
  public var rule: LearningRule {
    switch name {
    case .sltt: .sltt(timesteps: timesteps)
    case .slttK: .slttK(timesteps: timesteps, k: k!, skipsTrailing: skipsTrailing)
    case .bptt: .bptt(timesteps: timesteps)
    case .ottt: .ottt(timesteps: timesteps)
    case .rate: .rate(timesteps: timesteps)
    }
  }
}
