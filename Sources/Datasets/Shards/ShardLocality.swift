import Tensors

/// Where shards lie when every node has its own on a local disk: the basis of an order in which each
/// rank reads only shards of its node.
///
/// The samples in the order of their shards are divided among the ranks, node by node, equally. What
/// falls to a node's ranks together is the same in every epoch: the node needs the shards in which
/// these samples lie (`shards(onNode:)`); a shard at the border of two nodes is needed by both. Which
/// of the node's ranks takes what is drawn anew every epoch: the node's shards are permuted, each
/// rank takes an equal part of the samples in that order, which are whole shards but for the first
/// and last, and permutes its samples.
///
/// So every sample comes once an epoch, and ranks have equally many, but unlike the global order this
/// one depends on the number of ranks and nodes.
public struct ShardLocality: Sendable, Equatable {
  /// Samples in each shard.
  let shardSizes: [Int]
  /// For each rank the number of its node: equal numbers are equal nodes.
  let nodes: [Int]

  public init(shardSizes: [Int], nodes: [Int]) {
    precondition(!nodes.isEmpty && !shardSizes.isEmpty, "there are ranks and shards")
    (self.shardSizes, self.nodes) = (shardSizes, nodes)
  }

  var sampleCount: Int { shardSizes.reduce(0, +) }

  /// The numbers of the shards that a node's ranks read.
  public func shards(onNode node: Int) -> [Int] { pieces(of: samples(onNode: node)).map(\.shard) }

  /// Of `count` samples that are dealt to ranks in turn, how many fall to the ranks below `rank`.
  static func dealt(_ count: Int, below rank: Int, of ranks: Int) -> Int {
    count / ranks * rank + min(count % ranks, rank)
  }

  /// How many of them fall to a rank.
  static func dealt(_ count: Int, to rank: Int, of ranks: Int) -> Int {
    dealt(count, below: rank + 1, of: ranks) - dealt(count, below: rank, of: ranks)
  }

  /// The samples that a rank takes in an epoch.
  func samples(ofRank rank: Int, epoch: Int, order: Sampler.Order) -> [Int32] {
    let range = samples(onNode: nodes[rank])
    var pieces = pieces(of: range)
    if case .shuffled(let seed) = order {
      var random = RandomStream(
        seed: seed, purpose: .shardOrder, time: epoch, index: range.lowerBound)
      pieces.permute(&random)
    }
    // This rank's part of the node's samples, as positions in the order of the pieces.
    let before = (0..<rank).reduce(0) { $0 + (nodes[$1] == nodes[rank] ? share(ofRank: $1) : 0) }
    let wanted = before..<before + share(ofRank: rank)
    var samples: [Int32] = []
    samples.reserveCapacity(wanted.count)
    var start = 0
    for piece in pieces {
      let part = wanted.clamped(to: start..<start + piece.samples.count)
      for position in part {
        samples.append(Int32(piece.samples.lowerBound + position - start))
      }
      start += piece.samples.count
    }
    if case .shuffled(let seed) = order {
      var random = RandomStream(seed: seed, purpose: .sampleOrder, time: epoch, index: rank + 1)
      samples.permute(&random)
    }
    return samples
  }

  /// The number of samples that a rank takes in an epoch.
  private func share(ofRank rank: Int) -> Int {
    Self.dealt(sampleCount, to: rank, of: nodes.count)
  }

  /// Nodes follow one another as their first ranks do.
  private func samples(onNode node: Int) -> Range<Int> {
    let first = nodes.firstIndex(of: node)!
    var (start, count) = (0, 0)
    for rank in nodes.indices {
      if nodes[rank] == node {
        count += share(ofRank: rank)
      } else if nodes.firstIndex(of: nodes[rank])! < first {
        start += share(ofRank: rank)
      }
    }
    return start..<start + count
  }

  /// The shards in which a range of samples lies, and the samples of the range in each.
  private func pieces(of range: Range<Int>) -> [(shard: Int, samples: Range<Int>)] {
    var start = 0
    var pieces: [(shard: Int, samples: Range<Int>)] = []
    for (shard, size) in shardSizes.enumerated() {
      let samples = range.clamped(to: start..<start + size)
      if !samples.isEmpty { pieces.append((shard, samples)) }
      start += size
    }
    return pieces
  }
}
