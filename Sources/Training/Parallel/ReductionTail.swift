import SpikingNetworks
import Tensors

/// What travels behind the gradients and running statistics in an iteration's all-reduce.
struct ReductionTail {
  /// What is added up over the ranks: `IterationMetrics`.
  let metrics: FloatView
  /// What each rank has to say to the others: `RankReports`.
  let reports: FloatView

  init(of network: SpikingNetwork) {
    let tail = network.store.tail
    let count =
      IterationMetrics.count + IterationMetrics.countPerConvolution * network.convolutions.count
    metrics = tail[0..<count]
    reports = tail[count..<tail.count]
  }

  /// Its length, but for what there is of each convolution.
  static func count(ranks: Int) -> Int { IterationMetrics.count + RankReports.count(ranks: ranks) }
}
