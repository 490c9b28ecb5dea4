import SpikingNetworks

extension RunHistory {
  /// The operations of a sample at the firing rates of training, in the latest epoch that recorded them; nil
  /// where none did, or where nothing tells the classes.
  ///
  /// - Parameter fallback: how many classes to take where nothing tells them; the last layer alone knows of
  ///   them.
  /// - Throws: `ConfigurationError`, `NetworkError` where the run's configuration is none of this program's.
  public func operations(classes fallback: Int? = nil) throws -> NetworkOperations? {
    guard let epoch = epochs.last(where: \.hasRates) else { return nil }
    // The data may be gone, and then the weights alone tell the channels of the input and the classes.
    let store = CheckpointStore(run: path)
    let model = [store.bestLink, store.latestLink].lazy.compactMap {
      try? ModelFile(contentsOf: $0 + "/" + Checkpoint.modelName)
    }.first
    let configuration = (try? model?.resolvedConfiguration()) ?? configuration
    guard let classes = model?.classes.count ?? configuration.model.classes ?? fallback else {
      return nil
    }
    let network = try NetworkPlan(configuration.networkSpecification(classes: classes))
    return NetworkOperations(
      network, timesteps: configuration.method.timesteps,
      isStatic: configuration.framesOfASample == 1,
      rates: epoch.inputRates ?? network.inputRates(at: epoch.densities))
  }
}

extension RunHistory.Record {
  fileprivate var densities: [String: Double] {
    (convolutions ?? [:]).compactMapValues(\.inputDensity)
  }

  fileprivate var hasRates: Bool { inputRates?.isEmpty == false || !densities.isEmpty }
}
