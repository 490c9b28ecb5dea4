import Foundation

/// How far the making of shards is.
public struct ShardingProgress: Sendable {
  /// Samples that this run has done, and those that it has to do.
  public internal(set) var samples = 0
  public internal(set) var allSamples = 0
  /// Of images written.
  public internal(set) var bytes = 0
  /// Shards that are complete, those of earlier runs included, and all shards.
  public internal(set) var shards = 0
  public internal(set) var allShards = 0
  /// Images left out.
  public internal(set) var skipped: [ShardIndex.SkippedSample] = []
  /// Since the run began.
  public internal(set) var seconds = 0.0

  /// Before anything is done.
  public init() {}
}

/// What the threads that make shards share. All properties are guarded by `condition`.
final class ShardingWork: @unchecked Sendable {
  private let condition = NSCondition()
  private let journal: ShardJournal
  private let jobs: [ShardJob]
  private var done: [String: [Int: ShardIndex.Shard]]
  private var following = 0
  private var running = 0
  private var failure: DatasetError?
  private var progress = ShardingProgress()
  private let start = ContinuousClock.now

  /// - Parameter jobs: for all shards; those that the journal has are not made again.
  init(jobs: [ShardJob], journal: ShardJournal) {
    self.journal = journal
    done = journal.finished
    let finished = done
    self.jobs = jobs.filter { finished[$0.split]?[$0.number] == nil }
    progress.allShards = jobs.count
    progress.shards = jobs.count - self.jobs.count
    progress.allSamples = self.jobs.reduce(0) { $0 + $1.samples.count }
  }

  /// Shards to be made.
  var remaining: Int { jobs.count }

  /// The next shard to make, or `nil` if there is none or another one failed.
  func next() -> ShardJob? {
    condition.withLock {
      guard failure == nil, following < jobs.count else { return nil }
      following += 1
      running += 1
      return jobs[following - 1]
    }
  }

  /// Counts a sample. Returns whether to go on.
  func didSample(_ bytes: Int, skipped: ShardIndex.SkippedSample?) -> Bool {
    condition.withLock {
      progress.samples += 1
      progress.bytes += bytes
      if let skipped { progress.skipped.append(skipped) }
      return failure == nil
    }
  }

  /// Makes a shard and enters the result.
  func finish(_ job: ShardJob, _ make: () throws(DatasetError) -> ShardIndex.Shard?) {
    let result = Result { () throws(DatasetError) in try make() }
    condition.lock()
    defer { condition.unlock() }
    do {
      if let shard = try result.get() {
        try journal.append(shard, split: job.split, number: job.number)
        done[job.split, default: [:]][job.number] = shard
        progress.shards += 1
      }
    } catch {
      failure = failure ?? error
    }
    running -= 1
    condition.broadcast()
  }

  /// Returns when nothing is left to do.
  func wait(progress report: (ShardingProgress) -> Void) {
    var isOver = false
    while !isOver {
      condition.lock()
      let deadline = Date(timeIntervalSinceNow: 1)
      while !hasEnded && condition.wait(until: deadline) {}
      isOver = hasEnded
      progress.seconds = (ContinuousClock.now - start) / .seconds(1)
      let current = progress
      condition.unlock()
      report(current)
    }
  }

  private var hasEnded: Bool { running == 0 && (failure != nil || following == jobs.count) }

  /// All shards by split, in order.
  func result() throws(DatasetError) -> [String: [ShardIndex.Shard]] {
    if let failure { throw failure }
    return done.mapValues { shards in shards.sorted { $0.key < $1.key }.map(\.value) }
  }
}
