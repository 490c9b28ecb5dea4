import SafeTensors
import SpikingNetworks
import Support

extension SpikingNetwork {
  /// Takes parameters and running statistics from a file, under their published names.
  ///
  /// - Parameters:
  ///   - parameterPrefix, statisticPrefix: before the names in the file.
  ///   - requiresStatistics: whether running statistics must be there; else absent ones keep their
  ///     values.
  ///   - reinitializingHead: whether the classifier keeps the values that it has.
  ///   - allowsOthers: whether the file may hold tensors that the network has not.
  /// - Throws: `CheckpointError` or `SafeTensorsError`, before anything changes.
  func load(
    _ file: any TensorFile, parameterPrefix: String = "", statisticPrefix: String = "",
    requiresStatistics: Bool = true, reinitializingHead: Bool = false,
    allowsOthers: Bool = false
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
        problem: "does not hold this network: it lacks \(missing.count) of"
          + " \(Format.counted(wanted.count, "tensor")),"
          + " such as \(missing[0]); check model.* in the configuration")
    }
    let known = Set(
      store.parameters.map { parameterPrefix + $0.name }
        + store.statistics.map { statisticPrefix + $0.name })
    // PyTorch's batch norm counts its batches, which changes nothing here.
    let others = file.names.filter { !known.contains($0) && !$0.hasSuffix(".num_batches_tracked") }
    guard allowsOthers || others.isEmpty else {
      throw CheckpointError(
        path: file.path,
        problem: "holds another network: the configured one has no place for"
          + " \(Format.counted(others.count, "tensor")), such as \(others[0]); check model.* in the"
          + " configuration")
    }
    for (name, parameter) in wanted {
      try file.checkFinite(name, shape: parameter.shape, atLeast: parameter.minimum)
    }
    for (name, parameter) in wanted {
      parameter.assign(published: try file.floats(name), to: parameter.values)
    }
    weightsDidChange()
  }
}
