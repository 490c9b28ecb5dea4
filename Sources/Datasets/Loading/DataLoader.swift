import Support

/// Delivers the batches of a rank in order, decoded ahead of need by worker threads.
///
///     let loader = DataLoader(input, sampler: …, seed: 1, workers: 2)
///     for epoch in 0..<epochs {
///       loader.begin(epoch: epoch)
///       while let batch = try loader.next() { … }
///     }
///
/// The workers fill a ring of `prefetch + 1` batches, allocated once: one is with the caller. What
/// is delivered does not depend on the number of workers. Threads start with the loader, serve all
/// epochs, and end with it. The loader itself is to be used from one thread.
public final class DataLoader {
  public let sampler: Sampler
  private let ring: BatchRing
  /// Fills batches in `next` where there are no workers.
  private let synchronousReader: (any SampleReader)?
  private let threads: [WorkerThread]

  /// - Parameters:
  ///   - mixing: of samples with each other.
  ///   - seed: for the random choices that make an input of a sample, and for mixing.
  ///   - workers: threads that decode; with 0, `next` decodes.
  ///   - prefetch: batches that may be ready or in work while the caller has another.
  ///   - progress: is called for each sample that has been read, by any thread.
  public init(
    _ input: any SampleInput, sampler: Sampler, mixing: BatchMixing = BatchMixing(), seed: UInt64,
    workers: Int, prefetch: Int = 2, onBadSample: BadSamplePolicy = .fail,
    progress: @escaping @Sendable () -> Void = {}
  ) {
    precondition(sampler.listCount == input.count, "the sampler is for this data set")
    precondition(workers >= 0, "a number of threads")
    precondition(prefetch > 0, "workers need a batch to fill")
    self.sampler = sampler
    ring = BatchRing(
      slots: workers == 0 ? 1 : prefetch + 1,
      capacity: sampler.largestBatch + (mixing.isOn ? 1 : 0), of: input,
      onBadSample: onBadSample, progress: progress
    ) { [imageSize = input.imageSize] epoch, iteration in
      mixing.mixture(seed: seed, epoch: epoch, iteration: iteration, imageSize: imageSize)
    }
    synchronousReader = workers > 0 ? nil : input.makeReader(seed: seed)
    threads = (0..<workers).map { [ring] _ in
      WorkerThread {
        let reader = input.makeReader(seed: seed)
        while let claim = ring.claim(waiting: true) { ring.complete(claim, reader: reader) }
      }
    }
  }

  deinit {
    ring.shutDown()
    for thread in threads { thread.join() }
  }

  /// Starts an epoch, also in the middle of another, at an iteration of it.
  public func begin(epoch: Int, iteration: Int = 0) {
    ring.begin(sampler.plan(epoch: epoch), epoch: epoch, iteration: iteration)
  }

  /// The next batch of the epoch, or `nil` after the last. Its contents are valid until the next
  /// call of `next` or `begin`.
  ///
  /// Throws the error of the batch's first sample that cannot be read; the call after that gives the
  /// batch that follows.
  public func next() throws(DatasetError) -> Batch? {
    guard let iteration = ring.advance() else { return nil }
    if let synchronousReader {
      while let claim = ring.claim(waiting: false) {
        ring.complete(claim, reader: synchronousReader)
      }
    }
    return try ring.deliver(iteration)
  }
}
