import Tensors

/// Which samples every rank takes in every iteration of an epoch.
///
/// An epoch is one order of all samples. Iteration i takes the i-th slice of `globalBatch` samples
/// (the last may be shorter), and each rank a contiguous part of that slice. So the order, and what
/// an iteration learns from, are the same for any number of ranks.
public struct Sampler: Sendable {
  /// The order of the samples.
  public enum Order: Sendable, Equatable {
    /// 0, 1, 2, …: for evaluation.
    case sequential
    /// A new permutation every epoch.
    case shuffled(seed: UInt64)
  }

  public let sampleCount: Int
  public let globalBatch: Int
  public let rank: Int
  public let rankCount: Int
  public let order: Order

  /// - Parameters:
  ///   - sampleCount: samples in the data set.
  ///   - globalBatch: samples that all ranks together take in an iteration.
  public init(sampleCount: Int, globalBatch: Int, rank: Int, rankCount: Int, order: Order) {
    precondition(sampleCount > 0 && sampleCount <= Int32.max, "there are samples")
    precondition(globalBatch > 0, "a batch has samples")
    precondition(0 <= rank && rank < rankCount, "a rank is below the number of ranks")
    self.sampleCount = sampleCount
    self.globalBatch = globalBatch
    self.rank = rank
    self.rankCount = rankCount
    self.order = order
  }

  /// Iterations in an epoch.
  public var iterations: Int { (sampleCount + globalBatch - 1) / globalBatch }

  /// The most samples that this rank takes in an iteration.
  public var largestBatch: Int { (min(globalBatch, sampleCount) + rankCount - 1) / rankCount }

  /// The order of the samples in an epoch.
  public func plan(epoch: Int) -> EpochPlan {
    var samples = Array(0..<Int32(sampleCount))
    if case .shuffled(let seed) = order {
      var random = RandomStream(seed: seed, purpose: .sampleOrder, time: epoch)
      for last in stride(from: sampleCount - 1, to: 0, by: -1) {
        samples.swapAt(last, random.uniform(below: last + 1))
      }
    }
    return EpochPlan(sampler: self, samples: samples)
  }
}

/// The samples of one epoch in order, divided into iterations and ranks.
public struct EpochPlan: Sendable {
  let sampler: Sampler
  /// All samples, for all ranks.
  let samples: [Int32]

  /// The number of iterations; `part` takes those below.
  public var iterations: Int { sampler.iterations }

  /// What the sampler's rank takes in an iteration.
  public func part(iteration: Int) -> BatchPart {
    precondition(0 <= iteration && iteration < iterations, "the epoch has this iteration")
    let start = iteration * sampler.globalBatch
    let globalCount = min(sampler.globalBatch, samples.count - start)
    let first = sampler.rank * globalCount / sampler.rankCount
    let end = (sampler.rank + 1) * globalCount / sampler.rankCount
    return BatchPart(
      samples: samples[start + first..<start + end], offset: first, globalCount: globalCount,
      partner: samples[start + (first + globalCount - 1) % globalCount])
  }
}

/// One rank's part of a global batch.
public struct BatchPart: Sendable {
  /// Indices into the data set; may be empty.
  public let samples: ArraySlice<Int32>
  /// The position of the part's first sample in the global batch.
  public let offset: Int
  /// The samples of all ranks together.
  public let globalCount: Int
  /// The sample before the first one in the global batch, or the last of all before the very first:
  /// what the first one is mixed with.
  public let partner: Int32

  public var count: Int { samples.count }
}
