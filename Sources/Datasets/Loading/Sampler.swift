import Tensors

/// Which samples every rank takes in every iteration of an epoch.
///
/// An epoch is one order of all samples. Iteration i takes the i-th slice of `globalBatch` samples
/// (the last may be shorter), and each rank a contiguous part of that slice. So the order, and what
/// an iteration learns from, are the same for any number of ranks. Where the last slice is shorter it can
/// be left out; other samples are then left out in the next epoch.
///
/// An epoch may also have a part of the samples only, evenly spread over the list and the same each time.
///
/// With a `ShardLocality` each rank has an order of its own samples instead, and iterations take as
/// many of all ranks together as without. A part is then spread over the samples of each rank.
public struct Sampler: Sendable {
  /// The order of the samples.
  public enum Order: Sendable, Equatable {
    /// 0, 1, 2, …: for evaluation.
    case sequential
    /// A new permutation every epoch.
    case shuffled(seed: UInt64)
  }

  /// Samples in the data set.
  let listCount: Int
  /// Samples in an epoch.
  public let sampleCount: Int
  public let globalBatch: Int
  public let rank: Int
  public let rankCount: Int
  public let order: Order
  public let dropsLast: Bool
  public let locality: ShardLocality?

  /// - Parameters:
  ///   - sampleCount: samples in the data set.
  ///   - part: samples that an epoch has of them, at most; nil for all.
  ///   - globalBatch: samples that all ranks together take in an iteration.
  ///   - dropsLast: whether an epoch ends before a batch that is smaller than the others.
  ///   - locality: of these samples and ranks, if ranks are to read shards of their nodes only.
  public init(
    sampleCount: Int, part: Int? = nil, globalBatch: Int, rank: Int, rankCount: Int, order: Order,
    dropsLast: Bool = false, locality: ShardLocality? = nil
  ) {
    precondition(sampleCount > 0 && sampleCount <= Int32.max, "there are samples")
    precondition(part ?? 1 > 0, "an epoch has samples")
    precondition(globalBatch > 0, "a batch has samples")
    precondition(!dropsLast || globalBatch <= sampleCount, "an epoch has a batch")
    precondition(0 <= rank && rank < rankCount, "a rank is below the number of ranks")
    if let locality {
      precondition(locality.sampleCount == sampleCount, "the shards hold these samples")
      precondition(locality.nodes.count == rankCount, "each rank is on a node")
    }
    listCount = sampleCount
    self.sampleCount = min(part ?? sampleCount, sampleCount)
    self.globalBatch = globalBatch
    self.rank = rank
    self.rankCount = rankCount
    self.order = order
    self.dropsLast = dropsLast
    self.locality = locality
  }

  /// Iterations in an epoch.
  public var iterations: Int {
    dropsLast ? sampleCount / globalBatch : (sampleCount + globalBatch - 1) / globalBatch
  }

  /// Samples that are left for a batch smaller than the others, whether that is left out or not.
  public var remainder: Int { sampleCount % globalBatch }

  /// The most samples that this rank takes in an iteration.
  public var largestBatch: Int { (min(globalBatch, sampleCount) + rankCount - 1) / rankCount }

  /// The order of the samples in an epoch.
  public func plan(epoch: Int) -> EpochPlan {
    if let locality {
      let own = locality.samples(ofRank: rank, epoch: epoch, order: order)
      let share = ShardLocality.dealt(sampleCount, to: rank, of: rankCount)
      return EpochPlan(sampler: self, samples: own.evenlySpread(share))
    }
    var samples = Array(0..<Int32(listCount)).evenlySpread(sampleCount)
    if case .shuffled(let seed) = order {
      var random = RandomStream(seed: seed, purpose: .sampleOrder, time: epoch)
      samples.permute(&random)
    }
    return EpochPlan(sampler: self, samples: samples)
  }
}

/// The samples of one epoch in order, divided into iterations and ranks.
public struct EpochPlan: Sendable {
  let sampler: Sampler
  /// All samples, for all ranks; with a locality those of this rank.
  let samples: [Int32]

  /// The number of iterations; `part` takes those below.
  public var iterations: Int { sampler.iterations }

  /// What the sampler's rank takes in an iteration.
  public func part(iteration: Int) -> BatchPart {
    precondition(0 <= iteration && iteration < iterations, "the epoch has this iteration")
    let start = iteration * sampler.globalBatch
    let globalCount = min(sampler.globalBatch, sampler.sampleCount - start)
    guard sampler.locality == nil else { return localPart(start..<start + globalCount) }
    let first = sampler.rank * globalCount / sampler.rankCount
    let end = (sampler.rank + 1) * globalCount / sampler.rankCount
    return BatchPart(
      samples: samples[start + first..<start + end], offset: first, globalCount: globalCount,
      partner: samples[start + (first + globalCount - 1) % globalCount])
  }

  /// The numbers of an epoch's samples are dealt to the ranks in turn, so that in any iteration the
  /// ranks have equally many, to one.
  private func localPart(_ slice: Range<Int>) -> BatchPart {
    func dealt(_ count: Int, below rank: Int) -> Int {
      ShardLocality.dealt(count, below: rank, of: sampler.rankCount)
    }
    let rank = sampler.rank
    func mine(_ count: Int) -> Int {
      ShardLocality.dealt(count, to: rank, of: sampler.rankCount)
    }
    let part = samples[mine(slice.lowerBound)..<mine(slice.upperBound)]
    return BatchPart(
      samples: part,
      offset: dealt(slice.upperBound, below: rank) - dealt(slice.lowerBound, below: rank),
      globalCount: slice.count, partner: part.last ?? 0)
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
  /// What the first sample is mixed with: the one before it in the global batch, or the last of all
  /// before the very first; where ranks have shards of their own, the last of the part.
  public let partner: Int32

  public var count: Int { samples.count }
}

extension Array {
  /// So many of the elements in their order, evenly spread.
  fileprivate func evenlySpread(_ part: Int) -> Array {
    part == count ? self : (0..<part).map { self[$0 * count / part] }
  }

  /// Brings the elements into random order.
  mutating func permute(_ random: inout RandomStream) {
    for last in stride(from: count - 1, to: 0, by: -1) {
      swapAt(last, random.uniform(below: last + 1))
    }
  }
}
