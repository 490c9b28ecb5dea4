import Tensors

extension SpikingNetwork {
  /// Writes what the iteration's samples on this rank make of the running statistics to
  /// `store.statisticTail`, where they are to be added up over the ranks.
  ///
  /// - Parameter share: of the iteration's samples that this rank had.
  public func gatherStatistics(share: Float) {
    let tail = store.statisticTail
    // Those of batch norm have changed at each time step: the ranks' are averaged.
    tail.assign(store.statisticValues.all, times: share)
    for norm in plan.onlineNorms {
      norm.takeMoments(
        first: tail[store.range(of: norm.runningMean)],
        second: tail[store.range(of: norm.runningVariance)], share: Double(share))
    }
  }

  /// Changes the running statistics by the sums over the ranks of what `gatherStatistics` wrote.
  public func updateStatistics() {
    let tail = store.statisticTail
    let online = plan.onlineNorms.flatMap { [$0.runningMean, $0.runningVariance] }.map(\.name)
    for statistic in store.statistics where !online.contains(statistic.name) {
      statistic.values.assign(tail[store.range(of: statistic)], times: 1)
    }
    for norm in plan.onlineNorms {
      norm.update(
        first: tail[store.range(of: norm.runningMean)],
        second: tail[store.range(of: norm.runningVariance)])
    }
  }
}
