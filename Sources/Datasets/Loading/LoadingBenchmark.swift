import Foundation
import Support
import Synchronization

/// Measures how fast threads make network inputs of a data set, up to a stage of that work.
///
/// The samples are those of the loader's first epochs, in its order.
public struct LoadingBenchmark: Sendable {
  /// How far the work goes.
  public enum Stage: String, Sendable, CaseIterable {
    /// The bytes of the image file are in memory.
    case read
    /// So are its pixels.
    case decoded
    /// The network input is ready.
    case augmented
    /// The consumer of a `DataLoader` has it, in a batch.
    case delivered
  }

  /// How fast samples came.
  public struct Rate: Sendable {
    public let perSecond: Double
    /// By the processor time of all threads, which other programs on the machine hardly change.
    public let perProcessorSecond: Double

    fileprivate init(samples: Int, since start: Moment) {
      perSecond = Double(samples) / start.elapsed
      perProcessorSecond = Double(samples) / start.processorSeconds
    }
  }

  private let input: any SampleInput
  private let sampler: Sampler
  private let mixing: BatchMixing
  private let seed: UInt64

  /// The parameters are those of `DataLoader`.
  public init(
    _ input: any SampleInput, sampler: Sampler, mixing: BatchMixing = BatchMixing(), seed: UInt64
  ) {
    (self.input, self.sampler, self.mixing, self.seed) = (input, sampler, mixing, seed)
  }

  /// The stages that this kind of data has: recordings of events are not decoded as images are.
  public var stages: [Stage] {
    input is ImageInput ? Stage.allCases : [.augmented, .delivered]
  }

  /// Makes samples for a while.
  ///
  /// - Parameters:
  ///   - workers: threads, besides the one that takes what a loader delivers.
  ///   - seconds: to measure for, at least.
  public func rate(
    _ stage: Stage, workers: Int, seconds: Double
  ) throws(DatasetError) -> Rate {
    precondition(workers > 0 && seconds > 0, "threads work for some time")
    return stage == .delivered
      ? try deliveredRate(workers: workers, seconds: seconds)
      : try sampleRate(stage, workers: workers, seconds: seconds)
  }

  private func deliveredRate(
    workers: Int, seconds: Double
  ) throws(DatasetError) -> Rate {
    let loader = DataLoader(
      input, sampler: sampler, mixing: mixing, seed: seed, workers: workers)
    var (samples, epoch) = (0, 0)
    var start: Moment?
    while true {
      loader.begin(epoch: epoch)
      while let batch = try loader.next() {
        // From batch to batch, so that as much is prepared ahead at the start as at the end.
        guard let start else {
          start = Moment()
          continue
        }
        samples += batch.count
        if start.elapsed >= seconds { return Rate(samples: samples, since: start) }
      }
      epoch += 1
    }
  }

  private func sampleRate(
    _ stage: Stage, workers: Int, seconds: Double
  ) throws(DatasetError) -> Rate {
    let order = sampler.plan(epoch: 0).samples
    let next = Atomic<Int>(0)
    let tally = Tally()
    let start = Moment()
    let threads = (0..<workers).map { _ in
      WorkerThread { [self] in
        var count = 0
        do throws(DatasetError) {
          let work = makeWork(stage)
          // A thread that begins late does a sample, too.
          repeat {
            let position = next.add(1, ordering: .relaxed).oldValue
            try work(Int(order[position % order.count]), position / order.count)
            count += 1
          } while start.elapsed < seconds
          tally.add(count, failure: nil)
        } catch {
          tally.add(count, failure: error)
        }
      }
    }
    for thread in threads { thread.join() }
    return Rate(samples: try tally.total(), since: start)
  }

  /// What a thread does with a sample in an epoch.
  private func makeWork(_ stage: Stage) -> (Int, Int) throws(DatasetError) -> Void {
    guard stage != .augmented, let images = input as? ImageInput else {
      let reader = input.makeReader(seed: seed)
      let storage = BatchStorage(
        capacity: 1, timesteps: input.timesteps, frameCount: input.frameCount)
      return { (sample, epoch) throws(DatasetError) in
        try reader.read(
          sample, epoch: epoch, into: SamplePlace(storage: storage, position: 0, count: 1))
      }
    }
    let decoder = images.makeDecoder()
    let source = images.source
    var bytes: [UInt8] = []
    var image = DecodedImage()
    return { (sample, _) throws(DatasetError) in
      try source.read(sample, into: &bytes)
      if stage == .decoded {
        try decoder.decode(
          bytes, encoding: source.encoding, name: source.name(of: sample),
          channels: images.channels, into: &image)
      }
    }
  }
}

/// A moment, by the clock and by the processor time of this process.
private struct Moment {
  private let instant = ContinuousClock.now
  private let processor = clock()

  /// Seconds since then.
  var elapsed: Double { (ContinuousClock.now - instant) / .seconds(1) }

  var processorSeconds: Double { Double(clock() - processor) / Double(CLOCKS_PER_SEC) }
}

/// What the threads of a measurement did together.
private final class Tally: Sendable {
  private let state = Mutex<(count: Int, failure: DatasetError?)>((0, nil))

  func add(_ count: Int, failure: DatasetError?) {
    state.withLock {
      $0.count += count
      $0.failure = $0.failure ?? failure
    }
  }

  func total() throws(DatasetError) -> Int {
    let (count, failure) = state.withLock { $0 }
    if let failure { throw failure }
    return count
  }
}
