import Synchronization

/// What a loader does about samples that cannot be read or decoded.
public enum BadSamplePolicy: Sendable {
  /// The batch is an error, which names the sample.
  case fail
  /// The next good sample takes the place of a bad one, in the order of the data set and within the
  /// shard; after the last comes the first. So batches have their sizes on all ranks, and the same
  /// samples in every run.
  ///
  /// - limit: how many different samples may be bad before it is an error after all.
  /// - log: is called once for each, from any thread.
  case skip(limit: Int, log: @Sendable (DatasetError) -> Void)
}

/// The bad samples that a loader has met.
final class BadSamples: Sendable {
  private let policy: BadSamplePolicy
  private let known = Mutex<Set<Int>>([])

  init(_ policy: BadSamplePolicy) { self.policy = policy }

  /// Reads a sample, or under `skip` one in its place.
  ///
  /// - Parameter substitutes: the samples that may take its place, itself among them.
  /// - Returns: whether another took its place.
  func read(
    _ sample: Int, substitutes: Range<Int>, _ read: (Int) throws(DatasetError) -> Void
  ) throws(DatasetError) -> Bool {
    var candidate = sample
    while true {
      do {
        try read(candidate)
        return candidate != sample
      } catch {
        try admit(candidate, error)
        candidate = candidate + 1 < substitutes.upperBound ? candidate + 1 : substitutes.lowerBound
        guard candidate != sample else { throw error }
      }
    }
  }

  private func admit(_ sample: Int, _ error: DatasetError) throws(DatasetError) {
    guard case .skip(let limit, let log) = policy else { throw error }
    let (isNew, count) = known.withLock { ($0.insert(sample).inserted, $0.count) }
    guard count <= limit else { throw .tooManyBadSamples(limit: limit, last: "\(error)") }
    if isNew { log(error) }
  }
}
