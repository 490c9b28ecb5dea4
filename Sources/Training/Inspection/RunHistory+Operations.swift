import SpikingNetworks

extension RunHistory {
  /// The operations of a sample at the firing rates of training, in the latest epoch that recorded them; nil
  /// where none did.
  ///
  /// - Throws: `ConfigurationError`, `NetworkError` where the run's configuration is none of this program's.
  public func operations() throws -> NetworkOperations? {
    guard
      let epoch = epochs.last(where: { $0.inputRates?.isEmpty == false || $0.convolutions != nil })
    else { return nil }
    // The data may be gone, and then the weights alone tell the channels of the input and the classes.
    let model = try? ModelFile(at: path)
    let configuration = try model?.resolvedConfiguration() ?? configuration
    let network = try NetworkPlan(
      configuration.networkSpecification(
        classes: model?.classes.count ?? configuration.model.classes ?? 2))
    let densities = (epoch.convolutions ?? [:]).compactMapValues(\.inputDensity)
    return NetworkOperations(
      network, timesteps: configuration.method.timesteps,
      isStatic: configuration.framesOfASample == 1,
      rates: epoch.inputRates ?? network.inputRates(at: densities))
  }
}
