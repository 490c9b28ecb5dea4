import SpikingNetworks

extension Configuration {
  /// The learning rule as configured; the configuration must be valid.
  public var learningRule: LearningRule {
    switch method.name {
    case .sltt: .sltt(timesteps: method.timesteps)
    case .slttK:
      .slttK(timesteps: method.timesteps, k: method.k!, skipsTrailing: method.skipsTrailing)
    case .bptt: .bptt(timesteps: method.timesteps)
    }
  }

  /// The same training by another method; SLTT-K trains one step where none says how many.
  func learning(by name: Method.Name) -> Configuration {
    var changed = self
    changed.method.name = name
    changed.method.k = name == .slttK ? method.k ?? 1 : nil
    changed.method.skipsTrailing = name == .slttK && method.skipsTrailing
    return changed
  }
}
