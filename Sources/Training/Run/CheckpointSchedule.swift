import Configuration

/// When checkpoints are due.
struct CheckpointSchedule {
  private let settings: Configuration.Checkpointing
  private var last: ContinuousClock.Instant

  init(_ settings: Configuration.Checkpointing, at now: ContinuousClock.Instant = .now) {
    (self.settings, last) = (settings, now)
  }

  /// Whether one is due after so many iterations: the same on all ranks.
  func isDue(iteration: Int) -> Bool {
    settings.everyIterations.map { iteration % $0 == 0 } ?? false
  }

  /// Whether one is due after so many epochs: the same on all ranks.
  func isDue(epoch: Int) -> Bool {
    settings.everyEpochs.map { epoch % $0 == 0 } ?? false
  }

  /// Whether one is due by the clock; ranks need not agree.
  func isDueByTime(at now: ContinuousClock.Instant = .now) -> Bool {
    settings.everyMinutes.map { now - last >= .seconds($0 * 60) } ?? false
  }

  /// Says that one has been made.
  mutating func restart(at now: ContinuousClock.Instant = .now) { last = now }
}
