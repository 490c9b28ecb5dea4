import Tensors

/// A network's norms are all of one kind.
extension SpikingNetwork {
  /// Writes what the iteration's samples on this rank make of the running statistics to
  /// `store.statisticTail`, where they are to be added up over the ranks.
  ///
  /// - Parameter share: of the iteration's samples that this rank had.
  public func gatherStatistics(share: Float) {
    guard !plan.onlineNorms.isEmpty else {
      // They have changed at each time step: the ranks' are averaged.
      return store.statisticTail.assign(store.statisticValues.all, times: share)
    }
    forEachOnlineNorm { $0.takeMoments(first: $1, second: $2, share: Double(share)) }
  }

  /// Changes the running statistics by the sums over the ranks of what `gatherStatistics` wrote.
  public func updateStatistics() {
    guard !plan.onlineNorms.isEmpty else {
      return store.statisticValues.all.assign(store.statisticTail, times: 1)
    }
    forEachOnlineNorm { $0.update(first: $1, second: $2) }
  }

  /// Calls `body` with the places of each norm's statistics in the tail.
  private func forEachOnlineNorm(
    _ body: (OnlineNorm, _ mean: FloatView, _ variance: FloatView) -> Void
  ) {
    let tail = store.statisticTail
    for norm in plan.onlineNorms {
      body(
        norm, tail[store.range(of: norm.runningMean)],
        tail[store.range(of: norm.runningVariance)])
    }
  }
}
