import Foundation
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

  /// Samples a second.
  ///
  /// - Parameters:
  ///   - workers: threads, besides the one that takes what a loader delivers.
  ///   - seconds: to measure for, at least.
  public func rate(
    _ stage: Stage, workers: Int, seconds: Double
  ) throws(DatasetError) -> Double {
    precondition(workers > 0 && seconds > 0, "threads work for some time")
    return stage == .delivered
      ? try deliveredRate(workers: workers, seconds: seconds)
      : try sampleRate(stage, workers: workers, seconds: seconds)
  }

  private func deliveredRate(
    workers: Int, seconds: Double
  ) throws(DatasetError) -> Double {
    let loader = DataLoader(
      input, sampler: sampler, mixing: mixing, seed: seed, workers: workers)
    var (samples, epoch) = (0, 0)
    var start: ContinuousClock.Instant?
    while true {
      loader.begin(epoch: epoch)
      while let batch = try loader.next() {
        // From batch to batch, so that as much is prepared ahead at the start as at the end.
        guard let start else {
          start = .now
          continue
        }
        samples += batch.count
        let elapsed = (ContinuousClock.now - start) / .seconds(1)
        if elapsed >= seconds { return Double(samples) / elapsed }
      }
      epoch += 1
    }
  }

  private func sampleRate(
    _ stage: Stage, workers: Int, seconds: Double
  ) throws(DatasetError) -> Double {
    let order = sampler.plan(epoch: 0).samples
    let next = Atomic<Int>(0)
    let tally = Tally()
    let start = ContinuousClock.now
    let threads = (0..<workers).map { _ in
      WorkerThread { [self] in
        var count = 0
        do throws(DatasetError) {
          let work = makeWork(stage)
          while (ContinuousClock.now - start) / .seconds(1) < seconds {
            let position = next.add(1, ordering: .relaxed).oldValue
            try work(Int(order[position % order.count]), position / order.count)
            count += 1
          }
          tally.add(count, failure: nil)
        } catch {
          tally.add(count, failure: error)
        }
      }
    }
    for thread in threads { thread.join() }
    let elapsed = (ContinuousClock.now - start) / .seconds(1)
    return Double(try tally.total()) / elapsed
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
