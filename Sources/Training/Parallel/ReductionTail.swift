import SpikingNetworks
import Tensors

/// What travels behind the gradients and running statistics in an iteration's all-reduce.
struct ReductionTail {
  /// What is added up over the ranks: `IterationMetrics`.
  private let sums: FloatView
  /// What each rank has to say to the others: `RankReports`.
  let reports: FloatView
  /// Nothing measured yet.
  let nothing: IterationMetrics

  init(of network: SpikingNetwork, timesteps: Int) {
    let tail = network.store.tail
    nothing = IterationMetrics(of: network.plan, timesteps: timesteps)
    sums = tail[0..<nothing.numberCount]
    reports = tail[sums.count..<tail.count]
  }

  /// Its length.
  static func count(_ network: NetworkPlan, timesteps: Int, ranks: Int) -> Int {
    IterationMetrics(of: network, timesteps: timesteps).numberCount
      + RankReports.count(ranks: ranks)
  }

  /// Writes what this rank has measured.
  func write(_ metrics: IterationMetrics) { metrics.write(to: sums) }

  /// What is there: the sum over the ranks, once that was made.
  var metrics: IterationMetrics {
    var metrics = nothing
    metrics.read(from: sums)
    return metrics
  }

  /// The sum over the ranks of what each has measured. A collective.
  func sum(_ local: IterationMetrics, _ exchange: GradientExchange) throws -> IterationMetrics {
    write(local)
    try exchange.reduceExactly(sums)
    return metrics
  }
}
