import SafeTensors
import SpikingNetworks

extension SpikingNetwork {
  /// Parameters and running statistics under their published names, in the order of the forward pass.
  var publishedTensors: [SafeTensor] {
    (store.parametersInForwardOrder + store.statistics).map { parameter in
      .floats(
        parameter.name, shape: parameter.shape, parameter.published(parameter.values))
    }
  }

  /// Takes parameters and running statistics from a file, under their published names.
  ///
  /// - Parameters:
  ///   - parameterPrefix, statisticPrefix: before the names in the file.
  ///   - requiresStatistics: whether running statistics must be there; else absent ones keep their
  ///     values.
  ///   - reinitializingHead: whether the classifier keeps the values that it has.
  /// - Throws: `CheckpointError` or `SafeTensorsError`, before anything changes.
  func load(
    _ file: SafeTensorsFile, parameterPrefix: String = "", statisticPrefix: String = "",
    requiresStatistics: Bool = true, reinitializingHead: Bool = false
  ) throws {
    let names = Set(file.names)
    let present = store.statistics.filter {
      requiresStatistics || names.contains(statisticPrefix + $0.name)
    }
    let wanted =
      store.parameters.filter { !reinitializingHead || !head.contains($0.name) }
      .map { (parameterPrefix + $0.name, $0) }
      + present.map { (statisticPrefix + $0.name, $0) }
    let missing = wanted.map(\.0).filter { !names.contains($0) }
    guard missing.isEmpty else {
      throw CheckpointError(
        path: file.path,
        problem: "does not hold this network: it lacks \(missing.count) of \(wanted.count) tensors,"
          + " such as \(missing[0]); check model.* in the configuration")
    }
    let values = try wanted.map { name, parameter in
      try file.floats(name, shape: parameter.shape)
    }
    for ((_, parameter), values) in zip(wanted, values) {
      parameter.assign(published: values, to: parameter.values)
    }
    weightsDidChange()
  }
}
